"""A program that changes a store without end and is killed at random moments: ``killed_store.py FOLDER KILLS``.

It runs by itself, so that what is forked is small. After each kill the store must say one whole state, the last one
that was acknowledged or the one after it. Prints how many kills left a change half done.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

from extensions.airoboros_longctx.core.documents.chat_session import ChatDocument  # noqa: E402
from extensions.airoboros_longctx.core.documents.place import Shelf  # noqa: E402
from extensions.airoboros_longctx.documents.shelf_folder import folder_of  # noqa: E402
from extensions.airoboros_longctx.documents.store import FileDocumentStore  # noqa: E402

CHAT = Shelf("chat", True, "", "/webui", "Ada", "chat/Ada/1")
_LONGEST_LIFE_SECONDS = 0.03


def documents(number: int) -> list[ChatDocument]:
    """State ``number``: no document to three, all with its number in their text."""
    return [ChatDocument(title, f"{number} " * 3000, id=title) for title in "abc"[: number % 4]]


def change_without_end(folder: Path, number: int, said: int) -> None:
    """Make the states after ``number``, and write the number of each to ``said`` when it is stored."""
    store = FileDocumentStore(folder)
    while True:
        number += 1
        store.change(CHAT, lambda before, number=number: documents(number))
        os.write(said, f"{number}\n".encode())


def kill_one(folder: Path, number: int) -> int:
    """Fork, kill, and return the state that is stored."""
    heard, said = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(heard)
        change_without_end(folder, number, said)
    os.close(said)
    time.sleep(random.uniform(0, _LONGEST_LIFE_SECONDS))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(heard) as lines:
        acknowledged = max([number, *map(int, lines.read().split())])
    store = FileDocumentStore(folder)
    assert store.problems(CHAT) == ()
    found = store.read(CHAT)
    for state in (acknowledged, acknowledged + 1):
        if found == tuple(documents(state)):
            return state
    raise AssertionError(f"state {acknowledged} or the next was expected: {[one.text[:8] for one in found]}")


def leftovers(folder: Path) -> int:
    """Files in the shelf that no whole state has: what a change that was killed leaves behind."""
    names = [path.name for path in (folder / folder_of(CHAT)).glob("*")]
    kept = {"shelf.json", "order.json"} if names else set()
    return len(names) - len(kept & set(names)) - len(FileDocumentStore(folder).read(CHAT))


def main(folder: Path, kills: int) -> None:
    number, half_done = 0, 0
    for _ in range(kills):
        number = kill_one(folder, number)
        half_done += leftovers(folder) > 0
    FileDocumentStore(folder).change(CHAT, lambda before: documents(3))
    assert leftovers(folder) == 0
    print(half_done)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
