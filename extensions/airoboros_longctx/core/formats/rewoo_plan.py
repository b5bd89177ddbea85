"""Plans with tools (reWOO): the models write which tools to call with what, and somebody else calls them.

The format is the card's (https://huggingface.co/jondurbin/airoboros-65b-gpt4-m2.0), its line end in the first sentence
and its missing colon included. In the other spelling the same sentences name evidence ``#E1``, from 1 on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..foreign_text import quoted, quoted_value
from ..prompts.look_alikes import defuse_text
from .errors import FormatError
from .form_field import CHOICE, LIST, TEXT, FormField
from .plan_evidence import EVIDENCE, HASH, SPELLINGS
from .plan_reply import parse_plan
from .plan_steps import Plan
from .request_fields import checked_fields, require_no_mark, required_text

NAME = "rewoo_plan"
TITLE = "Plan with tools (reWOO)"
DESCRIPTION = "The model plans which tools to call with what. You see the plan, and run it here if you like it."
SOURCE = "https://huggingface.co/jondurbin/airoboros-65b-gpt4-m2.0"
#: The field with the tools.
TOOLS = "tools"
FIELDS = (
    FormField("question", "Question", TEXT),
    FormField(TOOLS, "Tools, one per line (Name: description)", LIST),
    FormField("spelling", "Evidence is named", CHOICE, EVIDENCE, choices=(EVIDENCE, HASH)),
)

_TOOL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
#: How a description written in the card's spelling names evidence.
_IN_DESCRIPTION = re.compile(r":evidence(\[n\]|[0-9]{1,6}):")
_OPENING = """\
Please construct a systematic plan to generate an optimal response to the user instruction, utilizing a set of \
provided tools. Each plan will correspond to an evidence value, which will be the output of one of the available \
functions given an input string
that could be the user's question, one or more prior evidence values, or a combination of both."""


@dataclass(frozen=True)
class Tool:
    """A tool as the model is told of it. A description names evidence as the card does (``:evidence1:``)."""

    name: str
    description: str


@dataclass(frozen=True)
class PlanRequest:
    """``spelling`` is one of plan_evidence.SPELLINGS: ``:evidence0:`` or ``#E1``."""

    question: str
    tools: tuple[Tool, ...]
    spelling: str = EVIDENCE


def request_from(data: Mapping[str, Any]) -> PlanRequest:
    """``question``, ``tools`` (a mapping from names to descriptions, or a line ``Name: description`` for each) and if
    need be ``spelling``. Raises FormatError.
    """
    checked_fields(data, ("question", TOOLS), ("spelling",), TITLE)
    tools, spelling = data[TOOLS], data.get("spelling") or EVIDENCE
    if not isinstance(spelling, str):
        raise FormatError(f"The spelling is {quoted_value(spelling, 60)}; {EVIDENCE} or {HASH} is needed.")
    if isinstance(tools, str):
        tools = _named_in(tools)
    if not isinstance(tools, Mapping):
        raise FormatError(f"tools is {quoted_value(tools, 60)}; the name of each tool with its description is needed.")
    for name, description in tools.items():
        if not isinstance(name, str) or not isinstance(description, str):
            raise FormatError(f"tools has {quoted_value(name, 60)}; a name with a description is needed.")
    request = PlanRequest(required_text(data, "question"), tuple(Tool(*tool) for tool in tools.items()), spelling)
    _require_valid(request)
    return request


def _named_in(lines: str) -> dict[str, str]:
    tools: dict[str, str] = {}
    for number, line in enumerate(lines.splitlines(), 1):
        name, colon, description = line.partition(":")
        name = name.strip().removesuffix("[input]")
        if line.strip() and not (colon and description.strip()):
            raise FormatError(f"{quoted(line, 60)!r} found; a tool as Name: description is needed.", number)
        if name in tools:
            raise FormatError(f"Two tools are called {quoted(name, 60)}; each needs its own name.", number)
        if line.strip():
            tools[name] = description.strip()
    return tools


def render(request: PlanRequest) -> str:
    """What stands between USER: and ASSISTANT:, exactly as trained. FormatError where the request cannot be used."""
    _require_valid(request)
    form = SPELLINGS[request.spelling]
    first, second = form.name(form.first), form.name(form.first + 1)
    cut = first.removesuffix(":")

    def respelled(description: str) -> str:
        return defuse_text(_IN_DESCRIPTION.sub(lambda found: form.name(found[1]), description), starts_line=False)[0]

    return "\n".join(
        [
            _OPENING,
            "",
            "Here are the tools available to be called:",
            *(f"{tool.name}[input]: {respelled(tool.description)}" for tool in request.tools),
            "",
            "The output should be in format:",
            "Plan: [first action to take based on input question]",
            f"{first} = [function to call with input parameter]",
            f"Plan: [next action to take, based on result of {first}]",
            f"{second} = [next function to call and input parameter, which may include reference to previous evidence, "
            f'e.g. "Given context {cut}"]',
            "...",
            f"Answer: [{form.name('[n]')} containing the final answer.]",
            "",
            f"Question: {defuse_text(request.question)[0]}",
        ]
    )


def parse(reply: str, request: PlanRequest) -> Plan:
    """The plan in ``reply``. FormatError, with the line, where it has none that could be run."""
    _require_valid(request)
    return parse_plan(reply, [tool.name for tool in request.tools], request.spelling)


def _require_valid(request: PlanRequest) -> None:
    if not request.question.strip():
        raise FormatError("The question is empty; one that the plan shall answer is needed.")
    if request.spelling not in SPELLINGS:
        raise FormatError(f"The spelling is {quoted_value(request.spelling, 60)}; {EVIDENCE} or {HASH} is needed.")
    require_tools(request.tools)


def require_tools(tools: Sequence[Tool]) -> None:
    """Raise FormatError for the first tool that a model could not be told of, or not tell from another."""
    if not tools:
        raise FormatError("There is no tool; a plan needs at least one.")
    seen: set[str] = set()
    for tool in tools:
        if not _TOOL_NAME.fullmatch(tool.name):
            raise FormatError(
                f"A tool is called {quoted(tool.name, 60)!r}; a name of letters, digits, - and _ is needed."
            )
        require_no_mark(tool.name, "tool")
        if tool.name.casefold() in seen:
            raise FormatError(f"Two tools are called {tool.name}; each needs its own name.")
        seen.add(tool.name.casefold())
        if not tool.description.strip() or "\n" in tool.description or "\r" in tool.description:
            raise FormatError(f"The description of {tool.name} is empty or has several lines; one line is needed.")
