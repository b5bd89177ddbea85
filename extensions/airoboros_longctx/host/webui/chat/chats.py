"""A chat that the webui renames, deletes or branches takes its documents along."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ....core.documents.shelves import DocumentShelves
from .place import name_of_chat


class WebuiChats:
    """The wrappers around the webui's functions. ``installation`` names the webui, as in a ``Place``."""

    def __init__(self, shelves: DocumentShelves, installation: Callable[[], str]) -> None:
        self._shelves = shelves
        self._installation = installation

    def rename_history(self, original: Callable[..., Any], old_id: Any, new_id: Any, character: Any, mode: Any) -> Any:
        before, after = _is_there(old_id, character, mode), _is_there(new_id, character, mode)
        output = original(old_id, new_id, character, mode)
        renamed = before and not after and _is_there(new_id, character, mode)
        if renamed and not _is_there(old_id, character, mode):
            names = (name_of_chat(unique_id, character, mode) for unique_id in (old_id, new_id))
            self._shelves.move_chat(self._installation(), *names)
        return output

    def delete_history(self, original: Callable[..., Any], unique_id: Any, character: Any, mode: Any) -> Any:
        output = original(unique_id, character, mode)
        if not _is_there(unique_id, character, mode):
            self._shelves.forget_chat(self._installation(), name_of_chat(unique_id, character, mode))
        return output

    def handle_branch_chat_click(self, original: Callable[..., Any], state: dict[str, Any]) -> Any:
        output = original(state)
        update = output[2]
        branch = update.get("value") if isinstance(update, dict) else update
        if isinstance(branch, str) and branch != state["unique_id"]:
            character, mode = state["character_menu"], state["mode"]
            names = (name_of_chat(unique_id, character, mode) for unique_id in (state["unique_id"], branch))
            self._shelves.copy_chat(self._installation(), *names)
        return output


def _is_there(unique_id: Any, character: Any, mode: Any) -> bool:
    from modules import chat

    return bool(chat.get_history_file_path(unique_id, character, mode).exists())
