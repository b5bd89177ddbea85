"""How a plan ended when nothing runs and nothing can begin: its answer, or why there is none."""

from __future__ import annotations

from collections.abc import Mapping

from ..core.formats.plan_evidence import substituted, substituted_characters
from ..core.formats.plan_steps import Plan, needs
from .plan_node import PlanNode
from .progress import DONE, FAILED, FINAL_QUESTION, STOPPED
from .run_options import RunOptions


def ending(plan: Plan, nodes: Mapping[str, PlanNode], options: RunOptions) -> tuple[str, str, str]:
    """(state, answer, problem). The answer is the final question's reply, or else the plan's own with its evidence put
    in, which is there too where the final question failed."""
    results = {name: node.shown.result for name, node in nodes.items() if node.state == DONE}
    answer = ""
    if all(one in results for one in plan.answer_uses):
        characters = substituted_characters(plan.answer, plan.spelling, results)
        if characters > options.input_characters:
            return FAILED, "", f"The answer has {characters:,} characters with its evidence, which is too many."
        answer = results.get(FINAL_QUESTION) or substituted(plan.answer, plan.spelling, results)
    lost = _lost(plan, nodes)
    if lost:
        problem = f"{lost} The evidence of the answer is shown instead." if answer else f"There is no answer: {lost}"
        return FAILED, answer, problem
    if not answer.strip():
        return FAILED, "", "There is no answer: its evidence has no text."
    return DONE, answer, ""


def _lost(plan: Plan, nodes: Mapping[str, PlanNode]) -> str:
    """The first step that the answer rests on and that did not end well, in a sentence; "" where all did."""
    needed = needs(plan, plan.answer_uses) | {FINAL_QUESTION}
    for state, words in ((FAILED, "failed"), (STOPPED, "was stopped")):
        for name, node in nodes.items():
            if name in needed and node.state == state:
                return f"{name} {words}: {node.shown.problem}"
    return ""
