"""A text brought in and ready for its first question, against superboogav2's way."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from extensions.airoboros_longctx.core.documents.chat_session import ChatDocument
from extensions.airoboros_longctx.core.packing.best_passages import rank

from .corpus import english
from .measuring import PAIRS, Row, compared
from .packing import QUESTION

#: One pair takes minutes from this size on.
_LONG = 500_000


def bringing_in_rows(size: int) -> Iterator[Row]:
    """Read from a file, put on the page, cut into passages and these ranked for a question; theirs has no question."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    from .superbooga_way import SuperboogaWay

    superbooga = SuperboogaWay()
    superbooga.bring_in("Nothing is loaded for the first time while it is measured.")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "text.txt"
        file.write_text(english(size), encoding="utf-8")

        def ours() -> None:
            document = ChatDocument("text.txt", file.read_text(encoding="utf-8"))
            rank([document.block().text], QUESTION)

        def theirs() -> None:
            superbooga.bring_in(file.read_text(encoding="utf-8"))

        ours()
        yield compared(
            f"{size:,} characters brought in",
            ours,
            "superboogav2's chunks, MiniLM, chromadb",
            theirs,
            at_least=50,
            pairs=PAIRS if size < _LONG else 1,
            clock=time.perf_counter,  # the embedding runs in many threads
        )
