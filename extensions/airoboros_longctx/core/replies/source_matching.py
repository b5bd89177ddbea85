"""Which of the documents that were sent a stated source names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ..prompts.closed_context import Document
from .stated_sources import StatedGroup, normalised

#: A shorter value says too little to be looked for among other words.
_TELLING_CHARACTERS = 5


@dataclass(frozen=True)
class GroupMatch:
    """The numbers of the documents that a group names, and the pairs of it that these do not have."""

    group: StatedGroup
    documents: tuple[int, ...] = ()
    wrong: tuple[str, ...] = ()


def match_groups(groups: Sequence[StatedGroup], blocks: Sequence[Document]) -> tuple[GroupMatch, ...]:
    """Which of the sent ``blocks`` each stated group names.

    A group names the documents that have all its pairs; else those that have most of them, and the others are wrong.
    Groups of which the line between was lost are told apart where a pair belongs to no document of the ones before it.
    """
    known = _KnownPairs(blocks)
    return tuple(_match(part, known) for group in groups for part in _parts(group, known))


class _KnownPairs:
    """The metadata of the sent blocks: which blocks, by number, have a pair."""

    def __init__(self, blocks: Sequence[Document]) -> None:
        self.names = [{normalised(name) for name, _ in block.metadata} for block in blocks]
        self._all_names = set().union(*self.names)
        self._by_pair: dict[tuple[str, str], set[int]] = {}
        self._by_value: dict[str, set[int]] = {}
        for number, block in enumerate(blocks):
            for name, value in block.metadata:
                self._by_pair.setdefault((normalised(name), normalised(value)), set()).add(number)
                self._by_value.setdefault(normalised(value), set()).add(number)

    def blocks_with(self, name: str, value: str) -> set[int]:
        """A value without a name, or with one that no block has, may be of any name, and may say it among words."""
        value = normalised(value)
        if name in self._all_names:
            return self._by_pair.get((name, value), set())
        if value in self._by_value:
            return self._by_value[value]
        within = (numbers for known, numbers in self._by_value.items() if _stands_in(known, value))
        return set().union(*within)


def _stands_in(known: str, value: str) -> bool:
    """A telling value, not a mere number or date, stands in the words of ``value``."""
    if len(known) < _TELLING_CHARACTERS or not any(map(str.isalpha, known)) or known not in value:
        return False
    before, _, after = value.partition(known)
    return not before[-1:].isalnum() and not after[:1].isalnum()


def _parts(group: StatedGroup, known: _KnownPairs) -> list[StatedGroup]:
    parts: list[list[tuple[str, str]]] = [[]]
    able: set[int] = set()
    for name, value in group.pairs:
        here = known.blocks_with(name, value)
        if able and here and not able & here and (not name or all(name not in known.names[one] for one in able)):
            parts.append([])
            able = set()
        parts[-1].append((name, value))
        able = (able & here) or able or here
    return [StatedGroup(tuple(part)) for part in parts]


def _match(group: StatedGroup, known: _KnownPairs) -> GroupMatch:
    found = [known.blocks_with(name, value) for name, value in group.pairs]
    count = Counter(number for numbers in found for number in numbers)
    most = max(count.values(), default=0)
    best = {number for number, hits in count.items() if hits == most}
    wrong = [StatedGroup((pair,)).text for pair, numbers in zip(group.pairs, found, strict=True) if not numbers & best]
    return GroupMatch(group, tuple(sorted(best)), tuple(wrong) if best else ())
