"""What a load takes of the GPUs' memory: weights, key-value cache, attention scores and an estimate for the rest.

Pure, and nothing is decided by it: what does not fit is said, and the longest context that fits is a suggestion.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from ..capabilities import Capabilities
from ..context_plan import MemoryPlan, Reason
from ..model_facts import ModelFacts
from ..reading.weight_files import alternatives, whole_name

_GIB, _MIB = 1 << 30, 1 << 20
FP16 = "fp16"
_HALF_BYTES = 2
#: ``q4`` and ``q4_0``, ``q6``, ``q8``: that many bits, and for each 32 values a scale of 16 bits. The same in ggml
#: (Q8_0 is 34 bytes for 32 values, Q4_0 is 18), ExLlamaV2 and ExLlamaV3. ``q8_q4``: keys and values differ.
_QUANTISED = re.compile(r"q(?P<keys>[2-8])(?:_0|_q?(?P<values>[2-8]))?")
_SCALE_BYTES = Fraction(2, 32)
#: Eager attention holds three score matrices of a layer at its peak: the scores in half precision, their softmax in
#: float32 and that one in half precision again (Transformers 4.31, LlamaAttention.forward on a GPU: 2 + 4 + 2 bytes;
#: a CPU converts the scores before their softmax and holds 10, and a float32 model holds two matrices, 8 as well).
_EAGER_SCORE_BYTES = 8
#: Loaders whose attention is Transformers' own; AutoGPTQ's fused one holds no scores (0.4.2, fused_llama_attn).
_TRANSFORMERS_ATTENTION = frozenset({"Transformers", "GPTQ-for-LLaMa", "AutoAWQ", "HQQ"})
#: Loaders that reserve the whole window at the load, and read a prompt in pieces of at most so many tokens.
_PREALLOCATES = re.compile(r"ExLlama|llama\.?cpp", re.IGNORECASE)
_PREFILL_TOKENS = 2048
#: Estimates. A GPU in use: the CUDA context, kernels and the allocator's slack. A token on its way through a layer: the
#: residual, its norm and three vectors of the MLP, each 2.7 times as wide, in half precision.
_GPU_IN_USE_BYTES = 3 * _GIB // 4
_TOKEN_VECTORS = 10
#: Loaders reserve their caches in steps of this many tokens.
_STEP = 256


def kv_cache_bytes(facts: ModelFacts, tokens: int, cache_type: str = FP16) -> int | None:
    """Bytes of the key-value cache: 2 × layers × key-value heads × head_dim × bytes of a value, for each token.

    None where the shape is not known. A 33B Llama (60 layers, hidden 6656) in fp16: 1.52 MiB for a token.
    """
    heads = facts.num_attention_heads
    key_value_heads = facts.num_key_value_heads or heads
    head_dim = facts.dimension_of_a_head
    if not (facts.num_hidden_layers and key_value_heads and head_dim):
        return None
    values = 2 * facts.num_hidden_layers * key_value_heads * head_dim * tokens
    return int(values * bytes_of_value(cache_type))


def bytes_of_value(cache_type: str) -> Fraction:
    """Bytes of one value of a key-value cache, scales included; what is not known counts as fp16."""
    named = cache_type.strip().lower()
    if named in ("fp8", "8bit"):
        return Fraction(1)
    quantised = _QUANTISED.fullmatch(named)
    if quantised is None:
        return Fraction(_HALF_BYTES)
    keys = int(quantised["keys"])
    return Fraction(keys + int(quantised["values"] or keys), 2 * 8) + _SCALE_BYTES


def plan_memory(
    facts: ModelFacts,
    capabilities: Capabilities,
    loader: str,
    tokens: int,
    window: int,
    weight_file: str | None = None,
    cache_type: str = FP16,
) -> MemoryPlan | None:
    """The memory of a load with ``loader`` at ``tokens`` of context; None where the model's shape is not known.

    ``window`` is the longest context that could be asked for, ``weight_file`` the chosen one of several.
    """
    if kv_cache_bytes(facts, 1) is None:
        return None
    weights = weights_bytes(facts, loader, weight_file)
    in_use = _GPU_IN_USE_BYTES * (len(capabilities.gpu_bytes) or capabilities.gpu)

    def at(context: int) -> MemoryPlan:
        at_once = min(context, _PREFILL_TOKENS) if _PREALLOCATES.search(loader) else context
        working = _TOKEN_VECTORS * (facts.hidden_size or 0) * _HALF_BYTES * at_once
        if loader.startswith("ExLlamav2") and cache_type.lower().startswith("q"):
            working += (kv_cache_bytes(facts, context) or 0) // (facts.num_hidden_layers or 1)  # one layer, unpacked
        return MemoryPlan(
            tokens=context,
            weights_bytes=weights,
            cache_bytes=kv_cache_bytes(facts, context, cache_type) or 0,
            cache_type=cache_type,
            attention_bytes=attention_bytes(facts, capabilities, loader, context),
            working_bytes=working + in_use,
            gpu_bytes=capabilities.gpu_bytes,
        )

    largest = 0
    if capabilities.gpu_bytes:
        fitting, beyond = 0, window // _STEP + 1
        while beyond - fitting > 1:
            middle = (fitting + beyond) // 2
            fitting, beyond = (middle, beyond) if at(middle * _STEP).fits else (fitting, middle)
        largest = window if at(window).fits else fitting * _STEP
    plan = at(tokens)
    return MemoryPlan(**{**vars(plan), "largest_tokens": largest or None})


def attention_bytes(facts: ModelFacts, capabilities: Capabilities, loader: str, tokens: int) -> int:
    """Bytes of one layer's attention scores, for every head ``tokens`` × ``tokens``; 0 where attention is fused."""
    if not capabilities.attention_switch or loader not in _TRANSFORMERS_ATTENTION:
        return 0
    return _EAGER_SCORE_BYTES * (facts.num_attention_heads or 0) * tokens * tokens


