"""llama.cpp as a server of its own (v2.8 and later): its command line is written, and read back, here.

v4.1 took the RoPE arguments away; what is left is ``extra_flags``. It has two spellings: ``flag=value,flag`` everywhere
and, from v4.2, the command line's own, which begins with a dash.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from ....core.context_plan import ContextPlan
from ....core.model_facts import ModelFacts
from ....core.ports import Undo
from ....core.rope_scaling import LINEAR, NO_SCALING, NTK, RopeReading
from .load import Load, set_attributes
from .rope_shape import LLAMA, RopeShape, facts_of, rope_shape, shape_of

EXTRA_FLAGS, CONTEXT = "extra_flags", "ctx_size"
#: A larger factor is nobody's model, and a number that is not plain has no place on a command line.
LARGEST_FACTOR = 1024
_ROPE_FLAG = re.compile(r"(?:^|[\s,\"'])-{0,2}(rope-[a-z-]+|yarn-[a-z-]+)(?:[\s=]+([^\s,\"']*))?")
_OVERRIDE = re.compile(r"(?:^|[\s,])-{0,2}override-kv(?:[\s=]|$)")
_ARCHITECTURE = re.compile(r"[a-z0-9_-]{1,40}")
SOURCE = "extra_flags of llama.cpp"
_ANSWER_SECONDS = 5.0


def unquoted(flags: str | None) -> str:
    """``flags`` without the one pair of quotation marks that the webui takes off."""
    text = (flags or "").strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1].strip()
    return text


def stated_rope(flags: str | None) -> dict[str, str]:
    """The RoPE options that the user's own flags state, by name."""
    return {name: value or "" for name, value in _ROPE_FLAG.findall(unquoted(flags))}


def stated_factor(flags: str | None) -> float | None:
    """The linear factor that the user's own flags state; None where they state none, or another method."""
    stated = stated_rope(flags)
    if stated.get("rope-scaling", LINEAR) != LINEAR:
        return None
    scale, frequency = _number(stated.get("rope-scale")), _number(stated.get("rope-freq-scale"))
    return scale or (1 / frequency if frequency else None)


def with_rope(flags: str | None, plan: ContextPlan, shape: RopeShape = LLAMA) -> str | None:
    """The user's ``flags`` with the plan's RoPE options after them; as they are where they state one themselves."""
    if stated_rope(flags) or not (math.isfinite(plan.factor) and 1 < plan.factor <= LARGEST_FACTOR):
        return flags
    if plan.rope_type == LINEAR:
        options = [("rope-scaling", "linear"), ("rope-scale", f"{plan.factor:.10g}")]
    elif plan.rope_type == NTK:
        options = [("rope-freq-base", str(round(shape.base(plan.factor))))]
    else:
        return flags
    return _with(flags, options)


def with_window(flags: str | None, plan: ContextPlan, facts: ModelFacts) -> str | None:
    """``flags`` with the planned window in the place of the file's own, where that is less.

    The server gives no request more than the file's ``context_length``, whatever its rotary embedding is told, and it
    says so in its log alone. Of several ``--override-kv`` the last counts: the user's own is left as it is.
    """
    trained = facts.gguf.context_length if facts.gguf is not None else None
    stretched = plan.rope_type in (LINEAR, NTK) and plan.factor > 1
    if not (
        stretched and trained and plan.truncation_length > trained and _ARCHITECTURE.fullmatch(str(facts.model_type))
    ):
        return flags
    if _OVERRIDE.search(unquoted(flags)):
        return flags
    return _with(flags, [("override-kv", f"{facts.model_type}.context_length=int:{plan.truncation_length}")])


def _with(flags: str | None, options: Sequence[tuple[str, str]]) -> str:
    users = unquoted(flags)
    if users.startswith("-"):
        return " ".join([users, *(f"--{name} {value}" for name, value in options)])
    return ",".join([*filter(None, [users.rstrip(", ")]), *(f"{name}={value}" for name, value in options)])


def use_extra_flags(load: Load) -> Undo:
    """Hand the plan's scaling and window to the server that is about to be started."""
    facts = facts_of(load.path)
    flags = with_rope(getattr(load.args, EXTRA_FLAGS, None), load.plan, shape_of(facts))
    if facts is not None:
        flags = with_window(flags, load.plan, facts)
    return set_attributes(load.args, {EXTRA_FLAGS: flags})


