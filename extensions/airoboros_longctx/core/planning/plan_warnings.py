"""What the user should know before a planned load: limits of the training, quirks of the weights."""

from __future__ import annotations

from collections.abc import Iterator

from ..model_facts import ModelFacts
from .scaling_decision import ScalingDecision


def load_warnings(facts: ModelFacts, decision: ScalingDecision, loader: str, tokens: int) -> Iterator[str]:
    """Warnings for a load with ``loader`` at ``tokens`` of context."""
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
            " (about a third of the speed)."
            + (" With that kernel, prompts of more than 2048 tokens need auto-gptq 0.4.2 or newer." * (tokens > 2048))
        )
