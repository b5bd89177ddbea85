"""The statements that a scaling is decided from: what each of them says, and where two of them disagree."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fnmatch import fnmatchcase

from ..context_plan import PlanRequest, UserRule
from ..foreign_text import quoted
from ..model_facts import ModelFacts, ScalingStatement
from ..reading.model_config import LARGEST_FACTOR
from ..reading.model_name import comparable
from ..rope_scaling import LINEAR, NO_SCALING


def user_statements(facts: ModelFacts, request: PlanRequest, warnings: list[str]) -> Iterator[ScalingStatement]:
    """The user's own word: the first rule that matches, then the factor set in the host. Unusable ones only warn."""
    rule = next((rule for rule in request.rules if _rule_matches(rule, facts)), None)
    if rule is not None and not _usable(rule.factor):
        warnings.append(f"Your rule for “{quoted(rule.pattern)}” is not used: {_factor_wanted(rule.factor)}")
    elif rule is not None:
        yield ScalingStatement(
            source=f"your rule for “{quoted(rule.pattern)}”",
            quote=f"{rule.rope_type} ×{rule.factor:g}",
            rope_type=NO_SCALING if rule.factor == 1 else rule.rope_type,
            factor=rule.factor,
            original_max_position_embeddings=rule.original_max_position_embeddings,
        )
    factor = request.host_factor
    if factor is None:
        return
    source = request.host_factor_source or "the host's settings"
    if not _usable(factor):
        warnings.append(f"What {source} says is not used: {_factor_wanted(factor)}")
        return
    rope_type = NO_SCALING if factor == 1 else LINEAR
    yield ScalingStatement(source=f"you, by {source}", quote=f"factor {factor:g}", rope_type=rope_type, factor=factor)


def _usable(factor: float) -> bool:
    return math.isfinite(factor) and 1 <= factor <= LARGEST_FACTOR


def _factor_wanted(factor: float) -> str:
    return f"its factor is {factor:g}, and a number from 1 to {LARGEST_FACTOR:g} is needed."


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


def spoken(rope_type: str, factor: float | None) -> str:
    """``linear ×4``, ``yarn``, ``no scaling``."""
    if rope_type == NO_SCALING:
        return "no scaling"
    return rope_type if factor is None else f"{rope_type} ×{factor:g}"


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
                + ("Your word counts." if user_wins else "The first one is used; the two are never combined.")
            )


def _sentence_start(text: str) -> str:
    return text if text.startswith("config.json") else text[:1].upper() + text[1:]
