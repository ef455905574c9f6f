"""What of a count may be printed, so that nobody is made out behind it (R59: the SAC rule). Pure.

A count under 5 is suppressed and every other is rounded to 5. A table is then searched as an attacker would: from every
figure that is printed, from the sums that tie them, and from this rule itself. While more could be said of a suppressed
count than that it is under 5, another figure is suppressed with it.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

LEAST = 5
STEP = 5
#: How a suppressed figure is printed, whether for its own sake or for another's.
MARK = "–"

#: A place in a table: its row and its column; the totals stand after the last.
Place = tuple[int, int]


@dataclass(frozen=True)
class Counts:
    """A table of counts as they are. Each thing is counted in one cell, so that rows and columns add up.

    No count of one table may stand in another that the same people read: what ties two tables is not searched.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[int, ...], ...]

    def with_totals(self) -> list[list[int]]:
        """The cells, the total of each row after them, and a last row of the totals of the columns."""
        across = [[*row, sum(row)] for row in self.cells]
        return [*across, [sum(column) for column in zip(*across, strict=True)]]


@dataclass(frozen=True)
class Printable:
    """The same table as it may be printed; None is a suppressed figure. `row_totals`, `column_totals`, `total`."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[int | None, ...], ...]
    row_totals: tuple[int | None, ...]
    column_totals: tuple[int | None, ...]
    total: int | None


def rounded(count: int) -> int | None:
    """One count that stands alone, as it may be printed: None when it is suppressed, else the nearest multiple of 5."""
    return None if count < LEAST else (count + STEP // 2) // STEP * STEP


def share(part: int | None, whole: int | None) -> int | None:
    """Of two printed figures, the percentage: it says no more than they do. None when there is none to say."""
    return None if part is None or not whole else min(100, round(100 * part / whole))


def protect(counts: Counts) -> Printable:
    """The table as it may be printed. Raises ValueError for rows of different lengths, or a count below nothing."""
    if any(len(row) != len(counts.columns) or min(row, default=0) < 0 for row in counts.cells):
        raise ValueError("a table of counts has whole rows, and nothing below nothing")
    grid = _Grid(counts.with_totals(), one_column=len(counts.columns) == 1)
    while exposed := grid.first_exposed():
        grid.hidden.add(grid.companion_of(exposed))
    _give_back(grid)
    return _printable(counts, grid)


def _give_back(grid: _Grid) -> None:
    """Print again what turned out to protect nothing, the totals first, since they are read most."""
    extra = [place for place in grid.hidden if grid.values[place] >= LEAST]
    for place in sorted(extra, key=lambda p: (not grid.is_total(p), -grid.values[p], p)):
        grid.hidden.discard(place)
        if grid.first_exposed():
            grid.hidden.add(place)


def _printable(counts: Counts, grid: _Grid) -> Printable:
    height, width = len(counts.rows), len(counts.columns)
    shown = [
        [grid.printed((row, 0 if grid.one_column else column)) for column in range(width + 1)]
        for row in range(height + 1)
    ]
    return Printable(
        counts.rows,
        counts.columns,
        tuple(tuple(row[:width]) for row in shown[:height]),
        tuple(row[width] for row in shown[:height]),
        tuple(shown[height][:width]),
        shown[height][width],
    )


class _Grid:
    """A table with its totals, and which of its figures are hidden.

    Its rows and columns are the nodes of a network and its figures the edges: what an attacker cannot rule out is what
    can flow around it, so that the bounds of a figure are exact, in whole numbers (a transportation problem).
    """

    def __init__(self, values: Sequence[Sequence[int]], *, one_column: bool) -> None:
        self.height, self.width, self.one_column = len(values) - 1, len(values[0]) - 1, one_column
        across = range(1 if one_column else self.width + 1)
        self.values = {(row, column): values[row][column] for row in range(self.height + 1) for column in across}
        self.hidden = {place for place, value in self.values.items() if value < LEAST}
        self._at: dict[str, list[Place]] = defaultdict(list)
        for place in self.values:
            for node in self._ends(place):
                self._at[node].append(place)

    def is_total(self, place: Place) -> bool:
        """Whether this figure is the sum of others."""
        return place[0] == self.height or (place[1] == self.width and not self.one_column)

    def printed(self, place: Place) -> int | None:
        """The figure as it stands on paper."""
        return None if place in self.hidden else rounded(self.values[place])

    def first_exposed(self) -> Place | None:
        """A hidden figure of which more can be said than that it is hidden; None when there is none."""
        return next((place for place in sorted(self.hidden) if self._is_exposed(place)), None)

    def companion_of(self, exposed: Place) -> Place:
        """What to hide with it: of the printed figures in its row or column the smallest, else the smallest of all."""
        shown = [place for place in self.values if place not in self.hidden]
        near = [place for place in shown if place[0] == exposed[0] or place[1] == exposed[1]]
        return min(near or shown, key=lambda place: (self.is_total(place), self.values[place], place))

    def _is_exposed(self, place: Place) -> bool:
        value = self.values[place]
        if value < LEAST:
            # Under 5 is what everybody knows: each of 0 to 4 must stay possible.
            more = LEAST - 1 - value
            return self._leeway(place, +1, more) < more or self._leeway(place, -1, value) < value
        more = self._leeway(place, +1, STEP - 1)
        return more + self._leeway(place, -1, STEP - 1 - more) < STEP - 1

    def _leeway(self, place: Place, way: int, wanted: int) -> int:
        """By how much this figure could be more (`way` is 1) or less (-1) as far as anybody can tell, up to `wanted`.

        Each unit of it is a path through other figures that give way in turn, so that every sum still holds.
        """
        change: dict[Place, int] = defaultdict(int)
        for found in range(wanted):
            path = self._path(place, way, change)
            if path is None:
                return found
            for figure, step in path:
                change[figure] += step
        return wanted

    def _path(self, place: Place, way: int, change: dict[Place, int]) -> list[tuple[Place, int]] | None:
        row, column = self._ends(place)
        start, end = (column, row) if way == self._sign(place) else (row, column)
        came: dict[str, tuple[str, Place, int]] = {}
        waiting = deque([start])
        while waiting and end not in came:
            node = waiting.popleft()
            for following, figure, step in self._steps(node):
                if following not in came and figure != place and self._gives(figure, change[figure] + step):
                    came[following] = node, figure, step
                    waiting.append(following)
        return list(_back(came, start, end)) if end in came else None

    def _steps(self, node: str) -> Iterator[tuple[str, Place, int]]:
        for figure in self._at[node]:
            row, column = self._ends(figure)
            yield (column, figure, self._sign(figure)) if node == row else (row, figure, -self._sign(figure))

    def _gives(self, figure: Place, change: int) -> bool:
        """Whether all that is printed would read the same if this figure were so much more."""
        printed, value = self.printed(figure), self.values[figure] + change
        return value >= 0 if printed is None else rounded(value) == printed

    def _ends(self, place: Place) -> tuple[str, str]:
        # One column has no sums across: whatever its rows are, they are tied by their total alone.
        return "rows" if self.one_column else f"row {place[0]}", f"column {place[1]}"

    def _sign(self, place: Place) -> int:
        """A total stands on the other side of its sum; the total of totals on neither."""
        return -1 if (place[0] == self.height) != (place[1] == self.width and not self.one_column) else 1


def _back(came: dict[str, tuple[str, Place, int]], start: str, end: str) -> Iterator[tuple[Place, int]]:
    while end != start:
        end, figure, step = came[end]
        yield figure, step
