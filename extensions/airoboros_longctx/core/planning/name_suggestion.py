"""A guess at the scaling of an unknown model from its name alone (``-8k``, ``-16k``, ``PI-8192``): to be confirmed."""

from __future__ import annotations

import re

from ..context_plan import Suggestion
from ..model_facts import ModelFacts
from ..reading.model_name import comparable
from ..rope_scaling import LINEAR, RopeScaling
from .scaling_decision import LLAMA_WINDOWS

_THOUSANDS = re.compile(r"-(\d{1,3})k(?=-|$)")
_TOKENS = re.compile(r"-(?:pi-?)?(4096|8192|16384|32768|65536)(?=-|$)")
#: Names that speak of another method than linear scaling.
_OTHER_METHOD = re.compile(r"ntk|yarn|longrope|longlora|dynamic")
_STOCK_THETA = 10000.0
_LARGEST_FACTOR = 32


def suggest_scaling(facts: ModelFacts) -> Suggestion | None:
    """Linear scaling from the base window to the window in the name; None where the name says nothing of the kind.

    A Llama with another ``rope_theta`` than the stock 10000 reaches its window by itself.
    """
    name = comparable(facts.model or facts.name)
    if facts.model_type not in (None, "llama") or facts.rope_theta not in (None, _STOCK_THETA):
        return None
    window = _window_in(name)
    if window is None or _OTHER_METHOD.search(name):
        return None
    written = facts.max_position_embeddings
    llama_2 = re.search(r"(?:^|-)l2-|llama-?2(?:-|$)", name) is not None
    base = written if written is not None and written < window else LLAMA_WINDOWS[llama_2]
    if not 1 < window / base <= _LARGEST_FACTOR:
        return None
    scaling = RopeScaling(LINEAR, window / base, base)
    because = (
        f"the name says {window} tokens; linear ×{scaling.factor:g} stretches {base} to that."
        " Nothing else says so: accept it only if you know that this model was trained that way"
    )
    return Suggestion(scaling, because)


def _window_in(name: str) -> int | None:
    thousands, tokens = _THOUSANDS.search(name), _TOKENS.search(name)
    if tokens is not None:
        return int(tokens[1])
    return int(thousands[1]) * 1024 if thousands is not None else None
