"""A plan as data: its steps, and which of them wait for which."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class PlanStep:
    """One tool called once. ``evidence`` names its result, such as ``:evidence0:`` or ``#E1``.

    ``thought`` is what the model says that it is for, ``input`` what stands between the tool's brackets, ``uses`` the
    evidences that are named in it, each once. ``line`` of the reply, from 1, is where the evidence is defined.
    """

    evidence: str
    thought: str
    tool: str
    input: str
    uses: tuple[str, ...]
    line: int


@dataclass(frozen=True)
class Plan:
    """Steps in the order of the reply; each uses only earlier ones. ``answer`` is the text behind ``Answer:``.

    ``spelling`` is the one of plan_evidence.SPELLINGS that the reply uses, ``answer_uses`` what the answer names.
    """

    steps: tuple[PlanStep, ...]
    answer: str
    answer_uses: tuple[str, ...]
    spelling: str


def side_by_side(plan: Plan) -> tuple[tuple[str, ...], ...]:
    """The evidences in groups: the steps of a group need nothing of one another, only of the groups before it."""
    depth: dict[str, int] = {}
    groups: list[list[str]] = []
    for step in plan.steps:
        depth[step.evidence] = at = max((depth[used] + 1 for used in step.uses), default=0)
        if at == len(groups):
            groups.append([])
        groups[at].append(step.evidence)
    return tuple(map(tuple, groups))


def dependents(plan: Plan, evidence: str) -> tuple[str, ...]:
    """The evidences that need ``evidence``, directly or through others, in order and without itself."""
    found = {evidence}
    for step in plan.steps:
        if found.intersection(step.uses):
            found.add(step.evidence)
    return tuple(step.evidence for step in plan.steps if step.evidence in found and step.evidence != evidence)


def needs(plan: Plan, evidences: Iterable[str]) -> frozenset[str]:
    """``evidences`` with all that they need, directly or through others."""
    found = set(evidences)
    for step in reversed(plan.steps):
        if step.evidence in found:
            found.update(step.uses)
    return frozenset(found)
