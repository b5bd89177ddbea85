"""What a question about documents needs beside the documents: a tokenizer, a window and a template."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from extensions.airoboros_longctx.core.prompts.closed_context import Document
from extensions.airoboros_longctx.core.prompts.instruction_templates import instruction_template, render_conversation

from .corpus import ROOT

SHIPPED_MODEL = ROOT / "demo" / "models" / "airoboros-tiny-1.4.1-PI-1024"
QUESTION = "Which loader is scaled when the context window is larger than the base window?"
WINDOW = 8192


@dataclass
class Turn:
    """``limit_tokens``: what the window leaves for the prompt."""

    limit_tokens: int
    count_tokens: Callable[[str], int]
    tokenizer_id: str = "benchmark"
    turns: int = 0

    def render(self, message: str, turns: int) -> str:
        return render_conversation(instruction_template("Airoboros-1.4"), message)


def fast_tokenizer() -> Callable[[str], int]:
    """The shipped model's, in Rust as in every webui: the number of tokens of a text."""
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(str(SHIPPED_MODEL))
    return lambda text: len(tokenizer(text)["input_ids"])


def documents_of(text: str, count: int) -> list[Document]:
    """``text`` cut into ``count`` documents of one size, each with an address."""
    size = -(-len(text) // count)
    return [Document(text[at : at + size], (("url", f"https://web.site/{at}"),)) for at in range(0, len(text), size)]