def slots(args: Any) -> int:
    """Among how many requests at once the server divides its context."""
    parallel = getattr(args, "parallel", 1)
    return parallel if isinstance(parallel, int) and parallel > 1 else 1


def use_context(load: Load) -> Undo:
    """The planned window for each of the server's slots, unless the user gave the sum of all."""
    if slots(load.args) == 1 or CONTEXT in load.provided:
        return lambda: None
    return set_attributes(load.args, {CONTEXT: load.plan.truncation_length * slots(load.args)})


def read_command_line(command: Sequence[object], shape: RopeShape = LLAMA) -> tuple[RopeReading | None, int | None]:
    """What a running server was told: its scaling (None: nothing, the file decides) and its context in tokens."""
    words = [str(word) for word in command]
    value = {name: after for name, after in pairwise(words) if name.startswith("-")}
    window = _number(value.get("--ctx-size"))
    window = window / (_number(value.get("--parallel")) or 1) if window else None
    length = int(window) if window else None
    method = value.get("--rope-scaling", LINEAR)
    scale, frequency = _number(value.get("--rope-scale")), _number(value.get("--rope-freq-scale"))
    base = _number(value.get("--rope-freq-base")) or shape.theta
    if method not in (LINEAR, "none") or any(name.startswith("--yarn") for name in words):
        return told(method if method != LINEAR else "yarn", None, base, length), length
    factor = scale or (1 / frequency if frequency else None)
    if factor is None and "--rope-scaling" not in value and "--rope-freq-base" not in value:
        return None, length
    return told_factor(factor if factor and method == LINEAR else 1.0, base, length, shape), length


def told_factor(factor: float, base: float, length: int | None, shape: RopeShape) -> RopeReading:
    """A reading of a linear ``factor`` and a ``base``; one that is not the trained one is read as NTK's alpha."""
    if abs(base / shape.theta - 1) < 1e-3:
        return told(NO_SCALING if abs(factor - 1) < 1e-6 else LINEAR, factor, base, length)
    if abs(factor - 1) < 1e-6:
        return told(NTK, shape.alpha(base), base, length)
    return told("other", None, base, length, f"linear ×{factor:g} and base {base:g} together")


def told(rope_type: str, factor: float | None, base: float, length: int | None, note: str = "") -> RopeReading:
    """What a loader was told, where its model cannot be asked: a reading of no modules."""
    return RopeReading(rope_type, factor, 0, float(base), 0, 0.0, note, length)


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and number > 0 else None


def read_server(model: Any, path: Path) -> RopeReading | None:
    """The command line of the server behind ``model``, else what the GGUF file itself states."""
    process = getattr(model, "process", None)
    if process is None:
        return None
    file = Path(getattr(model, "model_path", path))
    reading, asked = read_command_line(list(process.args), rope_shape(file))
    length = _window_of(model) or asked
    return replace(reading, table_length=length) if reading is not None else read_gguf(file, length)


def _window_of(model: Any) -> int | None:
    """The tokens that the running server gives one request, which may be less than it was asked for.

    Newer webuis ask it themselves and keep the answer; None where it does not say.
    """
    import http.client  # here, so that the webui starts without it

    known = getattr(model, "n_ctx", None)
    if known is None and isinstance(getattr(model, "port", None), int):
        connection = http.client.HTTPConnection("127.0.0.1", model.port, timeout=_ANSWER_SECONDS)
        try:
            connection.request("GET", "/props")
            known = json.load(connection.getresponse())["default_generation_settings"]["n_ctx"]
        except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
            return None
        finally:
            connection.close()
    return known if isinstance(known, int) and known > 0 else None


def read_gguf(file: Any, length: int | None) -> RopeReading:
    """What llama.cpp runs when it is told nothing: the scaling in the file's own metadata, read by the webui."""
    from modules import metadata_gguf

    metadata = {
        str(key).partition(".")[2]: value
        for key, value in metadata_gguf.load_metadata(file).items()
        if ".rope." in str(key)
    }
    method = str(metadata.get("rope.scaling.type", LINEAR))
    factor = metadata.get("rope.scaling.factor") or metadata.get("rope.scale_linear") or 1.0
    base = float(metadata.get("rope.freq_base") or LLAMA.theta)
    if method == "none":
        factor = 1.0
    elif method != LINEAR:
        return told(method, None, base, length)
    return told(NO_SCALING if float(factor) == 1.0 else LINEAR, float(factor), base, length)
