"""Charts as Plotly figures: the page draws them from JSON, in its own colours."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

import plotly.graph_objects as go
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from ltrgr.report.page.characters import shown_text

COLOURS = ("#2f7fc1", "#d9682a", "#149c73", "#b0609f", "#b98a10", "#7f8893")
"""seen on light and on dark paper; c0 ... c5 of the style sheet"""
POINTS = 12
"""a line of at most so many points has a marker on each"""
NAME = 44
"""characters in a line of a legend: what a telephone's width holds"""
DIGITS = 6
"""significant digits of a point"""

Points = Sequence[tuple[float, float]]

TEMPLATE = go.layout.Template(
    layout={
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, sans-serif", "size": 12, "color": "#68707a"},
        "margin": {"l": 44, "r": 12, "t": 28, "b": 40},
        "xaxis": {"showgrid": False, "zeroline": False, "automargin": True},
        "yaxis": {"gridcolor": "rgba(128,128,128,.25)", "zeroline": False, "automargin": True},
        "legend": {"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0},
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": "#8a929b", "activecolor": "#2f7fc1"},
        "hovermode": "x unified",
        "hoverdistance": -1,
        "hoverlabel": {"namelength": -1},
        "barmode": "overlay",
        "bargap": 0,
    }
)
"""What all charts share; stands on the page once."""


class Series(NamedTuple):
    """One line: ``points`` in data units, ``colour`` a number, ``thin`` for one seed."""

    name: str
    points: Points
    colour: int
    thin: bool = False
    dashed: bool = False


def as_json(figure: go.Figure | go.layout.Template) -> Markup:
    """JSON in which no character ends a script element, whatever the texts of the figure."""
    return htmlsafe_json_dumps(figure, dumps=lambda one, **_: one.to_json(engine="json"))


def line_chart(
    series: Sequence[Series],
    *,
    label: str,
    x_label: str,
    zero: bool = False,
    percent: bool = False,
) -> list[go.Figure]:
    """Lines over a shared axis; no chart where there is no point.

    Args:
        label: what the chart shows, for its caption and for screen readers.
        zero: the vertical axis begins at zero.
        percent: vertical values are fractions, drawn times 100.
    """
    drawn = [one for one in series if one.points]
    if not drawn:
        return []
    figure = empty_figure(label, x_label, [one.name for one in drawn if not one.thin])
    figure.update_yaxes(rangemode="tozero" if zero else "normal")
    return [figure.add_traces([_line(one, scale=100 if percent else 1) for one in drawn])]


def empty_figure(
    label: str, x_label: str, names: Sequence[str] = (), *, height: int = 270, width: int = 0
) -> go.Figure:
    """A figure without traces; ``height`` is that without a legend of the names.

    The page takes its caption and the least width from ``layout.meta``.
    """
    lines = sum(len(textwrap.wrap(name, NAME)) for name in names)
    return go.Figure(
        layout={
            "height": height + 19 * lines,
            "meta": {"label": label, "width": width},
            "showlegend": bool(names),
            "template": go.layout.Template(),  # in its place the page lays the one of all charts
            "xaxis": {"title": {"text": plain(x_label)}},
        }
    )


def plain(words: str) -> str:
    """Text that Plotly shows as it is: it would read tags, entities and templates.

    >>> plain("a<b>c & d %{y}")
    'a&lt;b&gt;c &amp; d %&#123;y}'
    """
    return escape(shown_text(words), quote=False).replace("%{", "%&#123;")


def wrapped(words: str) -> str:
    """Plain text in lines that a legend can hold."""
    return "<br>".join(map(plain, textwrap.wrap(shown_text(words), NAME)))


def short(value: float) -> float:
    """A number without the digits that nobody can see.

    >>> short(1 / 3)
    0.333333
    """
    return float(f"{value:.{DIGITS}g}")


def _line(one: Series, *, scale: float) -> go.Scatter:
    marked = len(one.points) <= POINTS and not (one.thin or one.dashed)
    return go.Scatter(
        x=[short(x) for x, _ in one.points],
        y=[short(scale * y) for _, y in one.points],
        name=wrapped(one.name),
        mode="lines+markers" if marked else "lines",
        line={
            "color": COLOURS[one.colour % len(COLOURS)],
            "width": 1 if one.thin else 2,
            "dash": "dash" if one.dashed else "solid",
        },
        opacity=0.5 if one.thin else 1,
        showlegend=not one.thin,
        hovertemplate="%{y:.4~g}",
    )
