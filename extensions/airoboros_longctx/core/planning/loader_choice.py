"""Which loader should hold a model: by weight format, bits and requested context, from those the host has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..capabilities import Capabilities
from ..context_plan import PlanRequest
from ..mechanisms import NONE
from ..model_facts import ModelFacts
from .memory_plan import attention_bytes, gib

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
    "gptq": ("ExLlama", "ExLlama_HF", "AutoGPTQ", "Transformers", "ExLlamav2_HF", "ExLlamav2", "GPTQ-for-LLaMa"),
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
    ("gptq", "ExLlamav2_HF"): ("it reads 4-bit GPTQ of a Llama", "ExLlamav2's own documentation"),
    ("gptq", "ExLlamav2"): ("it reads 4-bit GPTQ of a Llama", "ExLlamav2's own documentation"),
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
_NEEDS_GPU = ("ExLlamav2", "ExLlamav2_HF", "ExLlamav3", "ExLlamav3_HF")
_GIB = 1 << 30


@dataclass(frozen=True)
class LoaderChoice:
    loader: str
    because: str
    source: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Objection:
    """Why a loader should not hold a model. ``curable``: it loads the model, or does once something is installed."""

    sentence: str
    source: str
    curable: bool = False


def choose_loader(
    facts: ModelFacts,
    capabilities: Capabilities,
    request: PlanRequest,
    requested_tokens: int,
    needs_scaling: bool = False,
) -> LoaderChoice:
    """The best loader for ``requested_tokens``; an explicit choice of the user's wins, with its warning.

    ``needs_scaling``: the model is stretched, and somebody other than its own files has to tell the loader so.
    """
    choice = _choose(facts, capabilities, request, requested_tokens, needs_scaling)
    attention = _attention(choice.loader, facts, capabilities, requested_tokens)
    return replace(choice, warnings=(*choice.warnings, *attention))


def _choose(
    facts: ModelFacts, capabilities: Capabilities, request: PlanRequest, requested_tokens: int, needs_scaling: bool
) -> LoaderChoice:
    best = _best(facts, capabilities, requested_tokens, needs_scaling)
    asked = request.loaded_with or request.loader
    if asked is None:
        return best
    spelled = {_plain(loader): loader for loader in capabilities.loaders}.get(_plain(asked), asked)
    if request.loaded_with is None and spelled not in capabilities.mechanisms:
        there = ", ".join(capabilities.loaders) or "none"
        warning = f"{asked} is not a loader of {capabilities.host} ({there}); {best.loader} is planned instead."
        if spelled in capabilities.missing:
            warning = f"{asked} needs {_packages(capabilities, spelled)}; {best.loader} is planned instead."
        return LoaderChoice(best.loader, best.because, best.source, (warning, *best.warnings))
    objections = _objections(spelled, facts, capabilities, requested_tokens, needs_scaling)
    warnings = tuple(f"{spelled}: {objection.sentence}." for objection in objections)
    if request.loaded_with is not None:
        because = "the model is already loaded with it"
        if best.loader != spelled:
            because += f"; {best.loader} would be the better choice ({best.because})"
        return LoaderChoice(spelled, because, "the host", warnings)
    return LoaderChoice(spelled, "you chose it", "you", warnings)


def _plain(loader: str) -> str:
    return "".join(character for character in loader.lower() if character.isalnum())


def _packages(capabilities: Capabilities, loader_or_format: str) -> str:
    """``gptqmodel, which is not installed`` with the way to install it, for a row of ``capabilities.missing``."""
    packages = capabilities.missing[loader_or_format]
    verb = "is" if len(packages) == 1 else "are"
    names = " and ".join(packages)
    if packages[0].startswith("repositories/"):
        return f"a checkout in {names}, which is not there"
    return f"{names}, which {verb} not installed (pip install {' '.join(packages)}, in the webui's own environment)"


def _best(facts: ModelFacts, capabilities: Capabilities, requested_tokens: int, needs_scaling: bool) -> LoaderChoice:
    form = facts.weight_format or UNKNOWN
    preferred = PREFERENCES.get(form, ("Transformers",))
    against = {
        loader: _objections(loader, facts, capabilities, requested_tokens, needs_scaling) for loader in preferred
    }
    there = [loader for loader in preferred if loader in capabilities.mechanisms]
    fitting = next((loader for loader in there if not against[loader]), None)
    if fitting is not None:
        passed_over = [entry for loader in there[: there.index(fitting)] for entry in against[loader]]
        return _because(form, fitting, passed_over)
    curable = next((loader for loader in there if all(entry.curable for entry in against[loader])), None)
    needed = next((loader for loader in preferred if loader not in there and not against[loader]), None)
    if curable is not None or (there and needed is None):
        loader = curable or there[0]
        warnings = tuple(f"{loader}: {entry.sentence}." for entry in against[loader])
        return replace(_because(form, loader, []), warnings=warnings)
    loader = needed or preferred[0]
    warning = f"{capabilities.host} has no loader for this model ({form} weights); {loader} would be needed."
    if loader in capabilities.missing:
        warning = f"{warning[:-1]}: it needs {_packages(capabilities, loader)}."
    return LoaderChoice(loader, f"it loads {form} weights", "the host's loaders", (warning,))


def _because(form: str, loader: str, passed_over: list[Objection]) -> LoaderChoice:
    because, source = BECAUSE.get((form, loader), (f"it loads {form} weights", "the host's loaders"))
    if passed_over:
        because = "; ".join(dict.fromkeys([because, *(objection.sentence for objection in passed_over)]))
        source = passed_over[0].source
    return LoaderChoice(loader, because.rstrip("."), source)


def _objections(
    loader: str, facts: ModelFacts, capabilities: Capabilities, requested_tokens: int, needs_scaling: bool
) -> list[Objection]:
    """Why ``loader`` should not hold this model."""
    return [
        *(_exllama(facts, capabilities, requested_tokens) if loader in _EXLLAMA else ()),
        *(_another_engine(loader, facts, capabilities) if loader in _NEEDS_GPU else ()),
        *(_lacking_packages(facts, capabilities) if loader == "Transformers" else ()),
        *(_unscalable(loader, facts, capabilities) if needs_scaling else ()),
    ]


def _exllama(facts: ModelFacts, capabilities: Capabilities, requested_tokens: int) -> Iterator[Objection]:
    if requested_tokens > EXLLAMA_TOKENS:
        yield Objection(f"for context beyond {EXLLAMA_TOKENS} tokens do not use ExLlama, use AutoGPTQ", _LXCTX_CARD)
    yield from _four_bit_llama("ExLlama", facts, _M2_CARD)
    if not capabilities.gpu:
        yield Objection("ExLlama needs a GPU, and none is there", CARDS)


def _four_bit_llama(engine: str, facts: ModelFacts, source: str) -> Iterator[Objection]:
    bits = facts.quantization.bits if facts.quantization else None
    if bits != 4:
        stated = "the number of bits is not stated" if bits is None else f"these weights have {bits} bits"
        yield Objection(f"{engine} takes 4-bit Llama models only, and {stated}", source)
    if facts.model_type not in (None, "llama"):
        yield Objection(f"{engine} takes Llama models only, and this is {facts.model_type}", source)


def _another_engine(loader: str, facts: ModelFacts, capabilities: Capabilities) -> Iterator[Objection]:
    engine = loader.removesuffix("_HF")
    if facts.weight_format == "gptq":
        yield from _four_bit_llama(engine, facts, f"{engine}'s own documentation")
    if not capabilities.gpu:
        yield Objection(f"{engine} needs a GPU, and none is there", f"{engine}'s own documentation")


def _lacking_packages(facts: ModelFacts, capabilities: Capabilities) -> Iterator[Objection]:
    form = facts.weight_format or UNKNOWN
    if form in capabilities.missing:
        sentence = f"for {form} weights Transformers needs {_packages(capabilities, form)}"
        yield Objection(sentence, "Transformers' documentation", curable=True)


def _unscalable(loader: str, facts: ModelFacts, capabilities: Capabilities) -> Iterator[Objection]:
    if capabilities.mechanisms.get(loader) != NONE:
        return
    preferred = PREFERENCES.get(facts.weight_format or UNKNOWN, ("Transformers",))
    others = [name for name in preferred if capabilities.mechanisms.get(name, NONE) != NONE]
    use = f"use {' or '.join(others)}" if others else f"and {capabilities.host} has no loader of these weights that can"
    yield Objection(f"it cannot be scaled here, {use}", f"the loaders of {capabilities.host}", curable=True)


def _attention(loader: str, facts: ModelFacts, capabilities: Capabilities, tokens: int) -> Iterator[str]:
    """Where eager attention needs a GiB or more for a prompt of ``tokens``: the host's switch, for the user to set."""
    needed = attention_bytes(facts, capabilities, loader, tokens)
    if needed >= _GIB:
        yield (
            f"A prompt of {tokens} tokens needs {gib(needed)} for the attention scores of one layer, because {loader}"
            f" writes all of them into memory here. To avoid that, {capabilities.attention_switch}."
        )
