"""The statements that a scaling is decided from: what each of them says, and where two of them disagree."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fnmatch import fnmatchcase

from ..context_plan import PlanRequest
from ..foreign_text import quoted
from ..limits import LARGEST_FACTOR
from ..model_facts import ModelFacts, ScalingStatement
from ..reading.model_name import comparable
from ..rope_scaling import LINEAR, NO_SCALING, NTK, spoken
from ..user_rules import UserRule

#: How the source of a statement begins that the user made in the host itself.
BY_HOST = "you, by "


def user_statements(facts: ModelFacts, request: PlanRequest, warnings: list[str]) -> Iterator[ScalingStatement]:
    """The user's own word: the first rule that matches, then what was set in the host. Unusable ones only warn."""
    rule = next((rule for rule in request.rules if _rule_matches(rule, facts)), None)
    if rule is not None and not _usable(rule.factor):
        warnings.append(f"Your rule for “{quoted(rule.pattern)}” is not used: {_factor_wanted(rule.factor)}")
    elif rule is not None:
        yield ScalingStatement(
            source=f"your rule for “{quoted(rule.pattern)}”",
            quote=f"rope_type {quoted(rule.rope_type)}, factor {rule.factor:g}",
            rope_type=NO_SCALING if rule.factor == 1 else rule.rope_type,
            factor=rule.factor,
            original_max_position_embeddings=rule.original_max_position_embeddings,
        )
    yield from _host_statements(request, warnings)


def _host_statements(request: PlanRequest, warnings: list[str]) -> Iterator[ScalingStatement]:
    """The linear factor and NTK's alpha that were set in the host; a neutral one says nothing beside the other."""
    knobs = (
        (LINEAR, "factor", request.host_factor, request.host_factor_source),
        (NTK, "alpha", request.host_alpha, request.host_alpha_source),
    )
    given = [
        (method, word, value, by or "the host's settings") for method, word, value, by in knobs if value is not None
    ]
    usable = [knob for knob in given if _usable(knob[2])]
    for knob in given:
        if knob not in usable:
            warnings.append(f"What {knob[3]} says is not used: {_factor_wanted(knob[2], knob[1])}")
    for method, word, value, source in [knob for knob in usable if knob[2] != 1] or usable[:1]:
        rope_type = NO_SCALING if value == 1 else method
        yield ScalingStatement(f"{BY_HOST}{source}", f"{word} {value:g}", rope_type, factor=value)


def _usable(factor: float) -> bool:
    return math.isfinite(factor) and 1 <= factor <= LARGEST_FACTOR


def _factor_wanted(factor: float, word: str = "factor") -> str:
    return f"its {word} is {factor:g}, and a number from 1 to {LARGEST_FACTOR:g} is needed."


def _rule_matches(rule: UserRule, facts: ModelFacts) -> bool:
    """Wildcards, or the very name: a name may hold characters that are wildcards."""
    pattern = comparable(rule.pattern)
    names = [comparable(name) for name in (facts.name, facts.model) if name]
    return any(name == pattern or fnmatchcase(name, pattern) for name in names)


def stated_window(statement: ScalingStatement) -> int | None:
    """The stretched window in tokens, as stated or as base × factor; None where it does not follow."""
    if statement.max_position_embeddings is not None:
        return statement.max_position_embeddings
    if statement.original_max_position_embeddings is None or statement.factor is None:
        return None
    return round(statement.original_max_position_embeddings * statement.factor)


def stated_base(statement: ScalingStatement) -> int | None:
    """The base window in tokens, as stated or as window / factor; None where it does not follow."""
    if statement.original_max_position_embeddings is not None:
        return statement.original_max_position_embeddings
    if statement.max_position_embeddings is None or not statement.factor or statement.rope_type != LINEAR:
        return None
    return round(statement.max_position_embeddings / statement.factor)


def _says(statement: ScalingStatement) -> str:
    window = stated_window(statement)
    method = spoken(statement.rope_type, statement.factor)
    return f"{method} for {window} tokens" if window is not None else method


def contradictions(winner: ScalingStatement, others: list[ScalingStatement], user_wins: bool) -> Iterator[str]:
    """A sentence for each of ``others`` that says another method, factor or window; it names both."""
    for other in others:
        method_differs = (other.rope_type, other.factor) != (winner.rope_type, winner.factor)
        windows = {stated_window(other), stated_window(winner)} - {None}
        if method_differs or len(windows) > 1:
            yield (
                f"{_sentence_start(winner.source)} says {_says(winner)}, but {other.source} says {_says(other)}. "
                + ("Your word counts" if user_wins else "The first one is used")
                + "; the two are never combined."
            )


def _sentence_start(text: str) -> str:
    return text if text.startswith("config.json") else text[:1].upper() + text[1:]
