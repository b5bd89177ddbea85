"""Which weight file to load where a folder holds several whole models, as some GPTQ repositories do."""

from __future__ import annotations

from dataclasses import dataclass

from ..context_plan import Reason
from ..foreign_text import quoted
from ..model_facts import ModelFacts, WeightFile
from ..reading.model_card import SOURCE as CARD
from ..reading.model_card import card_weight_name
from ..reading.weight_files import act_order, alternatives


@dataclass(frozen=True)
class WeightChoice:
    name: str | None
    reasons: tuple[Reason, ...] = ()
    warnings: tuple[str, ...] = ()


def choose_weight_file(facts: ModelFacts) -> WeightChoice:
    """The file to load, by ``desc_act`` in the quantisation config, else by the card's example, else the first one.

    An act-order file needs ``desc_act`` true and any other file needs it false: a GPTQ loader that is told the
    wrong one reads the weights in the wrong order. Without several files there is nothing to choose.
    """
    files = alternatives(facts.weight_files)
    if len(files) < 2 or facts.weight_format == "fp16":
        return WeightChoice(None)
    file, because, source = _choose(facts, files)
    if facts.weight_format in ("gguf", "ggml"):
        file, because, source = files[0], "llama.cpp takes the first by name; move the others away", "the file names"
    names = ", ".join(quoted(other.name) for other in files[:6])
    return WeightChoice(
        file.name,
        (Reason("weight_file", because, source),),
        (f"The folder holds {len(files)} whole models ({names}); {quoted(file.name)} is planned, because {because}.",),
    )


def _choose(facts: ModelFacts, files: tuple[WeightFile, ...]) -> tuple[WeightFile, str, str]:
    desc_act = facts.quantization.desc_act if facts.quantization else None
    stated_by = facts.quantization.source if facts.quantization else ""
    stated = desc_act is not None and stated_by.endswith(("config.json", "quantization_config"))
    if stated:
        # A file whose name says nothing was written without act-order.
        matching = [file for file in files if bool(act_order(file.name)) == desc_act]
        if len(matching) == 1:
            return matching[0], f"{stated_by} says desc_act {str(desc_act).lower()}", stated_by
    in_card = card_weight_name(facts.card_text)
    for file in files:
        if in_card is not None and file.name.lower().startswith(in_card.lower() + "."):
            return file, "the card's own example loads it", CARD
    plain = [file for file in files if act_order(file.name) is False]
    if len(plain) == 1:
        return plain[0], "it works without act-order (desc_act), which not every loader reads", "the file names"
    return files[0], "it is the first by name; move the others away to load another one", "the file names"
