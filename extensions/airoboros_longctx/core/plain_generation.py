"""Which calls of ``generate`` are plain enough to get a prompt's keys and values from us; all others run untouched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .foreign_text import quoted

#: Arguments that every plain call may have: the prompt, what chooses the next token, and what stops.
_HARMLESS = frozenset(
    "inputs input_ids attention_mask logits_processor stopping_criteria prefix_allowed_tokens_fn generation_config "
    "streamer tokenizer trust_remote_code use_model_defaults negative_prompt_attention_mask".split()
)
#: Values with which each of these changes nothing about how a prompt is read; anything else is not ours.
_PLAIN_VALUES: Mapping[str, tuple[Any, ...]] = {
    "num_beams": (None, 1),
    "num_beam_groups": (None, 1),
    "num_return_sequences": (None, 1),
    "constraints": (None,),
    "force_words_ids": (None,),
    "penalty_alpha": (None, 0),
    "dola_layers": (None,),
    "guidance_scale": (None, 1),
    "negative_prompt_ids": (None,),
    "prompt_lookup_num_tokens": (None, 0),
    "assistant_model": (None,),
    "assistant_early_exit": (None,),
    "is_assistant": (None, False),
    "token_healing": (None, False),
    "custom_generate": (None,),
    "prefill_chunk_size": (None, 0),
    "cache_implementation": (None,),
    "cache_config": (None,),
    "compile_config": (None,),
    "use_cache": (True,),
    "past_key_values": (None,),
    "inputs_embeds": (None,),
    "position_ids": (None,),
    "return_dict_in_generate": (None, False),
    "synced_gpus": (None, False),
    "low_memory": (None, False),
}
#: Keys and values do not depend on the length of the prompt with these, so they can be kept.
PLAIN_ROPE_TYPES = (None, "default", "linear", "ntk", "llama3", "yarn", "ntk_by_parts")


def why_not_plain(arguments: Mapping[str, Any], configurations: Iterable[Any]) -> str:
    """ "" for a call with ``arguments`` that only reads a prompt and continues it; else what it asks for beyond that.

    ``configurations`` are the generation configs that hold where the call itself says nothing. An argument that none of
    them knows would reach the model's forward pass.
    """
    known = list(configurations)
    for name, plain in _PLAIN_VALUES.items():
        if name in arguments:
            is_plain = _is_among(arguments[name], plain)
        else:
            is_plain = all(_is_among(getattr(one, name, None), (None, *plain)) for one in known)
        if not is_plain:
            return f"{name} is set"
    for name in arguments:
        if name not in _HARMLESS and name not in _PLAIN_VALUES and not any(hasattr(one, name) for one in known):
            return f"the argument {quoted(name, 40)} reaches the model itself"
    return ""


def _is_among(value: Any, plain: tuple[Any, ...]) -> bool:
    return (value is None and None in plain) or (isinstance(value, (bool, int, float)) and value in plain)


def why_not_kept(config: Any) -> str:
    """ "" for a model whose keys and values at a position depend on the tokens before alone, one plain row for each."""
    if getattr(config, "is_encoder_decoder", False):
        return "an encoder and a decoder found"
    rope = (getattr(config, "rope_scaling", None) or {}, getattr(config, "rope_parameters", None) or {})
    for stated in rope:
        if not isinstance(stated, Mapping):
            return "a rope_scaling of no known form found"
        if any(isinstance(value, Mapping) for value in stated.values()):
            return "layers with different rotary embeddings found"
        for key in ("rope_type", "type"):
            if stated.get(key) not in PLAIN_ROPE_TYPES:
                return f"its {quoted(str(stated[key]), 40)} scaling depends on the length of the prompt"
    windowed = getattr(config, "sliding_window", None) is not None and getattr(config, "use_sliding_window", True)
    kinds = getattr(config, "layer_types", None) or ()
    if windowed or getattr(config, "attention_chunk_size", None) or set(kinds) - {"full_attention"}:
        return "layers that forget what is far away found"
    return ""
