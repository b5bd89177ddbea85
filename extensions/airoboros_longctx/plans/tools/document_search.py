"""``DocumentSearch``: the passages of this chat's documents that matter for a question."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ...core.documents.chat_session import ChatDocument
from ...core.foreign_text import quoted
from ...core.packing.best_passages import Passage, rank
from ...core.prompts.closed_context import normalise_document
from ..runnable_tool import RunnableTool, ToolError, plain_tool

#: So much of the documents is found at once: half of what is kept of a step's result by default, or a few passages.
_MOST_CHARACTERS = 3_000


def document_search(
    documents: Callable[[], Sequence[ChatDocument]], most_characters: int = _MOST_CHARACTERS
) -> RunnableTool:
    """``documents`` gives those that are on now, in order; it is asked at each search.

    The best passages come in the order of the documents, each document's behind its name.
    """
    return plain_tool(
        "DocumentSearch",
        "Searches the user's own documents and produces the passages that contain the words of the input, with the "
        "title of each document. The input must be a short search string with the words to look for.",
        lambda text: _search(documents(), text, most_characters),
    )


def _search(documents: Sequence[ChatDocument], question: str, most_characters: int) -> str:
    if not documents:
        raise ToolError("There are no documents to search; add some, or switch them on.")
    texts = [normalise_document(one.block()).text for one in documents]
    chosen = _chosen(rank(texts, question).best, most_characters)
    if not chosen:
        raise ToolError(f"No document has a word of {quoted(question, 80)!r}; other words are needed.")
    found = []
    for number, document in enumerate(documents):
        passages = [one for one in chosen if one.document == number]
        if passages:
            found.append(f"From {document.name}:")
            found += [texts[number][one.begin : one.end].strip() for one in passages]
    return "\n\n".join(found)


def _chosen(best: Iterable[Passage], most_characters: int) -> list[Passage]:
    """The best passages that fit together, at least the very best, in the order of the documents."""
    chosen: list[Passage] = []
    left = most_characters
    for passage in best:
        length = passage.end - passage.begin
        if length <= left or not chosen:
            chosen.append(passage)
            left -= length
        if left <= 0:
            break
    return sorted(chosen, key=lambda passage: passage.number)
