"""What the user should know before a planned load: memory, limits of the training, quirks of the weights."""

from __future__ import annotations

from collections.abc import Iterator

from ..model_facts import ModelFacts
from .scaling_decision import ScalingDecision

_GIB = 1 << 30
_FP16_BYTES = 2


def kv_cache_bytes(facts: ModelFacts, tokens: int) -> int | None:
    """Bytes of an fp16 key-value cache: 2 × layers × key-value heads × head_dim × 2 bytes for each token.

    None where config.json does not give the shape. A 33B Llama (60 layers, hidden 6656): 1.52 MiB for a token.
    """
    heads = facts.num_attention_heads
    key_value_heads = facts.num_key_value_heads or heads
    head_dim = facts.head_dim
    if head_dim is None and facts.hidden_size and heads:
        head_dim = facts.hidden_size // heads
    if not (facts.num_hidden_layers and key_value_heads and head_dim):
        return None
    return 2 * facts.num_hidden_layers * key_value_heads * head_dim * _FP16_BYTES * tokens


def load_warnings(facts: ModelFacts, decision: ScalingDecision, loader: str, tokens: int) -> Iterator[str]:
    """Warnings for a load with ``loader`` at ``tokens`` of context."""
    cache = kv_cache_bytes(facts, tokens)
    if cache is not None and cache >= _GIB:
        yield f"At {tokens} tokens the key-value cache takes {cache / _GIB:.1f} GiB (fp16), beside the weights."
    trained = decision.trained_tokens
    if trained is not None and tokens > trained:
        yield (
            f"The model was trained on sequences of up to {trained} tokens only; between {trained} and {tokens}"
            " its answers were never trained. Check with a question whose answer lies that deep."
        )
    quantization = facts.quantization
    if loader == "AutoGPTQ" and quantization and quantization.desc_act and (quantization.group_size or 0) > 0:
        yield (
            f"desc_act with group size {quantization.group_size}: AutoGPTQ is slow on this without its exllama kernel"
            " (about a third of the speed), and with that kernel long prompts fail with “temp_state buffer is too"
            f" small” unless auto_gptq.exllama_set_max_input_length(model, {tokens}) is called after the load."
        )
