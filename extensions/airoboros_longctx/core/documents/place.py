"""Whose documents a page shows: where it is, and the shelves that it can reach from there."""

from __future__ import annotations

from dataclasses import dataclass

#: A document is there for one chat, for every chat with one character, or for every chat.
CHAT, CHARACTER, EVERYWHERE = "chat", "character", "everywhere"
#: In the order in which documents come in a prompt: what changes least comes first.
SCOPES = (EVERYWHERE, CHARACTER, CHAT)


@dataclass(frozen=True)
class Shelf:
    """A list of documents of one scope. One that is not ``stored`` lives in its page alone."""

    scope: str
    stored: bool
    person: str = ""
    installation: str = ""
    character: str = ""
    chat: str = ""


@dataclass(frozen=True)
class Place:
    """Where a page is, as far as its host says.

    ``person``: "" is the only one there is, None one that the host cannot name: nothing is stored then. ``character``
    and ``chat`` are "" where there is none or the host does not say. ``installation`` tells hosts apart whose chats
    may have the same names. An ``incognito`` chat is never stored.
    """

    person: str | None = ""
    installation: str = ""
    character: str = ""
    chat: str = ""
    incognito: bool = False

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes that a document can have here, in the order of ``SCOPES``."""
        if self.person is None:
            return (CHAT,)
        return SCOPES if self.character else (EVERYWHERE, CHAT)

    def shelf(self, scope: str) -> Shelf:
        """The shelf for ``scope``, one of ``scopes``; ValueError for another one."""
        if scope not in self.scopes:
            raise ValueError(f"a document here is for {' or '.join(self.scopes)}, not for {scope!r}")
        person = self.person or ""
        if scope == EVERYWHERE:
            return Shelf(scope, True, person)
        if scope == CHARACTER:
            return Shelf(scope, True, person, self.installation, self.character)
        if not self.chat:
            return Shelf(scope, False)  # whatever chat the page shows
        stored = self.person is not None and not self.incognito
        return Shelf(scope, stored, person, self.installation, self.character, self.chat)
