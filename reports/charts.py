"""Charts that print, as shapes of SVG for a template to write: never colour alone, and in words too.

The figures themselves stand in a table beside each chart. Pure: numbers in, shapes out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import median
from textwrap import wrap
from typing import NamedTuple

_WIDE, _HIGH, _LEFT, _FOOT, _TOP = 640, 260, 48, 36, 14
_LINE = 34
#: How many characters a bar's label has room for in a line, and how far its two lines are apart.
_LABEL, _BETWEEN = 34, 14


class Share(NamedTuple):
    """A part of a whole, at one time or of one thing."""

    label: str
    part: int
    whole: int

    @property
    def value(self) -> float | None:
        """Part by whole; None where there was nothing."""
        return self.part / self.whole if self.whole else None


class Estimate(NamedTuple):
    """A number at one time, and the two ends of its interval; None where it cannot be told."""

    label: str
    found: tuple[float, float, float] | None


class Limits(NamedTuple):
    """A run chart's centre line, and for each point how far chance alone may take it."""

    centre: float
    bounds: tuple[tuple[float, float], ...]


class Shape(NamedTuple):
    """One element of SVG: its name, its attributes, and what is written in it."""

    tag: str
    attributes: dict[str, str | float]
    words: str = ""


class Chart(NamedTuple):
    """A drawing, with its title and the same in words. `name` makes the ids of its parts its own."""

    name: str
    title: str
    words: str
    width: int
    height: int
    shapes: list[Shape]


def limits(shares: Sequence[Share]) -> Limits | None:
    """Three-sigma limits of a p-chart, which are wider where less was counted; None while nothing was counted.

    W. A. Shewhart; as in Montgomery, *Introduction to Statistical Quality Control*, control charts for the fraction
    nonconforming with a variable sample size.
    """
    whole = sum(share.whole for share in shares)
    if not whole:
        return None
    centre = sum(share.part for share in shares) / whole
    sigma = [math.sqrt(centre * (1 - centre) / share.whole) if share.whole else 1.0 for share in shares]
    return Limits(centre, tuple((max(0.0, centre - 3 * each), min(1.0, centre + 3 * each)) for each in sigma))


def out_of_limits(shares: Sequence[Share]) -> list[str]:
    """The labels of the points that chance alone does not explain."""
    found = limits(shares)
    if found is None:
        return []
    return [
        share.label
        for share, (low, high) in zip(shares, found.bounds, strict=True)
        if share.value is not None and not low <= share.value <= high
    ]


def run_chart(shares: Sequence[Share], title: str, name: str) -> Chart | None:
    """Shares over time with their centre line and control limits; None while nothing was counted.

    A point beyond the limits is a filled square with its label, every other an open circle.
    """
    found = limits(shares)
    if found is None:
        return None
    top = _ceiling([*(share.value or 0.0 for share in shares), *(high for _, high in found.bounds)])
    xs = _places(len(shares))
    parts = [
        *_axis(top),
        _across(_y(found.centre, top), {"stroke": "#0b0c0c", "stroke-dasharray": "4 4"}),
        _text(_WIDE, _y(found.centre, top) - 5, "mean", "end"),
    ]
    for bound, dashes in ((1, "1 4"), (0, "1 4")):
        steps = " ".join(f"{x:.1f},{_y(pair[bound], top):.1f}" for x, pair in zip(xs, found.bounds, strict=True))
        parts.append(_path(steps, {"stroke": "#505a5f", "stroke-dasharray": dashes}))
    seen = [(x, share) for x, share in zip(xs, shares, strict=True) if share.value is not None]
    joined = " ".join(f"{x:.1f},{_y(share.value or 0.0, top):.1f}" for x, share in seen)
    parts.append(_path(joined, {"stroke": "#0b0c0c", "stroke-width": 2}))
    beyond = set(out_of_limits(shares))
    for x, share in seen:
        parts.extend(_point(x, _y(share.value or 0.0, top), share, share.label in beyond))
    parts.extend(_labels(xs, [share.label for share in shares]))
    return Chart(name, title, _run_in_words(shares, found), _WIDE, _HIGH, parts)


def estimate_chart(estimates: Sequence[Estimate], title: str, name: str) -> Chart | None:
    """Numbers of at most 1 over time, each with its interval as a line through it; None while none can be told.

    The broken line is the median of the numbers, as in a run chart.
    """
    known = [each.found for each in estimates if each.found]
    if not known:
        return None
    bottom, xs = math.floor(min(0.0, *(low for _, low, _ in known))), _places(len(estimates))

    def y(value: float) -> float:
        return _TOP + (1 - value) / (1 - bottom) * (_HIGH - _TOP - _FOOT)

    parts: list[Shape] = []
    for mark in (bottom, (1 + bottom) / 2, 1):
        parts += [_across(y(mark), {"stroke": "#b1b4b6"}), _text(_LEFT - 6, y(mark) + 4, f"{mark:g}", "end")]
    middle = y(median(value for value, _, _ in known))
    parts.append(_across(middle, {"stroke": "#0b0c0c", "stroke-dasharray": "4 4"}))
    parts.append(_text(_WIDE, middle - 5, "median", "end"))
    for x, each in zip(xs, estimates, strict=True):
        if each.found:
            value, low, high = each.found
            parts.append(_path(f"{x:.1f},{y(low):.1f} {x:.1f},{y(high):.1f}", {"stroke": "#0b0c0c"}))
            parts.append(_circle(x, y(value)))
    parts.extend(_labels(xs, [each.label for each in estimates]))
    return Chart(name, title, "; ".join(map(_estimated, estimates)), _WIDE, _HIGH, parts)


