"""The plan for a model that a server holds: its window and how its prompts are written. Nothing is scaled from here."""

from __future__ import annotations

from dataclasses import replace

from ..context_plan import ContextPlan, Reason
from ..families import Family, find_family, generations
from ..foreign_text import quoted
from ..mechanisms import SERVED
from ..model_facts import ModelFacts, ServedFacts
from ..prompts.instruction_templates import DEFAULT_TEMPLATE, instruction_template
from ..rope_scaling import NO_SCALING, spoken
from .prompt_style import PromptStyle, prompt_style

#: The least of the windows that these models have: Llama's of 2023.
_ASSUMED_TOKENS = 2048
_USER = "--context"
_SERVER = "the server"
_EXTENSION = "this extension"


def plan_served_model(facts: ServedFacts) -> ContextPlan:
    """The window, the template and what is not known. Raises InstructionTemplateError for a template not there."""
    name = facts.names[0] or facts.model
    family = find_family(*facts.names)
    style = _style(facts, name)
    tokens, window_reason, warnings = _context(facts, family)
    scaling, needs = _scaling(family)
    warnings = [*needs, *warnings]
    if not facts.counted_by:
        warnings.append(
            "This server counts no tokens for others: prompts are measured by an estimate that errs on the safe side."
        )
    return ContextPlan(
        model=quoted(name),
        rope_type=NO_SCALING,
        factor=1.0,
        original_max_position_embeddings=tokens,
        max_position_embeddings=facts.window or tokens,
        truncation_length=tokens,
        loader=facts.server,
        mechanism=SERVED,
        instruction_template=style.instruction_template,
        plainformat_separator=style.plainformat_separator,
        stop=style.stop,
        warnings=tuple(warnings),
        reasons=(
            scaling,
            window_reason,
            Reason("max_position_embeddings", *_window_because(facts)),
            Reason("loader", "the model is asked through this server", "--server"),
            *style.reasons,
        ),
        function_calling=style.function_calling,
    )


def _context(facts: ServedFacts, family: Family | None) -> tuple[int, Reason, list[str]]:
    asked, window = facts.context_tokens, facts.window
    if asked is not None:
        reason, warnings = Reason("truncation_length", f"{asked} tokens were asked for", _USER), []
        if window is not None and asked > window:
            warnings = [
                f"{asked} tokens were asked for ({_USER}), but the server says {window} ({facts.window_source}): "
                "longer prompts may be refused, or cut."
            ]
        return asked, reason, warnings
    if window is not None:
        return window, Reason("truncation_length", *_window_because(facts)), []
    assumed = family.original_max_position_embeddings if family is not None else _ASSUMED_TOKENS
    because = f"the server does not say its window, so {assumed} tokens are assumed"
    known = "the unscaled window of its family" if family is not None else "the base window of the first Llamas"
    advice = f"The server does not say its window: {assumed} tokens are assumed, {known}. Say it with {_USER} N."
    return assumed, Reason("truncation_length", because, _EXTENSION), [advice]


def _window_because(facts: ServedFacts) -> tuple[str, str]:
    if facts.window is None:
        return "the server does not say its window", _SERVER
    return f"the server says {facts.window} tokens", facts.window_source


def _scaling(family: Family | None) -> tuple[Reason, list[str]]:
    """What the name says that the server should have been told; nothing can be read back through it."""
    if family is None:
        return Reason("factor", "a server does not say what scaling it runs", _SERVER), []
    source = family.statement().source
    if family.rope_type == NO_SCALING:
        return Reason("factor", f"by its name ({family.name}) it needs no scaling", source), []
    needed = f"{spoken(family.rope_type, family.factor)} for {family.max_position_embeddings} tokens"
    warning = f"By its name it needs {needed}: see that its server was started with that."
    return Reason("factor", f"by its name ({family.name}) it needs {needed}", source), [warning]


def _style(facts: ServedFacts, name: str) -> PromptStyle:
    """How prompts are written: by the user's template, else by the name, else by the default."""
    found = prompt_style(ModelFacts(path=facts.model, name=facts.model, model=name))
    if facts.template is None and found.instruction_template is not None:
        return found
    template = instruction_template(facts.template or DEFAULT_TEMPLATE)
    if facts.template is None:
        because = "the name tells no prompt generation, so it is the default"
        return PromptStyle(template.name, None, template.stop, (Reason("instruction_template", because, _EXTENSION),))
    asked = Reason("instruction_template", "asked for", "--template")
    if template.name == found.instruction_template:
        others = (one for one in found.reasons if one.value != asked.value)
        return replace(found, reasons=(asked, *others))
    separator = next((one.plainformat_separator for one in generations() if one.template == template.name), None)
    return PromptStyle(template.name, separator, template.stop, (asked,))
