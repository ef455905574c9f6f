"""An attacker of printed tables, written from the printed page alone: it knows nothing of rules/disclosure.py.

Every figure is an unknown whole number, not below nothing. A printed one is at least 5 and rounds to what is printed.
Each row and column is an equation. It asks of one figure and one value: is there any table that reads like this one?
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

#: No hub counts as many; it only has to be larger than the other figures.
_MOST = 200

Cells = Sequence[Sequence[int | None]]
Bounds = list[list[int]]


class Attacker:
    """What can be worked out of one printed table: `printed` has its totals in the last row and the last column."""

    def __init__(self, printed: Cells) -> None:
        self.width = len(printed[0])
        self.shown = [figure for row in printed for figure in row]
        height = len(printed)
        across = [[row * self.width + column for column in range(self.width)] for row in range(height)]
        down = [[row * self.width + column for row in range(height)] for column in range(self.width)]
        #: The last of each line is the sum of those before it.
        self.lines = [line for line in (*across, *down) if len(line) > 1]
        self.of = [[line for line in self.lines if unknown in line] for unknown in range(len(self.shown))]
        self.known = [[0, _MOST] if p is None else [max(5, p - 2), p + 2] for p in self.shown]
        self._narrow(self.known, self.lines)

    def values_of(self, unknown: int, tried: Sequence[int]) -> Iterator[int]:
        """Which of the values tried this suppressed figure may have."""
        for value in tried:
            bounds = [list(pair) for pair in self.known]
            low, high = bounds[unknown]
            if low <= value <= high:
                bounds[unknown] = [value, value]
                if self._narrow(bounds, self.of[unknown]) and self._solve(bounds):
                    yield value

    def _solve(self, bounds: Bounds) -> bool:
        """Whether whole numbers within these bounds fulfil every line: tries the narrowest figure first."""
        loose = [at for at, (low, high) in enumerate(bounds) if low < high]
        if not loose:
            return True
        at = min(loose, key=lambda each: bounds[each][1] - bounds[each][0])
        low, high = bounds[at]
        for value in sorted(range(low, high + 1), key=lambda each: abs(2 * each - low - high)):
            copy = [list(pair) for pair in bounds]
            copy[at] = [value, value]
            if self._narrow(copy, self.of[at]) and self._solve(copy):
                return True
        return False

    def _narrow(self, bounds: Bounds, lines: Sequence[list[int]]) -> bool:
        """Take from each figure what its lines rule out, until nothing changes; False when nothing is left of one."""
        waiting = list(lines)
        while waiting:
            *parts, total = line = waiting.pop()
            low, high = sum(bounds[p][0] for p in parts), sum(bounds[p][1] for p in parts)
            changed = _cut(bounds[total], low, high)
            total_low, total_high = bounds[total]
            for part in parts:
                pair = bounds[part]
                before_low, before_high = pair
                pair[0] = max(before_low, total_low - high + before_high)
                pair[1] = min(before_high, total_high - low + before_low)
                if pair[0] > pair[1]:
                    return False
                if pair != [before_low, before_high]:
                    changed = True
                    low, high = low + pair[0] - before_low, high + pair[1] - before_high
            if bounds[total][0] > bounds[total][1]:
                return False
            if changed:
                waiting += [other for each in line for other in self.of[each] if other not in waiting]
        return True


def _cut(pair: list[int], low: int, high: int) -> bool:
    before = tuple(pair)
    pair[0], pair[1] = max(pair[0], low), min(pair[1], high)
    return before != tuple(pair)
