"""What is said where not even the least fits the window: the numbers, and what to do."""

from __future__ import annotations

from ..errors import AiroborosLongctxError
from ..prompts.document_options import PASSAGES, WHOLE


class DoesNotFitError(AiroborosLongctxError):
    """The envelope and the question leave no room for the documents."""


def question_does_not_fit(tokens: int, limit: int) -> DoesNotFitError:
    """For a question without documents that takes ``tokens`` with its preamble."""
    return DoesNotFitError(
        f"The preamble and the question take {tokens} tokens; the window leaves {limit} for the prompt. Ask a shorter "
        "question or reserve fewer tokens for the reply."
    )


def documents_do_not_fit(how: str, count: int, tokens: int, limit: int) -> DoesNotFitError:
    """For ``count`` documents of which the least, chosen ``how``, makes a prompt of ``tokens``."""
    numbers = f"the preamble, the metadata and the question take {tokens} tokens; the window leaves {limit}"
    advice = "Ask a shorter question, switch documents off, or reserve fewer tokens for the reply."
    if how == WHOLE:
        what = "the document whole" if count == 1 else f"the shortest of the {count} documents alone"
        advice = (
            "Keep the passages that matter or shorten the documents instead, ask a shorter question, or reserve fewer "
            "tokens for the reply."
        )
    elif how == PASSAGES:
        what = "a single passage of the document" if count == 1 else f"a single passage of the {count} documents"
    else:
        what = "the document cut to a line" if count == 1 else f"the {count} documents cut to a line each"
    return DoesNotFitError(f"With {what}, {numbers} for the prompt. {advice}")
