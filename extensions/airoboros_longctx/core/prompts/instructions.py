"""The instruction of a closed-context question: one or a list, with the trained sentences in their places."""

from __future__ import annotations

import re

from .document_options import DocumentOptions

#: From the model cards: asks for the pairs of the blocks that were used.
ASK_SOURCE = "Source?"
#: From the model cards: "It's also helpful to add …" at the end of the instruction.
DONT_MAKE_UP = "Don't make up answers if you don't know."
#: A line that is an item of a list already: a bullet, a number or a letter.
_ITEM = re.compile(r"\s*(?:[-*+•–]|(?:\d{1,3}|[A-Za-z])[.)])\s+\S")


def instruction_text(question: str, options: DocumentOptions) -> str:
    """``question``, its own white space kept, followed by the sentences that are ticked, a line each.

    With ``one_instruction_per_line`` several lines become a list, as the models were trained on.
    """
    lines = [_as_list(question) if options.one_instruction_per_line else question]
    if options.name_sources and ASK_SOURCE not in question:
        lines.append(ASK_SOURCE)
    if options.only_from_documents and DONT_MAKE_UP not in question:
        lines.append(DONT_MAKE_UP)
    return "\n".join(lines)


def without_trained_sentences(question: str) -> str:
    """What ``question`` asks about: words to look for are not among the sentences that the models were trained on."""
    return question.replace(DONT_MAKE_UP, " ").replace(ASK_SOURCE, " ")


def _as_list(question: str) -> str:
    """Each line that is not empty as an item; the trained sentences stay lines of their own, behind the list."""
    lines = [line for line in question.splitlines() if line.strip()]
    trained = [line.strip() for line in lines if line.strip() in (ASK_SOURCE, DONT_MAKE_UP)]
    asked = [line for line in lines if line.strip() not in trained]
    if len(asked) < 2:
        return question
    items = [line.rstrip() if _ITEM.match(line) else f"- {line.strip()}" for line in asked]
    return "\n".join([*items, *sorted(trained, key=(ASK_SOURCE, DONT_MAKE_UP).index)])
