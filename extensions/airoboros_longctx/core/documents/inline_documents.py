"""Documents and PLAINFORMAT that an API request asks for inline, in its last message.

``{"role": "user", "content": "…", "documents": [{"text": "…", "metadata": {"url": "…"}}], "plainformat": true}``
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import AiroborosLongctxError
from ..foreign_text import quoted, quoted_value
from ..prompts.closed_context import Document, validate_documents

#: No request needs more blocks than this; the models were trained with 1 to 4.
MOST_DOCUMENTS = 64
MOST_PAIRS = 32


class InlineDocumentsError(AiroborosLongctxError):
    """An inline request that cannot be understood. The text says what was found and what is needed."""


@dataclass(frozen=True)
class InlineRequest:
    documents: tuple[Document, ...]
    plainformat: bool


def inline_request(messages: Sequence[Any], most_characters: int) -> InlineRequest | None:
    """What the last of ``messages`` asks for; None where it carries neither field.

    ``most_characters`` bounds the text and metadata of all documents together.
    """
    last = messages[-1] if messages else None
    if not isinstance(last, Mapping) or not ("documents" in last or "plainformat" in last):
        return None
    plainformat = last.get("plainformat", False)
    if not isinstance(plainformat, bool):
        raise InlineDocumentsError(f"plainformat is {quoted_value(plainformat, 60)}; true or false is needed.")
    documents = _documents(last.get("documents", []), most_characters)
    if documents and plainformat:
        raise InlineDocumentsError(
            "documents and plainformat were sent together; PLAINFORMAT has no meaning in a closed-context question: "
            "send one of them."
        )
    return InlineRequest(documents, plainformat) if documents or plainformat else None


def _documents(found: Any, most_characters: int) -> tuple[Document, ...]:
    if not isinstance(found, list):
        raise InlineDocumentsError(
            f"documents is a {type(found).__name__}; a list of objects with text and metadata is needed."
        )
    if len(found) > MOST_DOCUMENTS:
        raise InlineDocumentsError(f"{len(found)} documents were sent; at most {MOST_DOCUMENTS} are taken.")
    documents = tuple(_document(number, entry) for number, entry in enumerate(found, 1))
    size = sum(len(one.text) + sum(len(key) + len(value) for key, value in one.metadata) for one in documents)
    if size > most_characters:
        raise InlineDocumentsError(
            f"The documents have {size} characters; at most {most_characters} are taken (the setting "
            "api_document_characters)."
        )
    validate_documents(documents)
    return documents


def _document(number: int, entry: Any) -> Document:
    text = entry.get("text") if isinstance(entry, Mapping) else None
    if not isinstance(text, str):
        raise InlineDocumentsError(
            f'Document {number} is {quoted_value(entry, 60)}; an object such as {{"text": "…", "metadata": '
            '{"url": "…"}} is needed.'
        )
    unknown = [key for key in entry if key not in ("text", "metadata")]
    if unknown:
        raise InlineDocumentsError(
            f"Document {number} has the field {quoted(unknown[0], 60)!r}; only text and metadata are known."
        )
    metadata = entry.get("metadata") or {}
    if not isinstance(metadata, Mapping) or len(metadata) > MOST_PAIRS:
        raise InlineDocumentsError(
            f"The metadata of document {number} is {quoted_value(metadata, 60)}; an object with at most {MOST_PAIRS} "
            "names and values is needed."
        )
    plain = (str, int, float)
    for key, value in metadata.items():
        if not isinstance(key, str) or not isinstance(value, plain):
            raise InlineDocumentsError(
                f"The metadata of document {number} has {quoted_value(key, 60)}: {quoted_value(value, 60)}; a text or "
                "a number is needed."
            )
    return Document(text, tuple((key, str(value)) for key, value in metadata.items()))
