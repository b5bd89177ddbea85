"""Files that the webui attaches to messages (v3.4 on), as documents: they become blocks, or stay the webui's text."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ....core.documents.chat_session import ChatDocument

_KEY = "attachments"
_IMAGE = "image"
#: The types that the webui attaches as images.
_IMAGES = frozenset((".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif"))


def attached_documents(history: Any, rows: int, past: bool = True) -> tuple[ChatDocument, ...]:
    """The text that is attached to the user's messages in the first ``rows`` rows, in order, each once.

    ``past`` False: to the last of these rows alone. An image is none of it, nor is a file without text.
    """
    metadata = history.get("metadata") if isinstance(history, Mapping) else None
    found: dict[str, ChatDocument] = {}
    for row in range(0 if past else max(0, rows - 1), rows):
        for attachment in _attachments(metadata, f"user_{row}"):
            name, text = str(attachment.get("name") or ""), attachment.get("content")
            if _is_image(attachment) or not isinstance(text, str) or not text.strip():
                continue
            url = attachment.get("url")
            pairs = (("url", url),) if isinstance(url, str) and url.strip() else ()
            same = hashlib.sha256(f"{len(name)} {name}{text}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
            found.setdefault(same, ChatDocument(name, text, pairs, id=same))
    return tuple(found.values())


def attaches_text(typed: Any) -> bool:
    """True for a message that is sent with files of which one at least is no image."""
    files = typed.get("files") if isinstance(typed, Mapping) else None
    return any(Path(str(file)).suffix.lower() not in _IMAGES for file in files or ())


def without_attached_text(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a history's metadata in which only images are attached."""
    copy = dict(metadata)
    for key in metadata:
        attachments = _attachments(metadata, key)
        if attachments:
            copy[key] = {**metadata[key], _KEY: [one for one in attachments if _is_image(one)]}
    return copy


def _is_image(attachment: Mapping[str, Any]) -> bool:
    return attachment.get("type") == _IMAGE


def _attachments(metadata: Any, key: str) -> list[Mapping[str, Any]]:
    entry = metadata.get(key) if isinstance(metadata, Mapping) else None
    attachments = entry.get(_KEY) if isinstance(entry, Mapping) and key.startswith("user_") else None
    return [one for one in attachments if isinstance(one, Mapping)] if isinstance(attachments, list) else []
