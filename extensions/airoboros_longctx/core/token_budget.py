"""What a budget of tokens is counted with, and what is said where not even the least fits it."""

from __future__ import annotations

from collections.abc import Callable

from .errors import AiroborosLongctxError

TokenCounter = Callable[[str], int]


class DoesNotFitError(AiroborosLongctxError):
    """The envelope and the question leave no room for the documents."""


def question_does_not_fit(tokens: int, limit: int) -> DoesNotFitError:
    """For a question without documents."""
    return DoesNotFitError(
        f"The preamble and the question take {tokens} tokens; the window leaves {limit} for the prompt. Ask a shorter "
        "question or reserve fewer tokens for the reply."
    )
