"""The user's own rules for models, from the settings and from a small YAML file that accepted suggestions go to."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from .errors import SettingsError
from .foreign_text import UnreadableFileError, quoted, quoted_value, read_bytes
from .limits import LARGEST_COUNT, LARGEST_FACTOR

if TYPE_CHECKING:
    from .rope_scaling import RopeScaling

_FILE_BYTES = 256 << 10
_MOST_RULES = 1000
_KEYS = ("pattern", "rope_type", "factor", "original_max_position_embeddings")
_SHAPE = "a rule has a pattern, a factor, and if need be a rope_type and original_max_position_embeddings"


@dataclass(frozen=True)
class UserRule:
    """The user's own word on models whose name matches ``pattern`` (shell wildcards, any case): it wins."""

    pattern: str
    rope_type: str = "linear"
    factor: float = 1.0
    original_max_position_embeddings: int | None = None


def parse_rules(value: object, source: str) -> tuple[tuple[UserRule, ...], tuple[str, ...]]:
    """Rules from a list of mappings; every item that is none is left out, with a sentence."""
    if value is None:
        return (), ()
    if not isinstance(value, list):
        return (), (f"{source}: a list of rules was expected, {quoted_value(value, 60)} was found; no rule is used.",)
    rules, problems = [], []
    for number, item in enumerate(value[:_MOST_RULES], 1):
        try:
            rules.append(_rule(item))
        except SettingsError as error:
            problems.append(f"{source}, rule {number}: {error} It is not used.")
    if len(value) > _MOST_RULES:
        problems.append(f"{source}: only the first {_MOST_RULES} rules are used.")
    return tuple(rules), tuple(problems)


def rule_from(scaling: RopeScaling, model: str) -> UserRule:
    """The rule that a user makes of a suggested ``scaling`` for ``model`` by accepting it."""
    return UserRule(model, scaling.rope_type, scaling.factor, scaling.original_max_position_embeddings)


def _rule(item: object) -> UserRule:
    if not isinstance(item, Mapping):
        raise SettingsError(f"{quoted_value(item, 60)} was found; {_SHAPE}.")
    unknown = [key for key in item if key not in _KEYS]
    if unknown:
        raise SettingsError(f"the key {quoted_value(unknown[0], 60)} is unknown; {_SHAPE}.")
    pattern, rope_type, factor = item.get("pattern"), item.get("rope_type", "linear"), item.get("factor")
    original = item.get("original_max_position_embeddings")
    if not isinstance(pattern, str) or not pattern.strip():
        raise SettingsError(f"the pattern is {quoted_value(pattern, 60)}; a model name with shell wildcards is needed.")
    if not isinstance(rope_type, str):
        raise SettingsError(f"the rope_type is {quoted_value(rope_type, 60)}; a name such as linear is needed.")
    stretch = _number(factor, LARGEST_FACTOR)
    if stretch is None:
        found = quoted_value(factor, 60)
        raise SettingsError(f"the factor is {found}; a number from 1 to {LARGEST_FACTOR:g} is needed.")
    base = _number(original, LARGEST_COUNT)
    if original is not None and (base is None or not base.is_integer()):
        raise SettingsError(f"original_max_position_embeddings is {quoted_value(original, 60)}; tokens are needed.")
    return UserRule(pattern, rope_type.lower(), stretch, None if base is None else int(base))


def _number(value: object, largest: float) -> float | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 1 <= value <= largest:
        return float(value)
    return None


def read_user_rules(path: Path) -> tuple[tuple[UserRule, ...], tuple[str, ...]]:
    """The rules in the file at ``path``, newest first, and a sentence for whatever could not be used.

    A file that is not there holds no rules.
    """
    if not path.exists():
        return (), ()
    try:
        content, more = read_bytes(path, _FILE_BYTES)
        if more:
            return (), (f"{path.name} is larger than {_FILE_BYTES >> 10} KiB; none of its rules is used.",)
        rules, problems = parse_rules(_load(content), path.name)
    except (UnreadableFileError, SettingsError) as error:
        return (), (f"{path.name} {error}; none of its rules is used.",)
    return tuple(reversed(rules)), problems


def _load(content: bytes) -> Any:
    try:
        return yaml.safe_load(content.decode("utf-8-sig", "replace"))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise SettingsError(f"is not valid YAML ({quoted(error, 120)})") from error


def add_user_rule(path: Path, rule: UserRule) -> None:
    """Append ``rule`` to the file at ``path``: afterwards the file is the old one or the new one, never a part.

    A rule for the same pattern is replaced. Raises SettingsError where the file holds something that is no list
    of rules, which is left as it is, or cannot be written.
    """
    try:
        existing = _load(read_bytes(path, _FILE_BYTES)[0]) if path.exists() else None
    except (UnreadableFileError, SettingsError) as error:
        raise SettingsError(f"{path.name} {error}; repair or remove it, then accept the rule again.") from error
    if existing is not None and not isinstance(existing, list):
        raise SettingsError(f"{path.name} holds no list of rules; repair or remove it, then accept the rule again.")
    kept = [item for item in existing or [] if not (isinstance(item, Mapping) and item.get("pattern") == rule.pattern)]
    stated = {key: getattr(rule, key) for key in _KEYS if getattr(rule, key) is not None}
    text = "# Rules of airoboros_longctx: the user's own word on how models are scaled.\n"
    text += yaml.safe_dump([*kept, stated], sort_keys=False, allow_unicode=True)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=path.name, suffix=".new", dir=path.parent)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).replace(path)
    except OSError as error:
        raise SettingsError(f"The rule could not be written to {path.name}: {error.strerror or error}.") from error
