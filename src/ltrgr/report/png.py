"""Figures of matplotlib as PNG files."""

from __future__ import annotations

from io import BytesIO

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


def as_png(figure: Figure) -> bytes:
    """The bytes of a PNG file of ``figure``, laid out so that no text overlaps.

    Draws with Agg, whatever backend the process has: no window, no display.
    """
    FigureCanvasAgg(figure)
    figure.set_layout_engine("constrained")
    out = BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()
