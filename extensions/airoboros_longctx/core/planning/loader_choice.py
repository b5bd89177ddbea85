"""Which loader should hold a model: by weight format, bits and requested context, from those the host has."""

from __future__ import annotations

from dataclasses import dataclass

from ..context_plan import Capabilities, PlanRequest
from ..model_facts import ModelFacts

#: Above this many tokens the model cards say: do not use ExLlama, use AutoGPTQ.
EXLLAMA_TOKENS = 8192
CARDS = "the model cards"
_LXCTX_CARD = "the card of airoboros-33b-gpt4-1.4.1-lxctx-PI-16384-GPTQ"
_M2_CARD = "the card of Airoboros-65B-GPT4-m2.0-GPTQ"

UNKNOWN = "unknown"
#: Loaders for each weight format, the best first; Transformers for every other one.
PREFERENCES: dict[str, tuple[str, ...]] = {
    "fp16": ("Transformers",),
    "gguf": ("llama.cpp", "llamacpp_HF", "ctransformers"),
    "ggml": ("llama.cpp", "llamacpp_HF", "ctransformers"),
    "gptq": ("ExLlama", "ExLlama_HF", "AutoGPTQ", "Transformers"),
    "awq": ("AutoAWQ", "Transformers"),
    "exl2": ("ExLlamav2", "ExLlamav2_HF"),
    "exl3": ("ExLlamav3", "ExLlamav3_HF"),
}
BECAUSE: dict[tuple[str, str], tuple[str, str]] = {
    ("fp16", "Transformers"): ("the weights are not quantised", CARDS),
    (UNKNOWN, "Transformers"): ("there are no weight files that ask for another one", "the folder"),
    ("gguf", "llama.cpp"): ("the weights are GGUF", CARDS),
    ("ggml", "llama.cpp"): ("the weights are GGML", CARDS),
    ("gptq", "ExLlama"): ("4-bit GPTQ of a Llama, up to 8192 tokens: the fastest", CARDS),
    ("gptq", "ExLlama_HF"): ("4-bit GPTQ of a Llama, up to 8192 tokens, and ExLlama itself is not there", CARDS),
    ("gptq", "AutoGPTQ"): ("the weights are GPTQ", CARDS),
    ("gptq", "Transformers"): (
        "the weights are GPTQ and this host has neither ExLlama nor AutoGPTQ; Transformers reads them where optimum"
        " and gptqmodel are installed",
        "Transformers' documentation on GPTQ",
    ),
}
#: Loaders that build the model from config.json, and so run the scaling that it states.
READS_CONFIG = frozenset({"Transformers", "AutoGPTQ", "GPTQ-for-LLaMa", "AutoAWQ", "HQQ", "ExLlamav3", "ExLlamav3_HF"})
#: Loaders that run the scaling that a GGUF file's own metadata states.
READS_GGUF = frozenset({"llama.cpp", "llamacpp_HF"})
#: Loaders that can run a model's own code.
RUNS_REMOTE_CODE = frozenset({"Transformers", "AutoGPTQ"})
_EXLLAMA = frozenset({"ExLlama", "ExLlama_HF"})


@dataclass(frozen=True)
class LoaderChoice:
    loader: str
    because: str
    source: str
    warnings: tuple[str, ...] = ()


def choose_loader(
    facts: ModelFacts, capabilities: Capabilities, request: PlanRequest, requested_tokens: int
) -> LoaderChoice:
    """The best loader for ``requested_tokens``; an explicit choice of the user's wins, with its warning."""
    best = _best(facts, capabilities, requested_tokens)
    asked = request.loaded_with or request.loader
    if asked is None:
        return best
    spelled = {_plain(loader): loader for loader in capabilities.loaders}.get(_plain(asked), asked)
    if request.loaded_with is None and spelled not in capabilities.mechanisms:
        there = ", ".join(capabilities.loaders) or "none"
        warning = f"{asked} is not a loader of {capabilities.host} ({there}); {best.loader} is planned instead."
        return LoaderChoice(best.loader, best.because, best.source, (warning, *best.warnings))
    objections = _objections(spelled, facts, capabilities, requested_tokens)
    warnings = tuple(f"{spelled}: {sentence}." for sentence, _ in objections)
    if request.loaded_with is not None:
        because = "the model is already loaded with it"
        if best.loader != spelled:
            because += f"; {best.loader} would be the better choice ({best.because})"
        return LoaderChoice(spelled, because, "the host", warnings)
    return LoaderChoice(spelled, "you chose it", "you", warnings)


def _plain(loader: str) -> str:
    return "".join(character for character in loader.lower() if character.isalnum())


def _best(facts: ModelFacts, capabilities: Capabilities, requested_tokens: int) -> LoaderChoice:
    form = facts.weight_format or UNKNOWN
    preferred = PREFERENCES.get(form, ("Transformers",))
    objections: list[tuple[str, str]] = []
    for loader in preferred:
        if loader not in capabilities.mechanisms:
            continue
        against = _objections(loader, facts, capabilities, requested_tokens)
        if not against:
            because, source = BECAUSE.get((form, loader), (f"it loads {form} weights", "the host's loaders"))
            if objections:
                because = "; ".join([because, *(sentence for sentence, _ in objections)])
                source = objections[0][1]
            return LoaderChoice(loader, because.rstrip("."), source)
        objections += [entry for entry in against if entry not in objections]
    needed = next(name for name in preferred if not _objections(name, facts, capabilities, requested_tokens))
    warning = f"{capabilities.host} has no loader for this model ({form} weights); {needed} would be needed."
    return LoaderChoice(needed, f"it loads {form} weights", "the host's loaders", (warning,))


def _objections(
    loader: str, facts: ModelFacts, capabilities: Capabilities, requested_tokens: int
) -> list[tuple[str, str]]:
    """Why ``loader`` should not hold this model: a sentence and its source each."""
    if loader not in _EXLLAMA:
        return []
    found: list[tuple[str, str]] = []
    bits = facts.quantization.bits if facts.quantization else None
    if requested_tokens > EXLLAMA_TOKENS:
        found.append(
            (f"for context beyond {EXLLAMA_TOKENS} tokens do not use ExLlama, use AutoGPTQ", _LXCTX_CARD),
        )
    if bits != 4:
        stated = "the number of bits is not stated" if bits is None else f"these weights have {bits} bits"
        found.append((f"ExLlama takes 4-bit Llama models only, and {stated}", _M2_CARD))
    if facts.model_type not in (None, "llama"):
        found.append((f"ExLlama takes Llama models only, and this is {facts.model_type}", _M2_CARD))
    if not capabilities.gpu:
        found.append(("ExLlama needs a GPU, and none is there", CARDS))
    return found
