"""What was found again, by depth and length: a heat map for each kind of question and each scaling."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..core.checking.check_result import PASSKEY, QUESTION, CheckResult, RetrievalCell
from .drawing import LIGHT, WIDTH_INCHES, Theme, label, new_figure, style_axes

_NAMES = {PASSKEY: "Passkey", QUESTION: "Question"}
_ROW_INCHES, _MAP_INCHES, _FIGURE_INCHES = 0.27, 0.6, 0.55
_COLUMN_INCHES, _LABEL_INCHES = 0.37, 0.6


def retrieval_figure(result: CheckResult, theme: Theme = LIGHT) -> Any | None:
    """A row of maps for each scaling, a column for each kind; None where nothing was asked. Each cell has its share of
    right answers in percent, and is empty where nothing was asked. Raises PlotsUnavailableError.
    """
    asked = [(scaled.scaling, [cell for cell in scaled.retrieval if cell.asked > 0]) for scaled in result.measured]
    asked = [(scaling, cells) for scaling, cells in asked if cells]
    every = [cell for _, cells in asked for cell in cells]
    if not every:
        return None
    kinds, lengths = list(dict.fromkeys(cell.kind for cell in every)), len({cell.context_tokens for cell in every})
    heights = [_MAP_INCHES + _ROW_INCHES * len({cell.depth for cell in cells}) for _, cells in asked]
    width = max(WIDTH_INCHES, len(kinds) * (_LABEL_INCHES + _COLUMN_INCHES * lengths))
    figure = new_figure(_FIGURE_INCHES + sum(heights), theme, width)
    figure.suptitle(label(f"Right answers · {result.model}"), color=theme.text, fontsize=10, x=0.02, ha="left")
    grid = figure.subplots(len(asked), len(kinds), squeeze=False, gridspec_kw={"height_ratios": heights})
    for row, (scaling, cells) in zip(grid, asked, strict=True):
        for axes, kind in zip(row, kinds, strict=True):
            of_kind = [cell for cell in cells if cell.kind == kind]
            axes.set_visible(bool(of_kind))
            if of_kind:
                _draw(axes, of_kind, theme)
                axes.set_title(
                    f"{_NAMES.get(kind, label(kind))} · {scaling}", color=theme.text, fontsize=9.5, loc="left"
                )
    figure.supxlabel("length of the prompt (tokens)", color=theme.text, fontsize=9.5)
    figure.supylabel("depth (0% is the beginning)", color=theme.text, fontsize=9.5)
    return figure


def _draw(axes: Any, cells: Sequence[RetrievalCell], theme: Theme) -> None:
    from matplotlib import colormaps

    lengths = sorted({cell.context_tokens for cell in cells})
    depths = sorted({cell.depth for cell in cells})
    shares = [[float("nan")] * len(lengths) for _ in depths]
    for cell in cells:
        shares[depths.index(cell.depth)][lengths.index(cell.context_tokens)] = cell.right / cell.asked
    colours = colormaps["cividis"]  # made for every colour vision, and even in grey: arXiv:1712.01662
    style_axes(axes, theme)
    axes.pcolormesh(shares, cmap=colours, vmin=0.0, vmax=1.0, edgecolors=theme.background, linewidth=1.5)
    axes.invert_yaxis()
    for row, line in enumerate(shares):
        for column, share in enumerate(line):
            if not math.isnan(share):
                ink = "#000000" if share > 0.45 else "#ffffff"
                axes.text(column + 0.5, row + 0.5, f"{share:.0%}", ha="center", va="center", fontsize=8, color=ink)
    axes.set_xticks([column + 0.5 for column in range(len(lengths))], [str(count) for count in lengths])
    axes.set_yticks([row + 0.5 for row in range(len(depths))], [f"{depth:.0%}" for depth in depths])
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
