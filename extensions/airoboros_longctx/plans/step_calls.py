"""One step's tool, called in a thread: what it may be given, and what is taken from it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from ..core.errors import AiroborosLongctxError
from ..core.foreign_text import quoted
from ..core.formats.plan_evidence import substituted, substituted_characters
from ..core.formats.plan_steps import Plan, PlanStep
from ..core.packing.parts import gap_mark
from .run_options import RunOptions
from .runnable_tool import RunnableTool, ToolError


@dataclass(frozen=True)
class Outcome:
    """What a tool returned, or the sentence that says why there is nothing."""

    result: str = ""
    problem: str = ""


def tool_input(plan: Plan, step: PlanStep, options: RunOptions, results: Mapping[str, str]) -> str:
    """The input of ``step`` with its evidence put in, literally and once. ToolError where it would be too long."""
    characters = substituted_characters(step.input, plan.spelling, results)
    if characters > options.input_characters:
        raise ToolError(
            f"The input of {step.evidence} has {characters:,} characters with its evidence; at most "
            f"{options.input_characters:,} are given to a tool."
        )
    return substituted(step.input, plan.spelling, results)


def call_tool(tool: RunnableTool, text: str, stopping: threading.Event, options: RunOptions) -> Outcome:
    """Whatever ``tool`` does, an Outcome."""
    try:
        return Outcome(result=_kept(tool.call(text, stopping), tool, options.result_characters))
    except AiroborosLongctxError as error:
        return Outcome(problem=str(error) or f"{tool.name} failed without a word.")
    except BaseException as error:  # also SystemExit: a tool does not end the program
        return Outcome(problem=f"{tool.name} failed: {type(error).__name__}: {quoted(_text_of(error), 300)}")


def _kept(result: object, tool: RunnableTool, most: int) -> str:
    if not isinstance(result, str):
        raise ToolError(f"{tool.name} returned a {type(result).__name__}; text is needed.")
    clean = str(result)[:most].encode("utf-8", "replace").decode("utf-8")
    return clean if len(result) <= most else f"{clean}\n{gap_mark(len(result) - most)}"


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "its message cannot be shown"
