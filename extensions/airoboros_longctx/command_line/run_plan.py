"""``format run-plan``: a model writes a plan with tools for a question, and the plan is run."""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..core.documents.chat_session import ChatDocument
from ..core.errors import AiroborosLongctxError
from ..core.foreign_text import UnreadableFileError, quoted, read_bytes, without_controls
from ..core.formats.errors import FormatError
from ..core.formats.plan_evidence import EVIDENCE, SPELLINGS
from ..core.formats.plan_steps import Plan
from ..core.formats.rewoo_plan import PlanRequest, parse, render
from ..documents.reading import read_document
from ..documents.web_page import page_text
from ..plans.available_tools import available_tools
from ..plans.final_question import FinalQuestion
from ..plans.plan_run import PlanRun
from ..plans.progress import DONE
from ..plans.run_options import RunOptions
from ..plans.runnable_tool import MODEL_SECONDS, RunnableTool
from .number_of_tokens import number_of_tokens
from .server_arguments import add_server_arguments, server_options
from .watched_plan import watched

NAME = "run-plan"
HELP = "let a model plan with tools, and run the plan"
DESCRIPTION = f"""\
Ask a model for a plan (reWOO), run it, and print the answer. The steps are shown on standard error while they run.

  python -m extensions.airoboros_longctx format run-plan --server http://127.0.0.1:5000 --document report.pdf \\
      --question "What did the harvest cost per ton?"

The model is a folder, or that of an OpenAI-compatible server such as a webui started with --api; both are asked as the
workbench asks them, a server at its text completion endpoint. Tools: DocumentSearch (with --document), KnowledgeModel
(the same model), Calculator, TextScraper (with --from-web) and those of installed packages. Nothing of a plan is run as
code.

Evidence is spelled {EVIDENCE} unless --spelling says otherwise. Ctrl+C stops the plan.

exit status: 0 the answer is printed; 1 the plan ended without one; 2 there was no plan to run
"""
_MOST_PLAN_BYTES = 1 << 20

Ask = Callable[[str, threading.Event], str]


class RunPlanError(AiroborosLongctxError):
    """Something on the command line that cannot be used."""


