"""Fitting documents into a token budget: their text gives way, fairly and visibly; the envelope never does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from .closed_context import ClosedContext, Document
from .errors import AiroborosLongctxError

TokenCounter = Callable[[str], int]

#: A document that would keep less than this is not worth asking about, in characters.
LEAST_KEPT = 40
#: The share of the budget that may stay unused so that the search can end early.
_CLOSE_ENOUGH = 0.02
_MOST_STEPS = 16


class DoesNotFitError(AiroborosLongctxError):
    """The envelope and the question leave no room for the documents."""


@dataclass(frozen=True)
class Shortened:
    """Document number ``document`` (from 0) keeps its first ``kept_characters``."""

    document: int
    kept_characters: int
    of_characters: int


@dataclass(frozen=True)
class Fitted:
    """``prompt`` is the whole prompt; ``tokens`` its length with everything around the documents."""

    context: ClosedContext
    prompt: str
    tokens: int
    shortened: tuple[Shortened, ...]


def fit_to_budget(
    context: ClosedContext, budget_tokens: int, render: Callable[[ClosedContext], str], token_counter: TokenCounter
) -> Fitted:
    """The documents at the largest common cap on their length that fits ``budget_tokens``.

    ``render`` gives the whole prompt, which is counted as a whole: counts of parts do not add up. Short documents stay
    whole while long ones are cut to the cap. Raises DoesNotFitError, with the numbers, where the least does not fit.
    """

    def tried(cap: int) -> Fitted:
        shorter, shortened = _capped(context, cap)
        prompt = render(shorter)
        return Fitted(shorter, prompt, token_counter(prompt), shortened)

    longest = max((len(document.text) for document in context.documents), default=0)
    best = tried(longest)
    if best.tokens <= budget_tokens:
        return best
    least = tried(min(LEAST_KEPT, longest))
    if least.tokens > budget_tokens:
        raise _does_not_fit(context, least.tokens, budget_tokens)
    low, high, low_tokens, high_tokens = min(LEAST_KEPT, longest), longest, least.tokens, best.tokens
    best = least
    for step in range(_MOST_STEPS):
        if high - low <= 1 or best.tokens >= budget_tokens * (1 - _CLOSE_ENOUGH):
            break
        guess = low + (high - low) * (budget_tokens - low_tokens) // max(1, high_tokens - low_tokens)
        # Every other step halves, so that a token counter that is far from linear cannot stall the search.
        cap = min(high - 1, max(low + 1, guess if step % 2 == 0 else (low + high) // 2))
        found = tried(cap)
        if found.tokens <= budget_tokens:
            low, low_tokens, best = cap, found.tokens, found
        else:
            high, high_tokens = cap, found.tokens
    return best


def _capped(context: ClosedContext, cap: int) -> tuple[ClosedContext, tuple[Shortened, ...]]:
    documents, shortened = [], []
    for number, document in enumerate(context.documents):
        kept = _cut(document.text, cap)
        if kept < len(document.text):
            shortened.append(Shortened(number, kept, len(document.text)))
        documents.append(_shortened(document, kept))
    return replace(context, documents=tuple(documents)), tuple(shortened)


def _cut(text: str, cap: int) -> int:
    """Where to cut ``text``: at the last paragraph, line, sentence or word that ends in the last fifth of ``cap``."""
    if len(text) <= cap:
        return len(text)
    for edge in ("\n\n", "\n", ". ", " "):
        found = text.rfind(edge, cap - cap // 5, cap)
        if found > 0:
            return found + (1 if edge == ". " else 0)
    return cap


def _shortened(document: Document, kept: int) -> Document:
    left_out = len(document.text) - kept
    if left_out <= 0:
        return document
    return replace(document, text=f"{document.text[:kept].rstrip()}\n[… {left_out} characters left out …]")


def _does_not_fit(context: ClosedContext, tokens: int, budget_tokens: int) -> DoesNotFitError:
    count = len(context.documents)
    what = "the document" if count == 1 else f"the {count} documents"
    return DoesNotFitError(
        f"With {what} cut to a line each, the preamble, the metadata and the question take {tokens} tokens; the window "
        f"leaves {budget_tokens} for the prompt. Ask a shorter question, switch documents off, or reserve fewer tokens "
        "for the reply."
    )
