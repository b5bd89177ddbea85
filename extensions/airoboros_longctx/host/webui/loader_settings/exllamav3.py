"""ExLlamav3 and ExLlamav3_HF: they know the scaling of config.json and no other, so it is handed to them as if there.

``Config.from_directory`` reads the file; the model is built afterwards from the object that it returns, whose
``rope_settings`` are the only place that says the scaling. No file is touched.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ....core.context_plan import ContextPlan
from ....core.ports import Undo
from ....core.rope_scaling import LINEAR, NO_SCALING, NTK, RopeReading, ntk_base
from .load import Load

#: Relative difference up to which inverse frequencies are the same.
TOLERANCE = 1e-3


def state_scaling(load: Load) -> Undo:
    """While the loader runs, the planned model's configuration states the plan's scaling; another model's does not."""
    try:
        configuration = importlib.import_module("exllamav3").Config
    except Exception:  # the package is not there: the load itself says so
        return lambda: None
    stock = configuration.__dict__["from_directory"]
    read = configuration.from_directory

    def from_directory(directory: Any, *args: Any, **kwargs: Any) -> Any:
        config = read(directory, *args, **kwargs)
        if _same(Path(directory), load.path):
            _state(config, load.plan)
        return config

    ours = staticmethod(from_directory)
    configuration.from_directory = ours

    def undo() -> None:
        if configuration.__dict__.get("from_directory") is ours:
            configuration.from_directory = stock

    return undo


def _same(one: Path, other: Path) -> bool:
    try:
        return one.resolve() == other.resolve()
    except OSError:
        return False


def _state(config: Any, plan: ContextPlan) -> None:
    settings = config.rope_settings
    if plan.rope_type == LINEAR:
        settings.rope_scaling = {"rope_type": "linear", "type": "linear", "factor": float(plan.factor)}
    elif plan.rope_type == NTK:
        dimension = int(settings.rotary_dim or settings.head_dim * settings.partial_rotary_factor)
        settings.rope_theta = ntk_base(settings.rope_theta, plan.factor, dimension)
        settings.rope_scaling = None


def read_frequencies(model: Any, path: Path) -> RopeReading | None:
    """The inverse frequencies of every layer of the live model, against those of its own base."""
    engine = getattr(model, "ex_model", None) or getattr(model, "model", None)
    ropes = list(_ropes(engine))
    if not ropes:
        return None
    length = getattr(model, "max_tokens", None)
    found = {_factor(rope) for rope in ropes}
    base = float(ropes[0].rope_settings.rope_theta)
    factor = found.pop() if len(found) == 1 else None
    rope_type = "other" if factor is None else NO_SCALING if factor == 1 else LINEAR
    note = "" if factor is not None else "frequencies that are not those of linear scaling"
    return RopeReading(rope_type, factor, 2 * len(ropes[0].inv_freq), base, len(ropes), 0.0, note, length)


def _ropes(engine: Any) -> Iterator[Any]:
    """The rotary embedding of every attention in ``engine``, which iterates over all its modules."""
    for module in engine or ():
        rope = getattr(module, "rope", None)
        if getattr(rope, "inv_freq", None) is not None and hasattr(rope, "rope_settings"):
            yield rope


def _factor(rope: Any) -> float | None:
    frequencies = [float(value) for value in rope.inv_freq]
    base, dimension = float(rope.rope_settings.rope_theta), 2 * len(frequencies)
    factors = [base ** (-2 * index / dimension) / value for index, value in enumerate(frequencies)]
    if max(factors) / min(factors) - 1 > TOLERANCE:
        return None
    mean = sum(factors) / len(factors)
    return 1.0 if abs(mean - 1) < TOLERANCE else round(mean, 4)
