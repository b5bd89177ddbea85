"""A plan in words: one line for a status, several for a terminal, a panel or a log."""

from __future__ import annotations

from .context_plan import LOADER_SETTING, MODEL_CONFIG, NONE, PATCH, REMOTE_CODE, ContextPlan
from .foreign_text import quoted
from .rope_scaling import APPLICABLE_ROPE_TYPES, NO_SCALING
from .scaling_statements import spoken

_MECHANISMS = {
    PATCH: "scaled by this extension",
    LOADER_SETTING: "the loader's own setting (compress_pos_emb)",
    MODEL_CONFIG: "by config.json",
    REMOTE_CODE: "by the model's own code",
    NONE: "none",
}


def summary(plan: ContextPlan) -> str:
    """``linear ×4 · 8192 tokens · Transformers``."""
    return f"{_method(plan)} · {plan.truncation_length} tokens · {plan.loader}"


def _method(plan: ContextPlan) -> str:
    if plan.rope_type == NO_SCALING:
        return "unscaled"
    applied = plan.rope_type in APPLICABLE_ROPE_TYPES or plan.factor != 1
    return spoken(plan.rope_type, plan.factor if applied else None)


def explain(plan: ContextPlan) -> str:
    """The whole plan with the reason and source of every value, then the suggestion and the warnings."""
    window = f"{plan.max_position_embeddings} tokens"
    separator = "not known to this model" if plan.plainformat_separator is None else repr(plan.plainformat_separator)
    rows = [
        ("scaling", _method(plan), "factor"),
        ("base window", f"{plan.original_max_position_embeddings} tokens", "original_max_position_embeddings"),
        ("window", window, "max_position_embeddings"),
        ("context", f"{plan.truncation_length} tokens", "truncation_length"),
        ("loader", plan.loader, "loader"),
        ("scaled how", _MECHANISMS.get(plan.mechanism, plan.mechanism), "mechanism"),
        ("weight file", quoted(plan.weight_file or ""), "weight_file"),
        ("template", plan.instruction_template or "the model's own", "instruction_template"),
        ("PLAINFORMAT after", separator, "plainformat_separator") if plan.instruction_template else ("", "", ""),
        ("stop at", "  ".join(plan.stop), "stop"),
    ]
    lines = [plan.model, f"  {summary(plan)}", ""]
    for label, value, key in rows:
        if not value:
            continue
        lines.append(f"  {label:<18} {value}")
        reason = plan.reason_for(key)
        if reason is not None:
            lines.append(f"  {'':<18}   {reason.because}  [{reason.source}]")
    if plan.suggestion is not None:
        scaling = plan.suggestion.scaling
        scaled = f"{spoken(scaling.rope_type, scaling.factor)} for {scaling.max_position_embeddings} tokens"
        lines += ["", f"  Suggestion, not applied: {scaled}", f"    {plan.suggestion.because}."]
    lines += ["", *(f"  Warning: {warning}" for warning in plan.warnings)] if plan.warnings else []
    return "\n".join(lines)
