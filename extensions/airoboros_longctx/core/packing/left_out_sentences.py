"""What was left out of a prompt to fit the window, in sentences: the page and the command line say the same."""

from __future__ import annotations

from collections.abc import Sequence

from ..foreign_text import quoted
from ..prompts.document_options import PASSAGES, SHORTEN, WHOLE
from .packed_prompt import BuiltPrompt, LeftOut

#: So many documents are named; of the others it is said how many they are.
_MOST_NAMED = 3
_TITLE_CHARACTERS = 60
_WHY_LEFT_OUT = {
    WHOLE: "as it does not fit whole",
    PASSAGES: "as none of its passages is among the best for the question",
}


def left_out_sentences(built: BuiltPrompt, titles: Sequence[str] = ()) -> list[str]:
    """What ``built`` left out to fit. ``titles`` of the documents that were given, in order; else their numbers."""
    sentences: list[str] = []
    if built.dropped_turns == 1:
        sentences.append("The oldest turn of the chat is left out.")
    elif built.dropped_turns:
        sentences.append(f"The {built.dropped_turns} oldest turns of the chat are left out.")
    if built.no_word_found:
        sentences.append(
            "No word of the question was found in the documents, so no passages could be chosen: they are shortened "
            "instead."
        )
    whole = [one for one in built.left_out if one.whole]
    cut = [one for one in built.left_out if not one.whole]
    sentences += [_left_out(one, built.how, titles) for one in whole[:_MOST_NAMED]]
    sentences += _more(len(whole), "left out")
    sentences += [_cut(one, built.how, titles) for one in cut[:_MOST_NAMED]]
    sentences += _more(len(cut), "shortened" if built.how == SHORTEN else "kept in part")
    return sentences


def _left_out(one: LeftOut, how: str, titles: Sequence[str]) -> str:
    return f"{_name(one.document, titles)} is left out, {_WHY_LEFT_OUT[how]}."


def _cut(one: LeftOut, how: str, titles: Sequence[str]) -> str:
    kept = f"{one.kept_characters} of {one.of_characters} characters"
    if how == SHORTEN:
        return f"{_name(one.document, titles)} keeps its first {kept}."
    return f"{_name(one.document, titles)} keeps {kept}: the passages that matter for the question."


def _name(document: int, titles: Sequence[str]) -> str:
    title = quoted(titles[document], _TITLE_CHARACTERS) if document < len(titles) else ""
    return f"“{title}”" if title else f"Document {document + 1} of those that are on"


def _more(count: int, what: str) -> list[str]:
    more = count - _MOST_NAMED
    return [f"{more} more {'is' if more == 1 else 'are'} {what}."] if more > 0 else []
