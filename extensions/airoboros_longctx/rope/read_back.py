"""What a live model really runs, read from the rotary embedding that its forward pass uses.

Never from ``inv_freq``: the versions of Transformers that keep tables divide positions and leave it alone, and a table
can hold anything. The module is called as the forward pass calls it and the angles are fitted.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..core.errors import RopeScalingError
from ..core.rope_scaling import NTK, NTK_BY_PARTS, RopeReading, RopeScaling
from .angle_fit import AngleFit, distance_from, fit_angles
from .probes import Rows, ask_module, ask_module_when_grown, ask_tables
from .rotary_modules import FoundRotary, find_rotary
from .scaling_state import scaling_state

#: Cosines and sines of the first positions that are this far from the fit come from another rule, not from rounding:
#: tables of a model that was cast to bfloat16 are made again with errors of half of this.
ANOTHER_RULE, FIRST_POSITIONS = 0.25, 32


def read_rope_scaling(model: Any, planned: RopeScaling | None = None) -> RopeReading:
    """The RoPE scaling that ``model`` runs: a Llama-type model of Transformers, AutoGPTQ's or peft's wrapper of one, or
    ExLlama's model.

    Calls the rotary embedding at about twenty positions and changes nothing. ``rope_type`` is "default" (factor 1),
    "linear", "ntk" (another base, in ``rope_theta``; ``factor`` is alpha), "ntk_by_parts", "dynamic" (depends on the
    length) or "other"; ``factor`` is None for the last two and ``note`` says why. By parts is recognised where it is
    ``planned``, or was put there by this extension. Raises RopeScalingError when there is no rotary embedding to call.
    """
    found = find_rotary(model)
    try:
        answers = _ask(found)
    except Exception as problem:
        raise RopeScalingError(
            f"The rotary embedding of {type(model).__name__} ({found.place.name}) did not answer: "
            f"{type(problem).__name__}: {problem}. Needed: forward(x, position_ids) or forward(x, seq_len). "
            "Nothing was changed; the scaling of this model cannot be confirmed."
        ) from problem
    head_dim = answers[0][0].cos.shape[-1]
    expected = _expected(found, planned)
    fits = [(fit_angles(rows, found.rope_theta, expected), count) for rows, count in answers]
    fit = max((fit for fit, _ in fits), key=lambda fit: fit.error)
    if len({(each.rope_type, each.factor, each.original_max_position_embeddings) for each, _ in fits}) > 1:
        runs = ", ".join(f"{count} run {each}" for each, count in fits)
        fit = AngleFit("other", None, fit.rope_theta, fit.error, f"the layers differ: {runs}")
    elif fit.factor is not None:
        fit = _checked_when_grown(found, fit)
    if (fit.factor is None or fit.rope_type == NTK) and any(_is_dynamic(rotary) for rotary in found.objects):
        fit = replace(fit, rope_type="dynamic", factor=None)
    length = None if found.place.is_module else min(int(rotary.sin.shape[-2]) for rotary in found.objects)
    return RopeReading(
        fit.rope_type,
        fit.factor,
        head_dim,
        fit.rope_theta,
        len(found.objects),
        fit.error,
        fit.note,
        length,
        fit.original_max_position_embeddings,
    )


def _expected(found: FoundRotary, planned: RopeScaling | None) -> list[RopeScaling]:
    """The scalings to try by their formula: the planned one, and what this extension runs on the modules."""
    states = [scaling_state(rotary) for rotary in found.objects if found.place.is_module]
    scalings = [planned, *(state.rope.scaling for state in states if state is not None)]
    return [
        scaling
        for scaling in dict.fromkeys(scalings)
        if scaling is not None and scaling.rope_type in (NTK, NTK_BY_PARTS) and scaling.factor != 1
    ]


def _window(found: FoundRotary) -> int | None:
    window = getattr(found.config, "max_position_embeddings", None)
    return window if isinstance(window, int) and window > 1 else None


def _ask(found: FoundRotary) -> list[tuple[Rows, int]]:
    """The different answers of the objects found, each with the number of objects that gave it."""
    answers: list[tuple[Rows, int]] = []
    for rotary in found.objects:
        rows = ask_module(rotary, _window(found)) if found.place.is_module else ask_tables(rotary.cos, rotary.sin)
        for index, (known, count) in enumerate(answers):
            if known.same_as(rows):
                answers[index] = (known, count + 1)
                break
        else:
            answers.append((rows, 1))
    return answers


def _checked_when_grown(found: FoundRotary, fit: AngleFit) -> AngleFit:
    """``fit``, unless a longer sequence makes a module of some class answer otherwise."""
    if not found.place.is_module:
        return fit
    assert fit.frequencies is not None
    for rotary in {type(rotary): rotary for rotary in found.objects}.values():
        rows = ask_module_when_grown(rotary, _window(found))
        if distance_from(rows.up_to(FIRST_POSITIONS), fit.frequencies) > ANOTHER_RULE:
            note = f"{fit} now, {fit_angles(rows, found.rope_theta)} in a longer sequence"
            return AngleFit("other", None, fit.rope_theta, fit.error, note)
    return fit


def _is_dynamic(rotary: Any) -> bool:
    return "dynamic" in f"{type(rotary).__name__} {getattr(rotary, 'rope_type', '')}".lower()
