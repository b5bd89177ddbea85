"""Where a page of the webui is: which chat, with which character, whose."""

from __future__ import annotations

from typing import Any

from ..core.chat_session import ChatSession
from ..core.document_place import Place

_INCOGNITO = "incognito-"
_NO_CHARACTER = ("", "None")


def place_of(state: dict[str, Any], session: ChatSession, arguments: Any, installation: str) -> Place:
    """Where ``state`` belongs. ``arguments`` are the webui's own; ``installation`` names its folder.

    A webui with logins says who opened the page; without them there is one person, or with --multi-user people whom
    nobody can tell apart.
    """
    if getattr(arguments, "gradio_auth", None) or getattr(arguments, "gradio_auth_path", None):
        person = session.person or None
    else:
        person = None if getattr(arguments, "multi_user", False) else ""
    chat = str(state.get("unique_id") or "")
    instruct = state.get("mode") == "instruct"
    character = "" if instruct else str(state.get("character_menu") or "")
    character = "" if character in _NO_CHARACTER else character
    if not chat:
        return Place(person, installation, character)
    name = f"instruct/{chat}" if instruct else f"chat/{character}/{chat}"
    return Place(person, installation, character, name, chat.startswith(_INCOGNITO))
