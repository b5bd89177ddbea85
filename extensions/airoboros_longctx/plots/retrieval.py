"""What was found again, by depth and length: a heat map for each kind of question and each scaling."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..core.checking.check_result import PASSKEY, CheckResult, RetrievalCell
from .drawing import LIGHT, Theme, label, new_figure, style_axes

_NAMES = {PASSKEY: "Passkey"}
_OTHER_NAME = "Question about a document"
_ROW_INCHES, _MAP_INCHES, _FIGURE_INCHES = 0.27, 0.75, 0.35


def retrieval_figure(result: CheckResult, theme: Theme = LIGHT) -> Any | None:
    """The figure; None where nothing was asked. Raises PlotsUnavailableError.

    Each cell has its share of right answers in percent, and is empty where nothing was asked.
    """
    maps = [
        (f"{_NAMES.get(kind, _OTHER_NAME)} · {scaled.scaling}", cells)
        for scaled in result.measured
        for kind in dict.fromkeys(cell.kind for cell in scaled.retrieval)
        if (cells := [cell for cell in scaled.retrieval if cell.kind == kind and cell.asked > 0])
    ]
    if not maps:
        return None
    heights = [_MAP_INCHES + _ROW_INCHES * len({cell.depth for cell in cells}) for _, cells in maps]
    figure = new_figure(_FIGURE_INCHES + sum(heights), theme)
    figure.suptitle(label(f"Right answers · {result.model}"), color=theme.text, fontsize=10, x=0.02, ha="left")
    rows = figure.subplots(len(maps), 1, squeeze=False, gridspec_kw={"height_ratios": heights})[:, 0]
    for axes, (name, cells) in zip(rows, maps, strict=True):
        _draw(axes, cells, theme)
        axes.set_title(name, color=theme.text, fontsize=9.5, loc="left")
    rows[-1].set_xlabel("length of the prompt (tokens)", color=theme.text, fontsize=9.5)
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
    size = 8.5 if len(lengths) <= 10 else 6.5
    for row, line in enumerate(shares):
        for column, share in enumerate(line):
            if not math.isnan(share):
                ink = "#000000" if share > 0.45 else "#ffffff"
                axes.text(column + 0.5, row + 0.5, f"{share:.0%}", ha="center", va="center", fontsize=size, color=ink)
    axes.set_xticks([column + 0.5 for column in range(len(lengths))], [str(count) for count in lengths])
    axes.set_yticks([row + 0.5 for row in range(len(depths))], [f"{depth:.0%}" for depth in depths])
    axes.set_ylabel("depth", color=theme.text, fontsize=9.5)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
