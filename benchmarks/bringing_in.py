"""A text brought in and ready for its first question, against superboogav2's way (chunks, MiniLM, chromadb)."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from extensions.airoboros_longctx.core.documents.chat_session import ChatDocument
from extensions.airoboros_longctx.core.packing.best_passages import rank

from .corpus import english
from .document_turn import QUESTION
from .measuring import compared
from .rows import Options, Row

NAME = "bringing-in"


def rows(options: Options) -> Iterator[Row]:
    """Read from a file, put on the page, cut into passages and these ranked for a question; theirs has no question."""
    from .superbooga_way import SuperboogaWay

    characters = 2_000 if options.quick else 50_000
    superbooga = SuperboogaWay()
    superbooga.bring_in("Nothing is loaded for the first time while it is measured.")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "text.txt"
        file.write_text(english(characters), encoding="utf-8")

        def ours() -> None:
            document = ChatDocument("text.txt", file.read_text(encoding="utf-8"))
            rank([document.block().text], QUESTION)

        def theirs() -> None:
            superbooga.bring_in(file.read_text(encoding="utf-8"))

        ours()
        yield compared(
            f"{characters:,} characters brought in",
            ours,
            "superboogav2's chunks, MiniLM, chromadb",
            theirs,
            at_least=50,
            pairs=options.pairs(),
            clock=time.perf_counter,  # the embedding may run in threads of its own
        )
