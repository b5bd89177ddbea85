"""Decides how a model is scaled from everything that states it. The most trusted statement wins; none are stacked.

From the most trusted: the user's rule, what the user set in the host, config.json or GGUF metadata, the model card, the
table of families by name. Where the host was given a linear factor and NTK's alpha as well, the one of the method that
the model itself states goes first. A guess from the name alone is a suggestion and never part of the decision.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..context_plan import PlanRequest
from ..families import Family
from ..model_facts import ModelFacts, ScalingStatement
from ..reading.model_name import comparable
from ..rope_scaling import APPLICABLE_ROPE_TYPES, LINEAR, NO_SCALING, NTK, NTK_BY_PARTS
from .scaling_statements import BY_HOST, contradictions, stated_base, stated_window, user_statements

#: Llama's own windows in tokens (Llama 1 and Llama 2): what an unexplained number is measured against.
LLAMA_WINDOWS = (2048, 4096)
DEFAULT_SOURCE = "the window of the first Llama"


@dataclass(frozen=True)
class ScalingDecision:
    """The scaling a model needs, and its windows in tokens.

    ``stated`` is the statement that won, or None where nothing states a scaling. ``left_to_model``: config.json
    or the GGUF file states a method that this extension does not apply, with its own factor; where anybody else states
    such a method it cannot be applied at all, and ``factor`` is 1 and the window the base window.
    """

    rope_type: str
    factor: float
    original_max_position_embeddings: int
    max_position_embeddings: int
    stated: ScalingStatement | None
    by_user: bool
    left_to_model: bool
    base_because: str
    base_source: str
    trained_tokens: int | None
    warnings: tuple[str, ...]


def decide_scaling(facts: ModelFacts, request: PlanRequest, family: Family | None) -> ScalingDecision:
    """The scaling for one model, with a warning for every contradiction."""
    warnings: list[str] = []
    by_family = family.statement() if family else None
    stating = [facts.gguf_scaling, facts.config_scaling, facts.card_scaling, by_family]
    by_model = [statement for statement in stating if statement is not None]
    by_user = _best_first(list(user_statements(facts, request, warnings)), by_model)
    statements = [*by_user, *by_model]
    stated = statements[0] if statements else None
    if stated is not None:
        warnings += contradictions(stated, statements[1:], user_wins=bool(by_user))
    base, because, source = _base_window(facts, stated, statements)
    decision = _decision(facts, stated, base)
    decision = replace(decision, by_user=bool(by_user), base_because=because, base_source=source)
    if decision.rope_type in APPLICABLE_ROPE_TYPES:
        warnings += _config_number_contradicts(facts, decision, statements)
    trained = next((statement.trained_tokens for statement in statements if statement.trained_tokens), None)
    return replace(decision, trained_tokens=trained, warnings=tuple(warnings))


def _best_first(by_user: list[ScalingStatement], by_model: list[ScalingStatement]) -> list[ScalingStatement]:
    """The user's rule first; of a factor and an alpha given to the host, the one whose method the model states."""
    host = [statement for statement in by_user if statement.source.startswith(BY_HOST)]
    wanted = by_model[0].rope_type if by_model else LINEAR
    host.sort(key=lambda statement: statement.rope_type != wanted)
    return [statement for statement in by_user if statement not in host] + host


def _base_window(
    facts: ModelFacts, winner: ScalingStatement | None, statements: list[ScalingStatement]
) -> tuple[int, str, str]:
    """``original_max_position_embeddings`` in tokens, why, and who says so."""
    for statement in statements:
        base = stated_base(statement)
        if base is None:
            continue
        because = f"the base window is stated as {base}"
        if statement.max_position_embeddings is not None and statement.factor not in (None, 1.0):
            because = f"window {statement.max_position_embeddings} / factor {statement.factor:g} = {base}"
        return base, because, statement.source
    written = facts.max_position_embeddings
    if written is None:
        llama_2 = "l2" in comparable(facts.name).split("-") or "llama-2" in comparable(facts.name)
        if llama_2:
            return 4096, "nothing states a window; the name says Llama 2, whose window is 4096", "the model's name"
        return 2048, "nothing states a window; 2048 is assumed", DEFAULT_SOURCE
    factor = winner.factor if winner is not None and _is_applied(facts, winner) else None
    if factor and written not in LLAMA_WINDOWS and round(written / factor) in LLAMA_WINDOWS:
        base = round(written / factor)
        return base, f"{written} is the stretched window: {written} / factor {factor:g} = {base}", facts.window_source
    stated_by, _, _ = facts.window_source.rpartition(" ")
    return written, f"{stated_by} states {written}", facts.window_source


def _decision(facts: ModelFacts, stated: ScalingStatement | None, base: int) -> ScalingDecision:
    rope_type, factor, window, left_to_model = NO_SCALING, 1.0, base, False
    if stated is not None and _is_applied(facts, stated):
        factor = stated.factor or 1.0
        window = round(base * factor)
        rope_type = NO_SCALING if factor == 1 else stated.rope_type
    elif stated is not None and stated.rope_type != NO_SCALING:
        rope_type, left_to_model = stated.rope_type, stated in (facts.config_scaling, facts.gguf_scaling)
        if left_to_model:
            factor, window = stated.factor or 1.0, stated.max_position_embeddings or base
    return ScalingDecision(
        rope_type=rope_type,
        factor=factor,
        original_max_position_embeddings=base,
        max_position_embeddings=window,
        stated=stated,
        by_user=False,
        left_to_model=left_to_model,
        base_because="",
        base_source="",
        trained_tokens=None,
        warnings=(),
    )


def _is_applied(facts: ModelFacts, stated: ScalingStatement) -> bool:
    """True for a scaling that this extension can apply; of config.json's own methods that is linear scaling only.

    Transformers has no method called ntk: a config.json that states one means the code that it came with.
    """
    if stated.rope_type == LINEAR:
        return True
    return stated.rope_type in (NTK, NTK_BY_PARTS) and stated is not facts.config_scaling


def _config_number_contradicts(
    facts: ModelFacts, decision: ScalingDecision, statements: list[ScalingStatement]
) -> Iterator[str]:
    """The written number may be the base or the window of anybody's statement; another number is a contradiction."""
    written = facts.max_position_embeddings
    explained = {decision.original_max_position_embeddings, decision.max_position_embeddings}
    for statement in statements:
        explained |= {stated_base(statement) or 0, stated_window(statement) or 0}
    if written is not None and written not in explained:
        source = decision.stated.source if decision.stated else decision.base_source
        yield (
            f"{facts.window_source} is {written}, which is neither the base window"
            f" ({decision.original_max_position_embeddings}) nor the window ({decision.max_position_embeddings})"
            f" that {source} says. The latter is used."
        )
