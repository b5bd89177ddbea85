"""The plots of a check as bytes for a page, and as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..core.checking.check_result import CheckResult
from .drawing import LIGHT, Theme, png_bytes, svg_bytes
from .perplexity import perplexity_figure
from .retrieval import retrieval_figure

_FIGURES = {"perplexity": perplexity_figure, "retrieval": retrieval_figure}


def plot_svgs(result: CheckResult, theme: Theme = LIGHT) -> dict[str, bytes]:
    """By file name (``perplexity.svg``, ``retrieval.svg``) a plot of what was measured, for a page of this theme.

    Raises PlotsUnavailableError.
    """
    return {f"{name}.svg": svg_bytes(figure) for name, figure in _figures(result, theme).items()}


def plot_files(result: CheckResult) -> dict[str, bytes]:
    """By file name (``perplexity.png``, ``perplexity.svg``, …) every plot. Raises PlotsUnavailableError."""
    files = {}
    for name, figure in _figures(result, LIGHT).items():
        files[f"{name}.png"] = png_bytes(figure)
        files[f"{name}.svg"] = svg_bytes(figure)
    return files


def write_plots(result: CheckResult, folder: Path) -> list[Path]:
    """Write every plot into ``folder``, which is made where it is missing.

    Raises PlotsUnavailableError before anything is written, and OSError.
    """
    files = plot_files(result)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in files]


def _figures(result: CheckResult, theme: Theme) -> dict[str, Any]:
    drawn = {name: draw(result, theme) for name, draw in _FIGURES.items()}
    return {name: figure for name, figure in drawn.items() if figure is not None}
