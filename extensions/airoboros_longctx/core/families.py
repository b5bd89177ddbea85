"""The registry of context families and prompt generations: ``families.yaml``, matched by model name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any

from .model_facts import ScalingStatement
from .reading.model_name import comparable
from .shipped_yaml import read_shipped_yaml

REGISTRY = Path(__file__).with_name("families.yaml")
_REGISTRY_SOURCE = "the table of model families"


@dataclass(frozen=True)
class Family:
    """One row: models whose name matches ``patterns`` (shell wildcards) and none of ``exceptions``.

    ``original_max_position_embeddings`` × ``factor`` is the window; all lengths in tokens.
    """

    name: str
    patterns: tuple[str, ...]
    exceptions: tuple[str, ...]
    original_max_position_embeddings: int
    factor: float
    rope_type: str
    trained_tokens: int | None
    source: str
    note: str

    @property
    def max_position_embeddings(self) -> int:
        return round(self.original_max_position_embeddings * self.factor)

    def matches(self, model_name: str) -> bool:
        name = comparable(model_name)
        return _any_matches(self.patterns, name) and not _any_matches(self.exceptions, name)

    def statement(self) -> ScalingStatement:
        return ScalingStatement(
            source=f"{_REGISTRY_SOURCE} ({self.source})",
            quote=f"{self.name}. {self.note}",
            rope_type=self.rope_type,
            factor=self.factor,
            original_max_position_embeddings=self.original_max_position_embeddings,
            max_position_embeddings=self.max_position_embeddings,
            trained_tokens=self.trained_tokens,
        )


@dataclass(frozen=True)
class Generation:
    """How the prompts of one generation are written; ``patterns`` are regular expressions."""

    name: str
    patterns: tuple[str, ...]
    template: str | None
    plainformat_separator: str | None
    stop: tuple[str, ...]
    preamble_from_card: bool
    source: str
    function_calling: bool


@lru_cache(maxsize=1)
def _registry() -> dict[str, list[dict[str, Any]]]:
    data: dict[str, list[dict[str, Any]]] = read_shipped_yaml(REGISTRY)
    return data


@lru_cache(maxsize=1)
def families() -> tuple[Family, ...]:
    return tuple(
        Family(
            name=row["name"],
            patterns=tuple(row["patterns"]),
            exceptions=tuple(row.get("except", ())),
            original_max_position_embeddings=row["base"],
            factor=float(row["factor"]),
            rope_type=row["rope_type"],
            trained_tokens=row.get("trained"),
            source=row["source"],
            note=row["note"],
        )
        for row in _registry()["families"]
    )


@lru_cache(maxsize=1)
def generations() -> tuple[Generation, ...]:
    return tuple(
        Generation(
            name=row["name"],
            patterns=tuple(row["patterns"]),
            template=row["template"],
            plainformat_separator=row["plainformat_separator"],
            stop=tuple(row["stop"]),
            preamble_from_card=row.get("preamble_from_card", False),
            source=row["source"],
            function_calling=row.get("function_calling", False),
        )
        for row in _registry()["generations"]
    )


def find_family(*model_names: str) -> Family | None:
    """The first row that matches one of the spellings of a model's name; None outside the registry."""
    return next((row for row in families() for name in model_names if row.matches(name)), None)


def find_generation(*model_names: str) -> Generation | None:
    """The prompt generation of an airoboros model; None for every other model."""
    names = [comparable(name) for name in model_names]
    return next((row for row in generations() for name in names if _searches(row.patterns, name)), None)


def _any_matches(patterns: Iterable[str], name: str) -> bool:
    return any(fnmatchcase(name, comparable(pattern)) for pattern in patterns)


def _searches(patterns: Iterable[str], name: str) -> bool:
    return any(re.search(pattern, name) for pattern in patterns)