def bullet_bars(shares: Sequence[Share], mark: float | None, title: str, name: str) -> Chart:
    """A bar for each share, with its figure in words, and a line where all of them together stand."""
    high = _LINE * len(shares) + 20
    left, wide = 230, _WIDE - 230 - 90
    parts: list[Shape] = []
    for number, share in enumerate(shares):
        y, value = number * _LINE + 8, share.value or 0.0
        said = "none" if share.value is None else f"{value:.0%} of {share.whole:,}"
        lines = wrap(share.label, _LABEL, max_lines=2, placeholder="…")
        parts += [
            *(_text(0, y + 15 + _BETWEEN * (place - (len(lines) - 1) / 2), line) for place, line in enumerate(lines)),
            _bar(left, y, wide, 20, {"fill": "none", "stroke": "#b1b4b6"}),
            _bar(left, y + 4, value * wide, 12, {"fill": "#1d4f57"}),
            _text(left + wide + 6, y + 15, said),
        ]
    if mark is not None:
        x = left + mark * wide
        parts.append(_path(f"{x:.1f},2 {x:.1f},{high - 14}", {"stroke": "#0b0c0c", "stroke-width": 3}))
        parts.append(_text(x, high - 1, f"all: {mark:.0%}", "middle"))
    words = "; ".join(f"{share.label}: {_percent(share)}" for share in shares)
    return Chart(name, title, words, _WIDE, high, parts)


def _run_in_words(shares: Sequence[Share], found: Limits) -> str:
    beyond = out_of_limits(shares)
    verdict = f"Beyond the control limits: {', '.join(beyond)}" if beyond else "None is beyond the control limits"
    return f"{'; '.join(f'{share.label}: {_percent(share)}' for share in shares)}. Mean {found.centre:.1%}. {verdict}."


def _estimated(each: Estimate) -> str:
    if each.found is None:
        return f"{each.label}: cannot be told"
    value, low, high = each.found
    return f"{each.label}: {value:.2f}, between {low:.2f} and {high:.2f}"


def _percent(share: Share) -> str:
    return "nothing counted" if share.value is None else f"{share.value:.1%} of {share.whole:,}"


def _ceiling(values: Iterable[float]) -> float:
    return min(1.0, max(0.1, math.ceil(max(values) * 10) / 10))


def _places(number: int) -> list[float]:
    # Right of the last is room for what the broken line is.
    step = (_WIDE - _LEFT - 80) / max(1, number - 1)
    return [_LEFT + 20 + place * step for place in range(number)]


def _y(value: float, top: float) -> float:
    return _TOP + (1 - value / top) * (_HIGH - _TOP - _FOOT)


def _axis(top: float) -> list[Shape]:
    parts = []
    for share in (0.0, top / 2, top):
        y = _y(share, top)
        parts += [_across(y, {"stroke": "#b1b4b6"}), _text(_LEFT - 6, y + 4, f"{share:.0%}", "end")]
    return parts


def _across(y: float, look: dict[str, str | float]) -> Shape:
    return _path(f"{_LEFT},{y:.1f} {_WIDE},{y:.1f}", look)


def _path(points: str, look: dict[str, str | float]) -> Shape:
    return Shape("polyline", {"points": points, "fill": "none", **look})


def _bar(x: float, y: float, width: float, height: float, look: dict[str, str | float]) -> Shape:
    return Shape("rect", {"x": round(x, 1), "y": round(y, 1), "width": round(width, 1), "height": height, **look})


def _point(x: float, y: float, share: Share, beyond: bool) -> list[Shape]:
    if not beyond:
        return [_circle(x, y)]
    above = y - 10 if y > 30 else y + 22
    return [
        _bar(x - 6, y - 6, 12, 12, {"fill": "#0b0c0c"}),
        _text(x, above, f"{share.value or 0:.0%}", "middle"),
    ]


def _circle(x: float, y: float) -> Shape:
    look: dict[str, str | float] = {"r": 4, "fill": "#ffffff", "stroke": "#0b0c0c", "stroke-width": 2}
    return Shape("circle", {"cx": round(x, 1), "cy": round(y, 1), **look})


def _labels(xs: Sequence[float], labels: Sequence[str]) -> list[Shape]:
    """Not more than can be read."""
    every = math.ceil(len(labels) / 8)
    return [
        _text(x, _HIGH - 12, label, "middle")
        for number, (x, label) in enumerate(zip(xs, labels, strict=True))
        if number % every == 0
    ]


def _text(x: float, y: float, words: str, anchor: str = "start") -> Shape:
    return Shape("text", {"x": round(x, 1), "y": round(y, 1), "text-anchor": anchor}, words)
