"""``plan_adapters``: how a model is scaled while adapters (LoRAs) are applied to it. Pure: same input, same plan."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..context_plan import ContextPlan, Reason
from ..families import find_family
from ..mechanisms import NONE
from ..model_facts import AdapterFacts, ModelFacts, ScalingStatement
from ..reading.model_name import comparable, parse_model_name
from ..rope_scaling import APPLICABLE_ROPE_TYPES, NO_SCALING, RopeScaling, spoken
from .scaling_statements import contradictions, stated_base, stated_window

_LXCTX_CARD = "the card of airoboros-33b-gpt4-1.4.1-lxctx-PI-16384-GPTQ"
#: Llama's own weights of 2023 in the spellings in which they were shared: llama-13b, LLaMA-30B-HF, llama-7b-4bit-128g.
_LLAMA_ITSELF = re.compile(
    r"^(?:meta-)?llama-?(?:v?1-)?(7|13|30|33|65)b(?:-(?:hf|fp16|gptq|ggml|gguf|\d-?bit|\d+g).*)?$"
)


@dataclass(frozen=True)
class AdapterPlan:
    """What to run while the adapters are applied. ``scaling`` None: the model stays as its own plan has it."""

    scaling: RopeScaling | None
    reasons: tuple[Reason, ...]
    warnings: tuple[str, ...]


def plan_adapters(base_facts: ModelFacts, base_plan: ContextPlan, adapters: Sequence[AdapterFacts]) -> AdapterPlan:
    """The scaling of the model ``base_plan`` while ``adapters`` are applied, with its reason and source.

    An adapter that was trained with scaled positions scales an unscaled base; without adapters, and with adapters that
    say nothing, the base stays as it is. Two different scalings are never stacked: what is there first stays, and the
    other one is a warning. No input makes this fail.
    """
    warnings = [problem for adapter in adapters for problem in adapter.problems]
    stated = [(adapter, statement) for adapter in adapters if (statement := _statement(adapter, warnings)) is not None]
    if not stated:
        silent = ", ".join(adapter.name for adapter in adapters)
        because = f"nothing says that {silent} was trained with scaled positions" if silent else "no adapter is applied"
        return _as_it_is(because, "the adapters", warnings)
    adapter, statement = stated[0]
    others = [(other, says) for other, says in stated[1:] if _method(says) != _method(statement)]
    warnings += [
        f"{adapter.name} was trained with {_spoken(statement)}, and {other.name} with {_spoken(says)}. The first one"
        " counts; the two are never combined."
        for other, says in others
    ]
    if base_facts.model_type not in (None, "llama"):
        because = f"{base_facts.name} is a {base_facts.model_type} model, no Llama"
        return _as_it_is(because, "config.json", [*warnings, f"{adapter.name} is not scaled for: {because}."])
    warnings += [sentence for other, _ in stated for sentence in _trained_elsewhere(other, base_facts)]
    return _against_base(adapter, statement, base_plan, warnings)


def _against_base(
    adapter: AdapterFacts, statement: ScalingStatement, base_plan: ContextPlan, warnings: list[str]
) -> AdapterPlan:
    wanted = _spoken(statement)
    base = spoken(base_plan.rope_type, base_plan.factor)
    if _method(statement) == (base_plan.rope_type, base_plan.factor):
        because = f"{adapter.name} was trained with {wanted}, and {base_plan.model} is planned so already"
        if base_plan.mechanism == NONE:
            warnings.append(f"{adapter.name} needs {wanted}, which {base_plan.model} does not get: see its own plan.")
        return _as_it_is(because, statement.source, warnings)
    if base_plan.rope_type != NO_SCALING:
        because = f"{base_plan.model} runs {base} already, and two scalings are never combined"
        warnings.append(
            f"{adapter.name} was trained with {wanted}, but {base_plan.model} runs {base}. The model stays as it is,"
            " and the adapter does not fit it."
        )
        return _as_it_is(because, statement.source, warnings)
    if statement.rope_type not in APPLICABLE_ROPE_TYPES:
        because = f"{adapter.name} was trained with {wanted}, and this version does not apply that method"
        return _as_it_is(because, statement.source, [*warnings, f"Not scaled: {because}."])
    original = stated_base(statement) or base_plan.original_max_position_embeddings
    if original != base_plan.original_max_position_embeddings:
        warnings.append(
            f"{adapter.name} stretches a base window of {original} tokens, but that of {base_plan.model} is"
            f" {base_plan.original_max_position_embeddings}: the adapter belongs to another generation of Llama."
        )
    scaling = RopeScaling(statement.rope_type, statement.factor or 1.0, original)
    because = f"{adapter.name} was trained with {wanted}, so its base is scaled while it is applied: {statement.quote}"
    return AdapterPlan(scaling, (Reason("factor", because, statement.source),), tuple(dict.fromkeys(warnings)))


def _as_it_is(because: str, source: str, warnings: list[str]) -> AdapterPlan:
    return AdapterPlan(None, (Reason("factor", because, source),), tuple(dict.fromkeys(warnings)))


def _statement(adapter: AdapterFacts, warnings: list[str]) -> ScalingStatement | None:
    """The adapter's card, else the table of families by its name; a contradiction of the two is a warning."""
    family = find_family(*adapter.names)
    by_family = family.statement() if family is not None else None
    stated = [statement for statement in (adapter.card_scaling, by_family) if statement is not None]
    if not stated:
        return None
    warnings += [f"{adapter.name}: {sentence}" for sentence in contradictions(stated[0], stated[1:], user_wins=False)]
    return None if _method(stated[0]) == (NO_SCALING, 1.0) else stated[0]


def _method(statement: ScalingStatement) -> tuple[str, float]:
    factor = statement.factor or 1.0
    return (NO_SCALING if factor == 1 and statement.rope_type in APPLICABLE_ROPE_TYPES else statement.rope_type), factor


def _spoken(statement: ScalingStatement) -> str:
    window = stated_window(statement)
    method = spoken(statement.rope_type, statement.factor)
    return method if window is None else f"{method} for {window} tokens"


def _trained_elsewhere(adapter: AdapterFacts, base_facts: ModelFacts) -> Iterator[str]:
    """The price of an adapter on a base that it was not trained on. One that names no base was trained on Llama's."""
    names = [_plain(name) for name in base_facts.names]
    trained_on = _plain(adapter.base_model or "")
    on_llama = not trained_on or _LLAMA_ITSELF.match(trained_on) is not None
    if trained_on in names or (on_llama and any(_LLAMA_ITSELF.match(name) for name in names)):
        return
    own = adapter.base_model if trained_on else "Llama's own weights, as far as it says"
    yield (
        f"{adapter.name} was trained on {own}, and {base_facts.name} is another model. An adapter that was trained with"
        " scaled positions answers noticeably worse on a base that is not its own, at every length of context"
        f" ({_LXCTX_CARD})."
    )


def _plain(name: str) -> str:
    """The model part of a path, a repository or a webui folder name, as names are compared."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return comparable(parse_model_name(last).model)
