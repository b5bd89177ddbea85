"""Where the rotary embedding that a forward pass really uses is found in a live model.

Two tables, both decided by looking at the objects. ``WRAPPERS``: the attributes behind which loaders keep the model.
``PLACES``: where a decoder keeps its rotary embedding. From Transformers 4.43 to 4.47 a Llama has one at the model and
one in every layer, and only the model's is used; what tells is whether attention is handed ``position_embeddings``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ..core.errors import RopeScalingError
from ..core.rope_scaling import ntk_base

#: AutoGPTQ, peft and ``*ForCausalLM`` (model, base_model), DataParallel (module), the webui's ExLlama_HF (ex_model).
WRAPPERS = ("model", "base_model", "module", "ex_model", "language_model")
#: How many objects are looked at before giving up.
MOST_OBJECTS = 64


@dataclass(frozen=True)
class RotaryPlace:
    """One row: ``find`` gives the objects that turn queries and keys in ``decoder``, or nothing."""

    name: str
    seen_in: str
    find: Callable[[Any], list[Any]]
    is_module: bool = True


@dataclass(frozen=True)
class FoundRotary:
    """The objects found, each once, in the order of the layers, and what the model says about itself."""

    place: RotaryPlace
    objects: list[Any]
    decoder: Any
    config: Any

    @property
    def rope_theta(self) -> float | None:
        """The base that the model was trained with, as its configuration states it; None where it is silent."""
        stated = stated_rope_theta(self.config, self.objects[0])
        alpha = float(getattr(self.config, "alpha_value", None) or 1.0)
        if stated is not None and self.is_exllama and alpha > 1.0:  # ExLlama multiplies the base in place
            return stated / ntk_base(1.0, alpha, int(self.config.head_dim))
        return stated

    @property
    def is_exllama(self) -> bool:
        return not self.place.is_module


def stated_rope_theta(config: Any, rotary: Any) -> float | None:
    """The base as a model's ``config``, or else its rotary module, states it; None where neither does."""
    places = (
        (getattr(config, "rope_parameters", None), "rope_theta"),
        (config, "rope_theta"),
        (config, "rotary_embedding_base"),
        (rotary, "base"),
        (getattr(rotary, "rope_kwargs", None), "base"),
    )
    for holder, name in places:
        stated = holder.get(name) if isinstance(holder, dict) else getattr(holder, name, None)
        if stated is not None:
            return float(stated)
    return None


def _attentions(decoder: Any) -> list[Any]:
    layers = getattr(decoder, "layers", None)
    if layers is None or isinstance(layers, (str, bytes, dict)) or not isinstance(layers, Iterable):
        return []
    found = [getattr(layer, "self_attn", None) for layer in layers]
    return [] if any(attention is None for attention in found) else found


def _once(objects: Iterable[Any]) -> list[Any]:
    return list({id(item): item for item in objects}.values())


def _takes_position_embeddings(attention: Any) -> bool:
    try:
        return "position_embeddings" in inspect.signature(type(attention).forward).parameters
    except (AttributeError, TypeError, ValueError):
        return False


def _is_rotary(candidate: Any) -> bool:
    return callable(candidate) and hasattr(candidate, "_buffers")


def _at_the_model(decoder: Any) -> list[Any]:
    rotary, attentions = getattr(decoder, "rotary_emb", None), _attentions(decoder)
    if not _is_rotary(rotary) or not attentions:
        return []
    per_layer = any(hasattr(attention, "rotary_emb") for attention in attentions)
    return [] if per_layer and not _takes_position_embeddings(attentions[0]) else [rotary]


def _in_every_layer(decoder: Any) -> list[Any]:
    found = [getattr(attention, "rotary_emb", None) for attention in _attentions(decoder)]
    return _once(found) if found and all(_is_rotary(rotary) for rotary in found) else []


def _exllama_tables(decoder: Any) -> list[Any]:
    attentions = _attentions(decoder) if hasattr(decoder, "sincos") else []
    if not all(hasattr(attention, "sin") and hasattr(attention, "cos") for attention in attentions):
        return []
    return list({(id(attention.sin), id(attention.cos)): attention for attention in attentions}.values())


PLACES = (
    RotaryPlace("sin and cos tables of ExLlama", "exllama 0.1.0", _exllama_tables, is_module=False),
    RotaryPlace("one module at the model", "Transformers 4.43 and later", _at_the_model),
    RotaryPlace("one module in every layer", "Transformers 4.31 to 4.42", _in_every_layer),
)


def find_rotary(model: Any) -> FoundRotary:
    """The rotary embedding of ``model``, which may be wrapped as loaders wrap it.

    Raises RopeScalingError when no row of the table fits.
    """
    queue, seen, config = [model], {id(model)}, getattr(model, "config", None)
    while queue and len(seen) <= MOST_OBJECTS:
        candidate = queue.pop(0)
        for place in PLACES:
            objects = place.find(candidate)
            if objects:
                return FoundRotary(place, objects, candidate, getattr(candidate, "config", None) or config)
        for name in WRAPPERS:
            inner = getattr(candidate, name, None)
            if inner is not None and id(inner) not in seen:
                seen.add(id(inner))
                queue.append(inner)
    raise RopeScalingError(
        f"No rotary embedding found in {type(model).__name__}. Needed: a Llama-type model with layers[i].self_attn and "
        "a rotary_emb at the model or in every layer, or ExLlama's sin and cos tables. "
        "Load it with the Transformers, AutoGPTQ or ExLlama loader, or let its own loader scale it."
    )
