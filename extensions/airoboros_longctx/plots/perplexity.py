"""Perplexity by context length: a line for each scaling, over a logarithmic axis of tokens."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..core.checking.check_result import CheckResult, PerplexityPoint
from .drawing import DASHES, LIGHT, MARKERS, Theme, label, new_figure, style_axes

_HEIGHT_INCHES = 3.9
#: From this ratio between the worst and the best perplexity on, the axis is logarithmic: what explodes would press
#: every other line flat.
_LOGARITHMIC_FROM = 4.0


def perplexity_figure(result: CheckResult, theme: Theme = LIGHT) -> Any | None:
    """The figure; None where no perplexity was measured. Raises PlotsUnavailableError.

    A perplexity that is no finite number is not drawn, and its line's name says where.
    """
    curves = [(scaled, scaled.perplexity) for scaled in result.measured if scaled.perplexity]
    if not curves:
        return None
    figure = new_figure(_HEIGHT_INCHES, theme)
    axes = figure.add_subplot()
    style_axes(axes, theme)
    for number, (scaled, points) in enumerate(curves):
        drawn = _finite(points)
        name = str(scaled.scaling) + (", as loaded" if scaled is result.measured[0] else "")
        if lost := [f"{point.context_tokens}" for point in points if point not in drawn]:
            name += f" (no number at {', '.join(lost)})"
        axes.plot(
            [point.context_tokens for point in drawn],
            [point.perplexity for point in drawn],
            color=theme.lines[number % len(theme.lines)],
            marker=MARKERS[number % len(MARKERS)],
            linestyle=DASHES[number % len(DASHES)],
            linewidth=1.8,
            markersize=5,
            label=name,
        )
    every = [point for _, points in curves for point in points]
    _tokens_axis(axes, sorted({point.context_tokens for point in every}))
    _perplexity_axis(axes, [point.perplexity for point in _finite(every)])
    _mark_base_window(axes, result.original_max_position_embeddings, theme)
    axes.grid(True, axis="y", which="major", color=theme.grid, linewidth=0.6)
    axes.set_xlabel("context (tokens)", color=theme.text)
    axes.set_ylabel("perplexity, less is better", color=theme.text)
    axes.set_title(label(f"Perplexity · {result.model}"), color=theme.text, fontsize=10, loc="left", pad=18)
    figure.legend(loc="outside lower left", ncol=2, frameon=False, labelcolor=theme.text, fontsize=8.5)
    return figure


def _finite(points: Sequence[PerplexityPoint]) -> list[PerplexityPoint]:
    return [point for point in points if math.isfinite(point.perplexity) and point.perplexity > 0]


def _tokens_axis(axes: Any, tokens: Sequence[int]) -> None:
    from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

    axes.set_xscale("log", base=2)
    axes.set_xlim(tokens[0] / 1.15, tokens[-1] * 1.15)
    named = _apart(tokens)
    axes.xaxis.set_major_locator(FixedLocator(named))
    axes.xaxis.set_major_formatter(FixedFormatter([str(count) for count in named]))
    axes.xaxis.set_minor_locator(NullLocator())


def _apart(tokens: Sequence[int]) -> list[int]:
    """Those of ``tokens`` that can be written below the axis without touching: the longest first."""
    room = (tokens[-1] / tokens[0]) ** (1 / 9)
    named = [tokens[-1]]
    for count in reversed(tokens[:-1]):
        if named[0] / count >= room:
            named.insert(0, count)
    return named


def _perplexity_axis(axes: Any, perplexities: Sequence[float]) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    if not perplexities or max(perplexities) / min(perplexities) < _LOGARITHMIC_FROM:
        axes.margins(y=0.15)
        return
    axes.set_yscale("log")
    decades = math.log10(max(perplexities) / min(perplexities))
    axes.yaxis.set_major_locator(LogLocator(10, subs=(1.0, 2.0, 5.0) if decades < 3 else (1.0,)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}" if value < 1e7 else f"{value:.0e}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _mark_base_window(axes: Any, tokens: int, theme: Theme) -> None:
    shortest, longest = axes.get_xlim()
    if not shortest < tokens < longest:
        return
    axes.axvline(tokens, color=theme.text, linewidth=1, linestyle=(0, (2, 2)), alpha=0.8, zorder=0)
    middle = math.sqrt(shortest * longest)
    axes.annotate(
        f"base window {tokens}",
        (tokens, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(0, 3),
        textcoords="offset points",
        ha="center" if middle / 3 < tokens < middle * 3 else "right" if tokens > middle else "left",
        va="bottom",
        fontsize=8.5,
        color=theme.text,
    )
