"""The documents of one question while it is decided what of them is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..prompts.closed_context import Block, Document, block_of, normalise_document
from .packed_prompt import Parts
from .parts import with_gaps_marked
from .token_counts import TokenCounter, tokens_of_lines
from .token_rates import TokenRates, token_rates

#: What is kept of each document, in order; () where it is left out.
Kept = tuple[Parts, ...]
#: What is kept in so many tokens, as far as they can be told without counting; of 0 tokens the least there can be.
Chooser = Callable[[float], Kept]
#: Counts of blocks add up to the whole but for so much: where they meet the template, and with tokenizers that merge
#: over line ends.
_SUM_IS_RIGHT, _MEETING = 0.99, 8


@dataclass(frozen=True)
class MeasuredDocument:
    """``document`` is normalised. ``rate``: tokens a character of its text takes; ``envelope``: tokens around it."""

    document: Document
    rate: float
    envelope: float

    @property
    def text(self) -> str:
        return self.document.text

    @property
    def text_tokens(self) -> float:
        return self.rate * len(self.text)

    @property
    def tokens(self) -> float:
        """Of the whole block, estimated."""
        return self.text_tokens + self.envelope

    @property
    def everything(self) -> Parts:
        return ((0, len(self.text)),)

    def block(self, parts: Parts) -> Block:
        """The block with ``parts`` of the text, its gaps marked."""
        return block_of(Document(with_gaps_marked(self.text, parts), self.document.metadata))


def measured_documents(
    documents: Sequence[Document], rates: TokenRates, token_counter: TokenCounter
) -> tuple[MeasuredDocument, ...]:
    """``rates`` are of the documents' texts. Everything but the texts is counted once, and shared out by length."""
    normalised = [normalise_document(one) for one in documents]
    empty = [block_of(Document("", one.metadata)).text for one in normalised]
    tokens = tokens_of_lines("\n".join([*empty, ""]), token_counter)
    per_character = tokens / max(1, sum(len(one) + 1 for one in empty))
    return tuple(
        MeasuredDocument(document, rate, per_character * (len(envelope) + 1))
        for document, rate, envelope in zip(normalised, rates.per_character, empty, strict=True)
    )


def rates_of(documents: Sequence[Document], known: Sequence[int | None], token_counter: TokenCounter) -> TokenRates:
    """From the blocks' tokens where all are known, else from samples."""
    counted = [tokens for tokens in known if tokens is not None]
    if len(counted) < len(documents):
        return token_rates([one.text for one in documents], token_counter)
    rates = tuple(tokens / max(1, len(one.text)) for tokens, one in zip(counted, documents, strict=True))
    return TokenRates(rates, sum(counted), sum(counted) * _SUM_IS_RIGHT - _MEETING)
