"""The trained sentences that go into the instruction of a closed-context question."""

from __future__ import annotations

from .document_options import DocumentOptions

#: From the model cards: asks for the pairs of the blocks that were used.
ASK_SOURCE = "Source?"
#: From the model cards: "It's also helpful to add …" at the end of the instruction.
DONT_MAKE_UP = "Don't make up answers if you don't know."


def instruction_text(question: str, options: DocumentOptions) -> str:
    """``question``, its own white space kept, followed by the sentences that are ticked, a line each."""
    lines = [question]
    if options.name_sources and ASK_SOURCE not in question:
        lines.append(ASK_SOURCE)
    if options.only_from_documents and DONT_MAKE_UP not in question:
        lines.append(DONT_MAKE_UP)
    return "\n".join(lines)
