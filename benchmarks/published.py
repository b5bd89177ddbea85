"""Published perplexities that those of the shipped models are held against, and who says so."""

from __future__ import annotations

from dataclasses import dataclass

#: More than anybody wrote a number for.
EXPLODES = "very big"


@dataclass(frozen=True)
class Published:
    """Perplexity as it was written down, by context length; lengths and ``base_window`` in tokens."""

    source: str
    base_window: int
    scaled: dict[int, str]
    unscaled: dict[int, str]


LXCTX_7B = Published(
    "airoboros-7b-gpt4-1.4.1-lxctx-PI-16384 (7b, with pretraining) and airoboros-7b-gpt4-1.4, its model card",
    2048,
    {64: "29.39", 2048: "7.34", 4096: "6.81", 8192: "6.49", 16384: "6.31"},
    {64: "25.90", 2048: "6.2", 4096: "48.65", 8192: "1018", 16384: EXPLODES},
)
PI_8192 = Published(
    "LLaMA 7b on PG-19: position interpolation to 8192, and the model without (arXiv:2306.15595)",
    2048,
    {2048: "7.13", 4096: "6.96", 8192: "6.95"},
    {2048: "7.20", 4096: "> 1000", 8192: "> 1000"},
)
