"""Counts of tokens that are remembered, so that what did not change is not counted again."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable

from ..prompts.closed_context import Document, block_of

TokenCounter = Callable[[str], int]

#: Entries are a few bytes each: documents, histories and preambles of many pages.
_MOST_REMEMBERED = 1 << 14
#: A long text is counted by pieces of about this many characters, split at a line's end. Llama's newline is a token
#: of its own, so pieces add up; a tokenizer without pre-tokenisation is also faster on short texts.
_PIECE_CHARACTERS = 1 << 13


class TokenCounts:
    """Counts by text and tokenizer, the oldest forgotten first. Texts are known by a digest, not kept.

    A ``counter_id`` names the tokenizer; with "" nothing is remembered.
    """

    def __init__(self, most: int = _MOST_REMEMBERED) -> None:
        self._most = most
        self._counts: OrderedDict[tuple[str, bytes], tuple[int, int]] = OrderedDict()
        self._lock = threading.Lock()
        self._being_counted: dict[tuple[str, bytes], threading.Lock] = {}

    def count(self, text: str, token_counter: TokenCounter, counter_id: str) -> int:
        """What ``token_counter`` says of ``text``."""
        return self._remembered(_digest(text), counter_id, lambda: (token_counter(text), 0))[0]

    def block(self, document: Document, token_counter: TokenCounter, counter_id: str) -> tuple[int, int]:
        """The tokens of the whole block of ``document`` with the line end behind it, and how much in it was defused.

        The block is counted as it stands behind a line end. With Llama's tokenizer such counts add up exactly.
        """

        def counted() -> tuple[int, int]:
            block = block_of(document)
            return tokens_of_lines(f"{block.text}\n", token_counter), block.defused

        return self._remembered(_digest_of(document), counter_id, counted)

    def known_block(self, document: Document, counter_id: str) -> int | None:
        """The tokens of the block where they are remembered, else None."""
        with self._lock:
            found = self._counts.get((counter_id, _digest_of(document)))
        return found[0] if found is not None else None

    def _remembered(self, digest: bytes, counter_id: str, counted: Callable[[], tuple[int, int]]) -> tuple[int, int]:
        if not counter_id:
            return counted()
        key = (counter_id, digest)
        with self._lock:
            turn = self._being_counted.setdefault(key, threading.Lock())
        try:
            with turn:  # a page that opens asks several times at once: who comes second waits for the first one's count
                found = self._known(key)
                if found is None:
                    found = counted()
                    self._keep(key, found)
                return found
        finally:
            with self._lock:
                self._being_counted.pop(key, None)

    def _known(self, key: tuple[str, bytes]) -> tuple[int, int] | None:
        with self._lock:
            if key in self._counts:
                self._counts.move_to_end(key)
            return self._counts.get(key)

    def _keep(self, key: tuple[str, bytes], found: tuple[int, int]) -> None:
        with self._lock:
            self._counts[key] = found
            while len(self._counts) > self._most:
                self._counts.popitem(last=False)


def tokens_of_lines(text: str, token_counter: TokenCounter) -> int:
    """The tokens of ``text`` behind a line end, without what the tokenizer puts at the start of every text."""
    start = token_counter("\n")
    return sum(token_counter(f"\n{piece}") - start for piece in _pieces(text))


def _pieces(text: str) -> list[str]:
    """``text`` in pieces that end with a line, or where a line is very long before a blank."""
    pieces, begin = [], 0
    while len(text) - begin > 2 * _PIECE_CHARACTERS:
        most = begin + 2 * _PIECE_CHARACTERS
        end = text.rfind("\n", begin + _PIECE_CHARACTERS, most) + 1
        if not end:
            break
        pieces.append(text[begin:end])
        begin = end
    return [*pieces, text[begin:]]


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _digest_of(document: Document) -> bytes:
    digest = hashlib.blake2b(digest_size=16, person=b"block")
    for part in (document.text, *(word for pair in document.metadata for word in pair)):
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "little"))
        digest.update(encoded)
    return digest.digest()
