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
    """Every document cut to ``cap``, but for those that the mark of the cut would make longer."""
    documents: list[Document] = []
    shortened: list[Shortened] = []
    for number, document in enumerate(context.documents):
        kept = _cut(document.text, cap)
        shorter = f"{document.text[:kept].rstrip()}\n[… {len(document.text) - kept} characters left out …]"
        if kept < len(document.text) and len(shorter) < len(document.text):
            shortened.append(Shortened(number, kept, len(document.text)))
            document = replace(document, text=shorter)
        documents.append(document)
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


def _does_not_fit(context: ClosedContext, tokens: int, budget_tokens: int) -> DoesNotFitError:
    count = len(context.documents)
    numbers = f"take {tokens} tokens; the window leaves {budget_tokens} for the prompt."
    if not count:
        return DoesNotFitError(
            f"The preamble and the question {numbers} Ask a shorter question or reserve fewer tokens for the reply."
        )
    what = "the document cut to a line" if count == 1 else f"the {count} documents cut to a line each"
    return DoesNotFitError(
        f"With {what}, the preamble, the metadata and the question {numbers} Ask a shorter question, switch documents "
        "off, or reserve fewer tokens for the reply."
    )
