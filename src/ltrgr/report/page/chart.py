"""Charts as inline SVG: colours come from the page's CSS classes, numbers stand in titles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ltrgr.report.page.markup import Safe, el, join

WIDTH, WIDE, HEIGHT = 420, 560, 230
LEFT, RIGHT, TOP, BOTTOM = 50, 12, 10, 38
COLOURS = 6
"""classes c0 ... c5 of the style sheet"""

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, kw_only=True)
class Series:
    """One line: ``points`` in data units, ``colour`` a class number, ``thin`` for one seed."""

    name: str
    points: Points
    colour: int
    thin: bool = False
    dashed: bool = False
    filled: bool = False


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Data ranges mapped to the drawing area of ``width`` pixels."""

    width: int
    x: tuple[float, float]
    y: tuple[float, float]

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Pixels of a point."""
        across = (x - self.x[0]) / (self.x[1] - self.x[0])
        up = (y - self.y[0]) / (self.y[1] - self.y[0])
        return LEFT + across * (self.width - LEFT - RIGHT), HEIGHT - BOTTOM - up * (
            HEIGHT - TOP - BOTTOM
        )


def line_chart(
    series: Sequence[Series],
    *,
    label: str,
    x_label: str,
    zero: bool = False,
    percent: bool = False,
    x_from: float | None = None,
    y_to: float | None = None,
    wide: bool = False,
) -> Safe:
    """Lines over a shared axis, with a legend of the names below.

    Args:
        label: what the chart shows, for its caption and for screen readers.
        zero: the vertical axis begins at zero.
        percent: vertical values are fractions, printed times 100.
        x_from: where the horizontal axis begins; None: at the data.
        y_to: the least that the vertical axis reaches, so that charts can be compared.
        wide: drawn for half of a page and not for a third.
    """
    drawn = [one for one in series if one.points]
    if not drawn:
        return Safe("")
    xs = [x for one in drawn for x, _ in one.points]
    ys = [y for one in drawn for _, y in one.points]
    low = 0.0 if zero else min(ys)
    high = max(ys) if y_to is None else max(*ys, y_to)
    frame = Frame(
        width=WIDE if wide else WIDTH,
        x=_range(min(xs) if x_from is None else x_from, max(xs)),
        y=_padded(low, high, zero=zero),
    )
    body = join([_grid(frame, x_label, percent=percent), *(_line(one, frame) for one in drawn)])
    svg = el("svg", body, viewBox=f"0 0 {frame.width} {HEIGHT}", role="img", aria_label=label)
    return el("figure", el("figcaption", label), svg, _legend(drawn), cls="chart")


def ticks(low: float, high: float, *, about: int = 5) -> list[float]:
    """Round numbers in [low, high], some ``about`` of them.

    >>> ticks(0, 10)
    [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]
    """
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next((m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * 0.8), 10 * power)
    first = math.ceil(low / step - 1e-9)
    return [round(i * step, 12) for i in range(first, math.floor(high / step + 1e-9) + 1)]


def number(value: float) -> str:
    """A tick's words.

    >>> number(1200), number(0.25), number(150000), number(0.00075)
    ('1200', '0.25', '150k', '7.5e-4')
    """
    if 0 < abs(value) < 0.01:
        digits, _, power = f"{value:.2e}".partition("e")
        return f"{float(digits):g}e{int(power)}"
    return f"{value / 1000:g}k" if abs(value) >= 10_000 else f"{value:g}"


def _range(low: float, high: float) -> tuple[float, float]:
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _padded(low: float, high: float, *, zero: bool) -> tuple[float, float]:
    space = 0.06 * (high - low) or abs(high) * 0.1 or 0.5
    return (0.0 if zero and low >= 0 else low - space, high + space)


def _grid(frame: Frame, x_label: str, *, percent: bool) -> Safe:
    parts = []
    for y in ticks(*frame.y):
        left, up = frame.at(frame.x[0], y)
        words = number(round(100 * y, 9) if percent else y)
        parts.append(el("line", x1=LEFT, x2=frame.width - RIGHT, y1=f"{up:.1f}", y2=f"{up:.1f}"))
        parts.append(el("text", words, x=left - 6, y=f"{up + 4:.1f}", cls="y"))
    for x in ticks(*frame.x):
        across, _ = frame.at(x, frame.y[0])
        words = number(x)
        parts.append(el("text", words, x=f"{across:.1f}", y=HEIGHT - BOTTOM + 16, cls="x"))
    middle = (LEFT + frame.width - RIGHT) / 2
    parts.append(el("text", x_label, x=middle, y=HEIGHT - 4, cls="x name"))
    return el("g", *parts, cls="grid")


def _line(series: Series, frame: Frame) -> Safe:
    pixels = [frame.at(x, y) for x, y in series.points]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in pixels)
    kinds = [f"c{series.colour % COLOURS}", *(["thin"] if series.thin else [])]
    kinds += ["dashed"] if series.dashed else []
    title = el("title", f"{series.name}: {series.points[-1][1]:.4g} at {series.points[-1][0]:g}")
    parts = [el("polyline", title, points=points, cls=" ".join([*kinds, "line"]))]
    if series.filled:
        floor = frame.at(0, frame.y[0])[1]
        area = f"{pixels[0][0]:.1f},{floor:.1f} {points} {pixels[-1][0]:.1f},{floor:.1f}"
        parts.insert(0, el("polyline", points=area, cls=f"{kinds[0]} area"))
    if len(pixels) <= 12 and not (series.thin or series.filled or series.dashed):
        parts += [_dot(series, i, pixels[i]) for i in range(len(pixels))]
    return join(parts)


def _dot(series: Series, i: int, pixel: tuple[float, float]) -> Safe:
    x, y = series.points[i]
    title = el("title", f"{series.name}: {y:.4g} at {x:g}")
    at = {"cx": f"{pixel[0]:.1f}", "cy": f"{pixel[1]:.1f}"}
    return el("circle", title, r=3, cls=f"c{series.colour % COLOURS} dot", **at)


def _legend(series: Sequence[Series]) -> Safe:
    named = {one.name: one for one in reversed(series) if one.name}
    if len(named) < 1:
        return Safe("")
    items = []
    for name, one in reversed(named.items()):
        dashed = " dashed" if one.dashed else ""
        mark = el("span", cls=f"key c{one.colour % COLOURS}{dashed}", aria_hidden="true")
        items.append(el("li", mark, name))
    return el("ul", *items, cls="legend")