def add_run_plan(subparsers: Any) -> None:
    """Add ``run-plan`` to the actions of ``format``. Its parser's ``run`` is this module's."""
    parser = subparsers.add_parser(
        NAME, help=HELP, description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--question", required=True, metavar="TEXT", help="what the plan shall answer")
    model = parser.add_mutually_exclusive_group()
    model.add_argument("--model", metavar="FOLDER", help="a folder with a model in Hugging Face format")
    model.add_argument("--server", metavar="URL", help="an OpenAI-compatible server")
    add_server_arguments(parser)
    parser.add_argument("--plan", metavar="FILE", help="run the plan in this file (-: standard input) and ask for none")
    parser.add_argument(
        "--document", action="append", default=[], metavar="FILE", help="text, PDF, Word and more; may be repeated"
    )
    parser.add_argument("--from-web", action="store_true", help="let the plan read public web pages")
    parser.add_argument("--tools", type=_names, default=(), metavar="NAME,…", help="only these tools (default: all)")
    parser.add_argument("--spelling", choices=tuple(SPELLINGS), default=EVIDENCE, help="how evidence is named")
    parser.add_argument(
        "--final-question", action="store_true", help="ask the model the question once more, over the evidence"
    )
    parser.add_argument(
        "--max-tokens", type=number_of_tokens, default=512, metavar="N", help="the longest reply (default: 512)"
    )
    parser.add_argument(
        "--temperature", type=_temperature, default=0.0, metavar="T", help="0, the default, takes the likeliest token"
    )
    parser.add_argument(
        "--step-seconds",
        type=_seconds,
        default=None,
        metavar="N",
        help="the limit of a step (default: 120; the model: 600)",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    ask = _ask(arguments)
    if ask is None and (arguments.plan is None or arguments.final_question):
        raise RunPlanError("No model was named; --model FOLDER or --server URL is needed.")
    tools = _tools(arguments, ask)
    request = PlanRequest(arguments.question, tuple(tool.declared for tool in tools), arguments.spelling)
    plan = _plan(arguments, request, ask)
    options = RunOptions() if arguments.step_seconds is None else RunOptions(step_seconds=arguments.step_seconds)
    final = None
    if ask is not None and arguments.final_question:
        final = FinalQuestion(arguments.question, ask, arguments.step_seconds or MODEL_SECONDS)
    progress = watched(PlanRun(plan, tools, options, final))
    if progress.answer:
        print(without_controls(progress.answer))
    if progress.problem:
        print(progress.problem, file=sys.stderr)
    return 0 if progress.state == DONE else 1


def _ask(arguments: argparse.Namespace) -> Ask | None:
    """How the model is asked; None where none was named."""
    server = server_options(arguments)
    if server is None and arguments.model is None:
        return None
    from ..workbench import Workbench

    workbench = Workbench(server=server)
    workbench.load("" if server is not None else arguments.model)
    tokens, temperature = arguments.max_tokens, arguments.temperature
    return lambda message, stopping: workbench.ask(message, stopping, tokens, temperature)


def _tools(arguments: argparse.Namespace, ask: Ask | None) -> tuple[RunnableTool, ...]:
    documents = tuple(map(_document, arguments.document))
    available = available_tools(
        ask,
        (lambda: documents) if documents else None,
        page_text if arguments.from_web else None,
        arguments.step_seconds,
    )
    for problem in available.problems:
        print(problem, file=sys.stderr)
    if not arguments.tools:
        return available.tools
    known = {tool.name: tool for tool in available.tools}
    for name in arguments.tools:
        if name not in known:
            raise RunPlanError(f"--tools names {quoted(name, 60)!r}; there are {', '.join(known)}.")
    return tuple(known[name] for name in dict.fromkeys(arguments.tools))


def _document(name: str) -> ChatDocument:
    path = Path(name)
    read = read_document(path, path.name)
    for note in read.notes:
        print(f"{read.title}: {note}", file=sys.stderr)
    return ChatDocument(read.title, read.text)


def _plan(arguments: argparse.Namespace, request: PlanRequest, ask: Ask | None) -> Plan:
    if ask is None or arguments.plan is not None:
        return parse(_read(arguments.plan), request)
    print("Asking the model for a plan …", file=sys.stderr, flush=True)
    try:
        reply = ask(render(request), threading.Event())
    except KeyboardInterrupt:
        raise RunPlanError("It was stopped before there was a plan.") from None
    try:
        return parse(reply, request)
    except FormatError:
        print(f"The model's reply:\n{_printable(reply)}\n", file=sys.stderr)
        raise


def _read(name: str) -> str:
    if name == "-":
        return sys.stdin.read(_MOST_PLAN_BYTES)
    try:
        content, more = read_bytes(Path(name), _MOST_PLAN_BYTES)
        if more:
            raise UnreadableFileError("is larger than 1 MiB, which no plan needs to be")
    except UnreadableFileError as error:
        raise RunPlanError(f"--plan {quoted(name, 120)} {error}.") from error
    return content.decode("utf-8-sig", "replace")


def _printable(text: str) -> str:
    """``text`` line by line, without signs that would steer a terminal."""
    return "\n".join(quoted(line, 500) for line in text.split("\n")[:200])


def _names(text: str) -> Sequence[str]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _temperature(text: str) -> float:
    return _number(text, 0.0, 2.0, "a temperature")


def _seconds(text: str) -> float:
    return _number(text, 0.1, 86_400.0, "a number of seconds")


def _number(text: str, least: float, most: float, what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise argparse.ArgumentTypeError(f"{text!r} found; {what} from {least:g} to {most:g} is needed")
    return value
