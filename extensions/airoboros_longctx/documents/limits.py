"""How much is read at most. What is larger is refused with a sentence, never cut."""

from __future__ import annotations

from dataclasses import dataclass

MOST_FILE_BYTES = 50 << 20
MOST_CHARACTERS = 20_000_000
#: Address space of the process that reads a file; documents of 16 million characters took up to 133 MiB.
CHILD_MEMORY_BYTES = 1 << 30
CHILD_SECONDS = 300.0

MOST_DOWNLOAD_BYTES = 20 << 20
DOWNLOAD_SECONDS = 30.0
MOST_REDIRECTS = 5


@dataclass(frozen=True)
class ReadingLimits:
    file_bytes: int = MOST_FILE_BYTES
    characters: int = MOST_CHARACTERS
    memory_bytes: int = CHILD_MEMORY_BYTES
    seconds: float = CHILD_SECONDS
