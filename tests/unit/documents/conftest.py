"""A store in a folder of its own, and a few shelves."""

from __future__ import annotations

from pathlib import Path

import pytest

from extensions.airoboros_longctx.core.documents.place import Shelf
from extensions.airoboros_longctx.documents.store import FileDocumentStore

EVERYWHERE = Shelf("everywhere", True)
CHAT = Shelf("chat", True, "", "/webui", "Ada", "chat/Ada/20231105")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where ``store`` keeps its documents."""
    return tmp_path / "home" / "documents"


@pytest.fixture
def store(folder: Path) -> FileDocumentStore:
    return FileDocumentStore(folder)