def weights_bytes(facts: ModelFacts, loader: str, weight_file: str | None) -> int:
    """Bytes of the files that are loaded: every part of the chosen one, or all of the best format in the folder."""
    files = facts.weight_files
    chosen = [weight_file] if weight_file is not None else [file.name for file in alternatives(files)]
    wholes = {whole_name(name) for name in chosen}
    size = sum(file.size_bytes for file in files if whole_name(file.name) in wholes)
    # Transformers' loaders keep half of what was stored in float32.
    return size // 2 if loader == "Transformers" and facts.torch_dtype == "float32" else size


def memory_reasons(memory: MemoryPlan | None, loader: str) -> tuple[Reason, ...]:
    """Where the bytes go, as a reason of the plan's ``memory``."""
    if memory is None:
        return ()
    when = "reserved whole at the load" if _PREALLOCATES.search(loader) else "growing with the context"
    per_token = memory.cache_bytes / max(1, memory.tokens)
    a_token = f"{per_token / _MIB:.2f} MiB" if per_token >= _MIB else f"{per_token / 1024:.1f} KiB"
    parts = [
        f"weights {gib(memory.weights_bytes)}",
        f"key-value cache {gib(memory.cache_bytes)} ({memory.cache_type}, {a_token} a token, {when})",
        *([f"attention scores {gib(memory.attention_bytes)}"] if memory.attention_bytes else []),
        f"working space about {gib(memory.working_bytes)} (an estimate)",
    ]
    there = f"; the {_gpus(memory)}" if memory.gpu_bytes else ""
    return (Reason("memory", ", ".join(parts) + there, "the sizes of the files and the shape of the model"),)


def memory_warnings(memory: MemoryPlan | None) -> Iterator[str]:
    """What does not fit the GPUs; where they are not known, what is large."""
    if memory is None or memory.fits:
        return
    if memory.fits is None:
        if memory.cache_bytes >= _GIB:
            yield (
                f"At {memory.tokens} tokens the key-value cache takes {gib(memory.cache_bytes)} ({memory.cache_type}),"
                f" beside {gib(memory.weights_bytes)} of weights."
            )
        return
    advice = "No context fits beside the weights: a smaller quantisation, or more GPUs, would be needed."
    if memory.largest_tokens is not None:
        advice = f"{memory.largest_tokens} tokens would fit; nothing was changed."
    yield (
        f"{memory.tokens} tokens need about {gib(memory.total_bytes)}, of which the weights are"
        f" {gib(memory.weights_bytes)} and the key-value cache {gib(memory.cache_bytes)} ({memory.cache_type}), but the"
        f" {_gpus(memory)}. {advice}"
    )


def _gpus(memory: MemoryPlan) -> str:
    count, size = len(memory.gpu_bytes), gib(sum(memory.gpu_bytes))
    return f"GPU has {size}" if count == 1 else f"{count} GPUs have {size} together"


def gib(size: int) -> str:
    """``12.2 GiB``; what is smaller than a tenth of that in MiB."""
    return f"{size / _GIB:.1f} GiB" if size >= _GIB // 10 else f"{size / _MIB:.1f} MiB"
