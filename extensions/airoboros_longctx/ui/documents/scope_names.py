"""The scopes of documents in words for people."""

from __future__ import annotations

from ...core.documents.place import CHARACTER, CHAT, EVERYWHERE, Place
from ...core.documents.shelves import DocumentShelves

NAMES = {CHAT: "This chat", CHARACTER: "This character", EVERYWHERE: "Everywhere"}
_KEPT = {
    CHAT: "Used in this chat alone",
    CHARACTER: "Used in every chat with this character",
    EVERYWHERE: "Used in every chat",
}


def names_of(place: Place) -> list[str]:
    """What a person can choose in ``place``, the nearest scope first."""
    return [NAMES[scope] for scope in reversed(place.scopes)]


def scope_named(name: object, place: Place) -> str:
    """The scope of ``place`` that has this name; this chat where there is none."""
    return next((scope for scope in place.scopes if NAMES[scope] == name), CHAT)


def kept_sentence(shelves: DocumentShelves, place: Place, scope: str) -> str:
    """Where documents of ``scope`` are used, and how long they are kept."""
    if scope == CHAT and not place.chat:
        return "Used in whatever chat this page shows, and kept while it is open."
    if shelves.keeps(place.shelf(scope)):
        return f"{_KEPT[scope]}, and kept on this computer until you remove them."
    why = " (an incognito chat is never stored)" if scope == CHAT and place.incognito else ""
    return f"{_KEPT[scope]}, and kept while this page is open{why}."
