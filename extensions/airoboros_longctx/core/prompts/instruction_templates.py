"""The models' prompt formats, as data in ``templates/``, and rendering a conversation with them."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import AiroborosLongctxError
from ..shipped_yaml import read_shipped_yaml

#: Where nothing tells a model's generation: most of these models are of it.
DEFAULT_TEMPLATE = "Airoboros-1.4"
TEMPLATES_FOLDER = Path(__file__).parents[2] / "templates"


class InstructionTemplateError(AiroborosLongctxError):
    """A template that is not there."""


@dataclass(frozen=True)
class InstructionTemplate:
    """One generation's format. ``reply_start`` is what stands between the template and the model's first token."""

    name: str
    generations: tuple[str, ...]
    source: str
    system: str
    first_turn: str
    later_turn: str
    reply: str
    reply_start: str
    stop: tuple[str, ...]


@functools.cache
def instruction_templates() -> dict[str, InstructionTemplate]:
    """Every template that ships, by name."""
    found = {}
    for path in sorted(TEMPLATES_FOLDER.glob("*.yaml")):
        data = read_shipped_yaml(path)
        template = InstructionTemplate(
            **{**data, "generations": tuple(data["generations"]), "stop": tuple(data["stop"])}
        )
        found[template.name] = template
    return found


def instruction_template(name: str) -> InstructionTemplate:
    """The template called ``name``; InstructionTemplateError names those there are."""
    try:
        return instruction_templates()[name]
    except KeyError:
        there = ", ".join(instruction_templates())
        raise InstructionTemplateError(f"Template {name!r} found; one of {there} is needed.") from None


def render_conversation(
    template: InstructionTemplate, question: str, history: Sequence[tuple[str, str]] = (), system: str | None = None
) -> str:
    """The exact prompt for ``question`` after the finished turns (user, assistant) in ``history``, oldest first."""
    parts: list[str] = []
    for user, assistant in [*history, (question, None)]:
        turn = template.later_turn if parts else template.first_turn
        parts.append(_filled(turn, system=template.system if system is None else system, user=user))
        if assistant is not None:
            parts.append(_filled(template.reply, assistant=assistant))
    return "".join(parts) + template.reply_start


def _filled(pattern: str, **values: str) -> str:
    """``pattern`` with each ``{name}`` replaced once, in one pass: a value's own braces stay as they are."""
    for name, value in values.items():
        head, mark, tail = pattern.partition("{" + name + "}")
        if mark:
            rest = {key: text for key, text in values.items() if key != name}
            return _filled(head, **rest) + value + _filled(tail, **rest)
    return pattern
