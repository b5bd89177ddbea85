"""Whether a loaded model runs what was planned."""

from __future__ import annotations

from .context_plan import ContextPlan
from .load_status import LoadStatus, Verdict
from .mechanisms import MODEL_CONFIG, NONE, REMOTE_CODE, SERVED
from .rope_scaling import APPLICABLE_ROPE_TYPES, LINEAR, NO_SCALING, RopeReading, spoken


def judge(plan: ContextPlan, summary: str, reading: RopeReading | None, problem: str = "") -> LoadStatus:
    """Compare ``plan`` with the ``reading`` of the live model.

    ``summary`` is the plan in one line; ``problem`` says why the model could not be scaled or read, if so.
    """

    def status(verdict: Verdict, headline: str, advice: str = "") -> LoadStatus:
        return LoadStatus(verdict, f"{summary} · {headline}", advice, plan.model, plan, reading)

    if plan.mechanism == SERVED:
        return status(Verdict.LEFT_ALONE, "not scaled by this extension, not confirmed", " ".join(plan.warnings))
    stated_by_model = plan.mechanism == MODEL_CONFIG and plan.rope_type not in (NO_SCALING, LINEAR)
    if plan.rope_type not in APPLICABLE_ROPE_TYPES or stated_by_model:
        if plan.mechanism in (MODEL_CONFIG, REMOTE_CODE):
            return status(Verdict.LEFT_ALONE, "left to the model's own code", problem)
        return status(
            Verdict.WRONG,
            f"not applied: this version cannot apply {plan.rope_type} scaling",
            "Keep prompts within the base window, or set the scaling in the loader yourself.",
        )
    applied = reading is not None and reading.agrees_with(plan.scaling)
    if plan.mechanism == NONE and plan.factor != 1.0 and not applied:
        reason = plan.reason_for("mechanism")
        return status(
            Verdict.WRONG,
            f"not applied: {reason.because if reason is not None else 'nothing here can apply it'}",
            f"Keep prompts within the base window of {plan.original_max_position_embeddings} tokens.",
        )
    if reading is None:
        if plan.factor == 1.0:
            return status(Verdict.LEFT_ALONE, "nothing to scale", problem)
        return status(
            Verdict.WRONG,
            "NOT confirmed on the live model",
            problem or "The model could not be read back, so its answers may be wrong. Try another loader.",
        )
    if reading.agrees_with(plan.scaling):
        if plan.factor != 1.0 and not reading.reaches(plan.truncation_length):
            return status(
                Verdict.WRONG,
                f"but the live model's tables end at {reading.table_length} tokens",
                problem or f"Set max_seq_len to {plan.truncation_length} and reload the model.",
            )
        how = "on the live model" if reading.modules else "by the loader's own settings"
        return status(Verdict.CONFIRMED, f"confirmed {how}", problem)
    return status(
        Verdict.WRONG,
        f"but the live model runs {_found(plan, reading)}",
        problem or "Its answers will be wrong. Reload the model; if this stays, load it with another loader.",
    )


def _found(plan: ContextPlan, reading: RopeReading) -> str:
    """What the model runs instead: ``×2`` where the method is the planned one, else with its name."""
    if reading.factor is None:
        return "dynamic scaling" if reading.rope_type == "dynamic" else "no scaling known here"
    same_method = reading.rope_type == plan.rope_type or {reading.rope_type, plan.rope_type} == {NO_SCALING, LINEAR}
    if reading.is_unscaled or same_method:
        window = reading.original_max_position_embeddings
        of_window = "" if window in (None, plan.original_max_position_embeddings) else f" of {window} tokens"
        return f"×{reading.factor:.4g}{of_window}"
    return spoken(reading.rope_type, round(reading.factor, 3))
