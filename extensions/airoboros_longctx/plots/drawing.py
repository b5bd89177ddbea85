"""Figures for pages in light and dark, as PNG or SVG.

Nothing of pyplot is used, and no state of matplotlib's stays changed: a webui draws with it too.
"""

from __future__ import annotations

import io
import threading
from dataclasses import dataclass
from typing import Any

from ..core.errors import AiroborosLongctxError
from ..core.foreign_text import quoted

WIDTH_INCHES = 5.0
PNG_DOTS_PER_INCH = 160


class PlotsUnavailableError(AiroborosLongctxError):
    """matplotlib is not there, or cannot be used."""


@dataclass(frozen=True)
class Theme:
    """Colours of a figure. ``lines`` are from Okabe and Ito's palette, which people with any colour vision tell apart
    (https://jfly.uni-koeln.de/color/): on each background those that stand out from it."""

    background: str
    text: str
    grid: str
    lines: tuple[str, ...]


LIGHT = Theme("#ffffff", "#1f2937", "#d1d5db", ("#0072b2", "#d55e00", "#007a5a", "#a8497f", "#7a5c00", "#4b5563"))
DARK = Theme("#111827", "#e5e7eb", "#374151", ("#56b4e9", "#e69f00", "#2fc79a", "#e29ac4", "#f0e442", "#d1d5db"))
#: With the colours, so that no line is told by its colour alone.
MARKERS = ("o", "s", "^", "D", "v", "P")
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 3)))

_one_svg_at_a_time = threading.Lock()


def new_figure(height_inches: float, theme: Theme, width_inches: float = WIDTH_INCHES) -> Any:
    """An empty ``matplotlib.figure.Figure``. Raises PlotsUnavailableError."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise PlotsUnavailableError(
            "The plots need the package matplotlib, which is not installed here: pip install matplotlib "
            "in the Python that this runs in brings it. The verdict and the tables are complete without it."
        ) from error
    except Exception as error:  # built for another numpy, for example
        raise PlotsUnavailableError(
            f"The plots need the package matplotlib, which does not start here ({type(error).__name__}: "
            f"{quoted(error, 120)}). Install it again. The verdict and the tables are complete without it."
        ) from error
    return Figure(figsize=(width_inches, height_inches), facecolor=theme.background, layout="constrained")


def style_axes(axes: Any, theme: Theme) -> None:
    """The theme's colours, and no more lines than are needed."""
    axes.set_facecolor(theme.background)
    axes.tick_params(colors=theme.text, labelsize=9, which="both")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("bottom", "left"):
        axes.spines[side].set_color(theme.text)


def label(text: str) -> str:
    """Foreign text as a label: one line, and never a formula for matplotlib to set."""
    return quoted(text, 60).replace("$", r"\$")


def png_bytes(figure: Any) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    content = io.BytesIO()
    FigureCanvasAgg(figure).print_figure(content, format="png", dpi=PNG_DOTS_PER_INCH, facecolor=figure.get_facecolor())
    return content.getvalue()


def svg_bytes(figure: Any) -> bytes:
    """SVG with its words as words, which can be searched, selected and read aloud."""
    from matplotlib import rcParams
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    content, wanted = io.BytesIO(), {"svg.fonttype": "none", "svg.hashsalt": "airoboros_longctx"}
    with _one_svg_at_a_time:  # an SVG has no other way to be told
        before = {key: rcParams[key] for key in wanted}
        try:
            rcParams.update(wanted)
            FigureCanvasSVG(figure).print_figure(
                content, format="svg", facecolor=figure.get_facecolor(), metadata={"Date": None}
            )
        finally:
            rcParams.update(before)
    return content.getvalue()
