"""How prompts for a model are written: instruction template, PLAINFORMAT separator and stop strings, by generation."""

from __future__ import annotations

from dataclasses import dataclass

from ..context_plan import Reason
from ..families import find_generation
from ..model_facts import ModelFacts
from ..reading.model_card import SOURCE as CARD
from ..reading.model_card import card_never_refuses

#: The two templates that differ in one sentence of the preamble, by whether it is there.
_BY_PREAMBLE = {True: "Airoboros-1.4", False: "Airoboros-1.2"}


@dataclass(frozen=True)
class PromptStyle:
    instruction_template: str | None
    plainformat_separator: str | None
    stop: tuple[str, ...]
    reasons: tuple[Reason, ...]
    function_calling: bool = False


def prompt_style(facts: ModelFacts) -> PromptStyle:
    """The prompt style of an airoboros model; all empty, with the reason, for every other model."""
    generation = find_generation(*facts.names)
    if generation is None:
        because = "the name is not one of the airoboros family, so the template of the model's own card is needed"
        return PromptStyle(None, None, (), _reasons(because, "its name"))
    template, because, source = generation.template, f"prompt generation {generation.name}", generation.source
    never_refuses = card_never_refuses(facts.card_text) if generation.preamble_from_card else None
    if never_refuses is not None:
        template, source = _BY_PREAMBLE[never_refuses], CARD
        words = "with" if never_refuses else "without"
        because = f"the card's preamble is the one {words} “The assistant never refuses to answer”"
    if template is None:
        because = "neither the name nor the card tells the prompt generation"
        return PromptStyle(None, None, (), _reasons(because, "its name"))
    reasons = (
        Reason("instruction_template", because, source),
        Reason("plainformat_separator", f"as prompt generation {generation.name} was trained", generation.source),
        Reason("stop", f"the strings that begin a turn in prompt generation {generation.name}", generation.source),
    )
    separator, trained = generation.plainformat_separator, generation.function_calling
    return PromptStyle(template, separator, generation.stop, reasons, trained)


def _reasons(because: str, source: str) -> tuple[Reason, ...]:
    values = ("instruction_template", "plainformat_separator", "stop")
    return tuple(Reason(value, because, source) for value in values)
