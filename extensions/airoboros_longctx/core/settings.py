"""The extension's settings: defaults, ranges and meanings are data (``settings.yaml``), checked here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .foreign_text import quoted, quoted_value
from .prompts.document_options import PASSAGES, DocumentOptions
from .shipped_yaml import read_shipped_yaml
from .user_rules import parse_rules

if TYPE_CHECKING:
    from .user_rules import UserRule

SETTINGS_FILE = Path(__file__).parent.parent / "settings.yaml"


@dataclass(frozen=True)
class Settings:
    """``context_tokens`` 0 is the whole window. ``model_rules`` go before everything a model says about itself."""

    apply_scaling: bool = True
    context_tokens: int = 0
    model_rules: tuple[UserRule, ...] = ()
    status_refresh_seconds: float = 4.0
    write_templates: bool = True
    prefix_cache: bool = True
    prefix_cache_memory: float = 0.5
    documents_only: bool = True
    documents_name_sources: bool = False
    documents_without_history: bool = True
    documents_sampling: bool = True
    documents_temperature: float = 0.5
    documents_when_too_long: str = PASSAGES
    documents_one_instruction_per_line: bool = False
    documents_attachments: bool = True
    documents_from_web: bool = False
    plans_from_web: bool = False
    plan_step_seconds: float = 120.0
    api_document_characters: int = 1_000_000
    api_tools: bool = False
    store_documents: bool = True
    documents_folder: str = ""

    @property
    def document_options(self) -> DocumentOptions:
        """How the ticks of the Documents panel stand when a page is opened."""
        return DocumentOptions(
            only_from_documents=self.documents_only,
            name_sources=self.documents_name_sources,
            without_history=self.documents_without_history,
            own_sampling=self.documents_sampling,
            temperature=float(self.documents_temperature),
            one_instruction_per_line=self.documents_one_instruction_per_line,
            when_too_long=self.documents_when_too_long,
            attachments=self.documents_attachments,
        )


@dataclass(frozen=True)
class SettingDescription:
    """One row of settings.yaml. ``smallest`` and ``largest`` bound a number, ``choices`` are all that a choice can be;
    ``meaning`` is a sentence for people.
    """

    name: str
    kind: str
    default: Any
    smallest: float | None
    largest: float | None
    choices: tuple[str, ...]
    meaning: str


@lru_cache(maxsize=1)
def describe_settings() -> tuple[SettingDescription, ...]:
    rows = read_shipped_yaml(SETTINGS_FILE)["settings"]
    return tuple(
        SettingDescription(
            name,
            row["kind"],
            row["default"],
            row.get("smallest"),
            row.get("largest"),
            tuple(row.get("choices", ())),
            row["meaning"],
        )
        for name, row in rows.items()
    )


def load_settings(overrides: Mapping[str, Any]) -> tuple[Settings, tuple[str, ...]]:
    """The defaults with ``overrides`` over them, and a sentence for every override that cannot be used."""
    described = {setting.name: setting for setting in describe_settings()}
    problems = [
        f"The setting {quoted(key, 60)!r} is unknown; the settings are {', '.join(described)}."
        for key in overrides
        if key not in described
    ]
    values: dict[str, Any] = {}
    for name, setting in described.items():
        value, found = _checked(setting, overrides.get(name, setting.default))
        values[name] = value
        problems += found
    return Settings(**values), tuple(problems)


def _checked(setting: SettingDescription, value: Any) -> tuple[Any, tuple[str, ...]]:
    if setting.kind == "rules":
        return parse_rules(value, setting.name)
    if _fits(setting, value):
        return (int(value) if setting.kind == "whole number" else value), ()
    words = {"switch": "true or false", "text": "a text in quotation marks", "choice": " or ".join(setting.choices)}
    wanted = words.get(setting.kind, f"a {setting.kind}")
    if setting.smallest is not None and setting.largest is not None:
        wanted += f" from {setting.smallest} to {setting.largest}"
    default = json.dumps(setting.default)
    return setting.default, (
        f"The setting {setting.name} is {quoted_value(value, 60)}; {wanted} is needed, so {default} is used.",
    )


def _fits(setting: SettingDescription, value: Any) -> bool:
    if setting.kind == "switch":
        return isinstance(value, bool)
    if setting.kind == "choice":
        return isinstance(value, str) and value in setting.choices
    if setting.kind == "text":
        return isinstance(value, str)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    in_range = (setting.smallest or 0) <= value <= (float("inf") if setting.largest is None else setting.largest)
    return in_range and (setting.kind == "number" or float(value).is_integer())
