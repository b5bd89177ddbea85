"""Text to measure with: English in the words of this repository's own pages, as long as it is asked for."""

from __future__ import annotations

import itertools
import random
import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
_PAGES = ("README.md", "docs/decisions.md", "docs/hosts.md", "demo/README.md", "CHANGELOG.md")


def english(characters: int, seed: int = 1) -> str:
    """About ``characters`` characters in paragraphs of a few sentences; each word follows one that it follows there."""
    words = re.findall(r"\S+", "\n".join((ROOT / page).read_text(encoding="utf-8") for page in _PAGES))
    follows = defaultdict(list)
    for word, after in itertools.pairwise(words):
        follows[word].append(after)
    source, word = random.Random(seed), words[0]
    paragraphs: list[str] = []
    length = 0
    while length < characters:
        found: list[str] = []
        size, wanted = 0, source.randint(200, 1200)
        while size < wanted or not word.endswith("."):
            word = source.choice(follows.get(word) or words)
            found.append(word)
            size += len(word) + 1
            if size > 3 * wanted:
                break
        paragraphs.append(" ".join(found))
        length += size + 1
    return "\n\n".join(paragraphs)[:characters]
