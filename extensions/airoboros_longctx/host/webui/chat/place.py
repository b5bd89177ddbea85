"""Where a page of the webui is: which chat, with which character, whose."""

from __future__ import annotations

from typing import Any

from ....core.documents.chat_session import ChatSession
from ....core.documents.place import Place

_INCOGNITO = "incognito-"
_INSTRUCT = "instruct"
_NO_CHARACTER = (None, "", "None")


def place_of(state: dict[str, Any], session: ChatSession, arguments: Any, installation: str) -> Place:
    """Where ``state`` belongs. ``arguments`` are the webui's own; ``installation`` names its folder.

    A webui with logins says who opened the page; without them there is one person, or with --multi-user people whom
    nobody can tell apart.
    """
    unnamed = None if has_several_people(arguments) else ""
    person = (session.person or None) if _asks_who(arguments) else unnamed
    mode, chat = state.get("mode"), str(state.get("unique_id") or "")
    character = _character(state.get("character_menu"), mode)
    if not chat:
        return Place(person, installation, character)
    return Place(person, installation, character, name_of_chat(chat, character, mode), chat.startswith(_INCOGNITO))


def has_several_people(arguments: Any) -> bool:
    """True where the webui was told that people share it."""
    return bool(getattr(arguments, "multi_user", False))


def has_one_person(arguments: Any) -> bool:
    """True where everybody with a page is the same person, as far as the webui was told."""
    return not has_several_people(arguments) and not _asks_who(arguments)


def _asks_who(arguments: Any) -> bool:
    return bool(getattr(arguments, "gradio_auth", None) or getattr(arguments, "gradio_auth_path", None))


def name_of_chat(unique_id: object, character: object, mode: object) -> str:
    """A chat's name among all of a webui's: its ids are times, and the same in different modes."""
    return f"instruct/{unique_id}" if mode == _INSTRUCT else f"chat/{_character(character, mode)}/{unique_id}"


def _character(name: object, mode: object) -> str:
    return "" if mode == _INSTRUCT or name in _NO_CHARACTER else str(name)
