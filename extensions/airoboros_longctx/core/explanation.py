"""A plan in words: one line for a status, several for a terminal, a panel or a log."""

from __future__ import annotations

from dataclasses import dataclass

from .context_plan import ContextPlan, Reason, Suggestion
from .foreign_text import quoted
from .mechanisms import LOADER_SETTING, MODEL_CONFIG, NONE, PATCH, REMOTE_CODE, SERVED
from .planning.memory_plan import gib
from .rope_scaling import APPLICABLE_ROPE_TYPES, NO_SCALING, spoken

_MECHANISMS = {
    PATCH: "scaled by this extension",
    LOADER_SETTING: "the loader's own setting",
    MODEL_CONFIG: "by the model's own files",
    REMOTE_CODE: "by the model's own code",
    SERVED: "by its server, if at all",
    NONE: "none",
}


def summary(plan: ContextPlan) -> str:
    """``linear ×4 · 8192 tokens · Transformers``."""
    return f"{_method(plan)} · {plan.truncation_length} tokens · {plan.loader}"


def _method(plan: ContextPlan) -> str:
    if plan.mechanism == SERVED:
        return "served elsewhere"
    if plan.rope_type == NO_SCALING:
        return "unscaled"
    applied = plan.rope_type in APPLICABLE_ROPE_TYPES or plan.factor != 1
    return spoken(plan.rope_type, plan.factor if applied else None)


@dataclass(frozen=True)
class PlanRow:
    """One line of the explanation: a value of the plan under a label for people, and its reason and source."""

    label: str
    value: str
    reason: Reason | None


def plan_rows(plan: ContextPlan) -> list[PlanRow]:
    """Every value of the plan in the order in which it is read; values that say nothing are left out."""
    separator = "not known to this model" if plan.plainformat_separator is None else repr(plan.plainformat_separator)
    base_window = "" if plan.mechanism == SERVED else f"{plan.original_max_position_embeddings} tokens"
    memory = "" if plan.memory is None else f"{gib(plan.memory.total_bytes)} at {plan.memory.tokens} tokens"
    rows = (
        ("scaling", _method(plan), "factor"),
        ("base window", base_window, "original_max_position_embeddings"),
        ("window", f"{plan.max_position_embeddings} tokens", "max_position_embeddings"),
        ("context", f"{plan.truncation_length} tokens", "truncation_length"),
        ("loader", plan.loader, "loader"),
        ("scaled how", _MECHANISMS.get(plan.mechanism, plan.mechanism), "mechanism"),
        ("weight file", quoted(plan.weight_file or ""), "weight_file"),
        ("memory", memory, "memory"),
        ("template", plan.instruction_template or "the model's own", "instruction_template"),
        ("PLAINFORMAT after", separator if plan.instruction_template else "", "plainformat_separator"),
        ("stop at", "  ".join(plan.stop), "stop"),
    )
    return [PlanRow(label, value, plan.reason_for(key)) for label, value, key in rows if value]


def suggestion_sentence(suggestion: Suggestion) -> str:
    """What is suggested and why; it is not applied until somebody accepts it."""
    scaling = suggestion.scaling
    scaled = f"{spoken(scaling.rope_type, scaling.factor)} for {scaling.max_position_embeddings} tokens"
    return f"Suggestion, not applied: {scaled}. {suggestion.because}."


def explain(plan: ContextPlan) -> str:
    """The whole plan as text, with the reason and source of every value, then the suggestion and the warnings."""
    lines = [plan.model, f"  {summary(plan)}", ""]
    for row in plan_rows(plan):
        lines.append(f"  {row.label:<18} {row.value}")
        if row.reason is not None:
            lines.append(f"  {'':<18}   {row.reason.because}  [{row.reason.source}]")
    if plan.suggestion is not None:
        lines += ["", f"  {suggestion_sentence(plan.suggestion)}"]
    lines += ["", *(f"  Warning: {warning}" for warning in plan.warnings)] if plan.warnings else []
    return "\n".join(lines)
