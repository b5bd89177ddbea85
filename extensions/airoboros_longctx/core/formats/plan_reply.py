"""A reply read as a plan: cut into parts at the lines that begin one, then each part by itself. Linear in its length.

Taken as meant: prose and code fences around the plan, indentation, capitals (``plan:``), the other spelling of
evidence, a tool's input over several lines. Everything else that is not as trained is an error with its line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ..foreign_text import quoted
from .errors import FormatError
from .plan_evidence import SPELLINGS, named_in
from .plan_parts import ANSWER, DEFINITIONS, EVIDENCE, PLAN, Part, is_blank, parts_of
from .plan_steps import Plan, PlanStep

_QUOTED = 80
_LONGER = "allow a longer reply, or generate it again"


def parse_plan(reply: str, tools: Sequence[str], spelling: str) -> Plan:
    """The plan in ``reply``. ``tools`` are the names that may be called; ``spelling`` is the one that was asked for.

    FormatError, with the line, says what is not as it has to be.
    """
    lines = reply.replace("\r\n", "\n").split("\n")
    parts, spelling = parts_of(lines, spelling)
    if not parts:
        begins = f"it begins {quoted(reply, _QUOTED)!r}" if reply.strip() else "it is empty"
        raise FormatError(f"The reply has no plan; lines that begin with Plan: are needed, and {begins}.")
    steps, answer = _steps(parts, tools, spelling)
    _require_earlier(steps)
    return _with_answer(steps, answer, spelling, len(lines))


def _steps(parts: Sequence[Part], tools: Sequence[str], spelling: str) -> tuple[tuple[PlanStep, ...], Part | None]:
    steps: dict[str, PlanStep] = {}
    thought: Part | None = None
    answer: Part | None = None
    for part in parts:
        if answer is not None:
            again = "a second answer" if part.kind == ANSWER else "a step behind the answer"
            raise FormatError(f"this is {again}; the answer is in line {answer.line}, and ends a plan.", part.line)
        if part.kind == EVIDENCE:
            step = _step(part, thought, tools, spelling)
            if step.evidence in steps:
                raise FormatError(
                    f"{step.evidence} is defined a second time, after line {steps[step.evidence].line}; each evidence "
                    "is defined once.",
                    part.line,
                )
            if thought is None and steps:
                raise FormatError(
                    f"{step.evidence} is a second evidence for the plan before it; one evidence per plan is needed.",
                    part.line,
                )
            if thought is None:
                raise FormatError(f"{step.evidence} comes without a plan; a line Plan: … is needed first.", part.line)
            steps[step.evidence] = step
            thought = None
            continue
        if thought is not None:
            raise _no_evidence(thought, spelling)
        if part.kind == PLAN:
            thought = part
        else:
            answer = part
    if thought is not None:
        raise _no_evidence(thought, spelling)
    return tuple(steps.values()), answer


def _no_evidence(thought: Part, spelling: str) -> FormatError:
    name = SPELLINGS[spelling].name("…")
    return FormatError(f"this plan has no evidence; a line {name} = Tool[input] is needed after it.", thought.line)


def _step(part: Part, thought: Part | None, tools: Sequence[str], spelling: str) -> PlanStep:
    evidence = SPELLINGS[spelling].name(part.number)
    text = _call_of(part, evidence)
    called, bracket, given = text.partition("[")
    called = called.strip()
    if not called or not bracket:
        raise FormatError(
            f"{evidence} is {quoted(text, _QUOTED)!r}; a tool's name and its input in brackets are needed, such as "
            "Tool[input].",
            part.line,
        )
    if called not in tools:
        raise FormatError(
            f"the tool {quoted(called, _QUOTED)!r} is unknown; one of {', '.join(tools)} is needed, spelled so.",
            part.line,
        )
    given = given[:-1]
    if DEFINITIONS[spelling].behind_bracket.search(given):
        raise FormatError(f"{evidence} is followed by another evidence in its line; each needs its own.", part.line)
    said = "" if thought is None else " ".join(thought.text().split())
    return PlanStep(evidence, said, called, given, named_in(given, spelling), part.line)


def _call_of(part: Part, evidence: str) -> str:
    """``Tool[input]`` without anything behind its last bracket. An input may go on in the lines that follow, unless
    its brackets are closed in the first."""
    first = part.lines[0].rstrip()
    whole = part.text().rstrip()
    if first.endswith("]") and first.count("[") <= first.count("]"):
        for number, line in enumerate(part.lines[1:], part.line + 1):
            if not is_blank(line):
                raise FormatError(
                    f"{quoted(line, _QUOTED)!r} belongs to no plan, evidence or answer; leave it out.", number
                )
        return first
    if whole.endswith("]"):
        return whole
    if "[" not in whole:
        return whole  # no call at all, which is said where it is read
    behind = whole.rpartition("]")[2].strip()
    if "]" in whole:
        raise FormatError(
            f"{quoted(behind, _QUOTED)!r} stands behind the input of {evidence}; nothing is needed there.",
            part.line + whole[: whole.rindex("]")].count("\n"),
        )
    raise FormatError(f"the input of {evidence} has no closing bracket; {_LONGER}.", part.line)


def _require_earlier(steps: Sequence[PlanStep]) -> None:
    """Raise FormatError for the first step that uses what is not there before it."""
    known = {step.evidence: step for step in steps}
    before: set[str] = set()
    for step in steps:
        for used in step.uses:
            if used == step.evidence:
                raise FormatError(f"{used} uses itself; only evidence of earlier steps can be used.", step.line)
            if used not in known:
                raise FormatError(f"{step.evidence} uses {used}, which no step defines.", step.line)
            if used not in before:
                later = known[used].line
                if step.evidence in _needs(known, used):
                    raise FormatError(
                        f"{step.evidence} uses {used} of line {later}, which itself needs {step.evidence}: neither "
                        "can be first.",
                        step.line,
                    )
                raise FormatError(
                    f"{step.evidence} uses {used}, which is defined later, in line {later}; only evidence of earlier "
                    "steps can be used.",
                    step.line,
                )
        before.add(step.evidence)


def _needs(known: Mapping[str, PlanStep], evidence: str) -> Iterator[str]:
    """Every evidence that ``evidence`` needs, each once."""
    seen, ahead = {evidence}, [evidence]
    while ahead:
        for used in known[ahead.pop()].uses:
            if used in known and used not in seen:
                seen.add(used)
                ahead.append(used)
                yield used


def _with_answer(steps: tuple[PlanStep, ...], answer: Part | None, spelling: str, lines: int) -> Plan:
    name = SPELLINGS[spelling].name
    if answer is None:
        raise FormatError(
            f"the reply ends without an answer; a last line Answer: {name('…')} is needed: {_LONGER}.", lines
        )
    text = answer.lines[0].strip()
    uses = named_in(text, spelling)
    if not uses:
        last = steps[-1].evidence if steps else name("…")
        raise FormatError(
            f"the answer {quoted(text, _QUOTED)!r} names no evidence; a line such as Answer: {last} is needed.",
            answer.line,
        )
    defined = {step.evidence for step in steps}
    for used in uses:
        if used not in defined:
            raise FormatError(f"the answer names {used}, which no step defines.", answer.line)
    return Plan(steps, text, uses, spelling)
