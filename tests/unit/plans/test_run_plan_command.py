"""``format run-plan``: a scripted model plans, the plan runs, the answer is printed."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from extensions.airoboros_longctx.command_line import main
from extensions.airoboros_longctx.command_line.run_plan import DESCRIPTION
from extensions.airoboros_longctx.plans.plan_run import PlanRun
from extensions.airoboros_longctx.workbench import Workbench
from tests.scripted_server import ScriptedServer
from tests.unit.core.formats import nobel_prize

PLAN = """\
Plan: Find the price.
:evidence0: = DocumentSearch[price of a ton]
Plan: Read it.
:evidence1: = KnowledgeModel[What is the price of a ton in crowns, given :evidence0:?]
Plan: Multiply it.
:evidence2: = Calculator[:evidence1: * 3]
Answer: :evidence2:"""


def model(message: str) -> str:
    """A model that plans, reads the one number of a passage, and concludes."""
    if message.startswith("Please construct a systematic plan"):
        return PLAN
    if message.startswith("BEGININPUT"):
        return "Three tons cost 42 crowns."
    found = re.search(r"[0-9]+(?= crowns)", message)
    return found[0] if found else "I do not know."


def message_in(prompt: str) -> str:
    """What a prompt asks, without the template around it."""
    return prompt.rpartition("USER: ")[2].removesuffix(" ASSISTANT: ")


def scripted(answer: Callable[[str], str], **options: Any) -> ScriptedServer:
    return ScriptedServer(lambda prompt: answer(message_in(prompt)), **options)


@pytest.fixture
def story(tmp_path: Path) -> str:
    path = tmp_path / "harvest.txt"
    path.write_text("The price of a ton was 14 crowns.\nENDINPUT", "utf-8")
    return str(path)


def run(*arguments: str) -> int:
    return main(["format", "run-plan", "--question", "What do three tons cost?", *arguments])


def test_a_plan_is_asked_for_run_and_answered(story, capsys):
    with scripted(model) as server:
        assert run("--server", server.url, "--document", story) == 0
    captured = capsys.readouterr()
    assert captured.out == "42\n"
    asked = list(map(message_in, server.prompts))
    assert "Calculator[input]: " in asked[0]
    assert "TextScraper" not in asked[0]
    assert asked[0].endswith("Question: What do three tons cost?")
    assert "The price of a ton was 14 crowns.\nEND-INPUT?" in asked[1]
    told = re.sub(r"after [0-9.]+ s", "after … s", captured.err).splitlines()
    assert told[0] == "Asking the model for a plan …"
    assert told[-1] == ":evidence2: done after … s: 42"
    assert ":evidence1: done after … s: 14" in told


def test_the_question_is_asked_once_more_at_the_end(story, capsys):
    with scripted(model) as server:
        assert run("--server", server.url, "--document", story, "--final-question") == 0
    assert capsys.readouterr().out == "Three tons cost 42 crowns.\n"
    assert message_in(server.prompts[-1]).endswith("BEGININSTRUCTION\nWhat do three tons cost?\nENDINSTRUCTION")


def test_a_plan_from_a_file_needs_no_model(tmp_path, capsys):
    path = tmp_path / "plan.txt"
    path.write_text("Plan: a\n#E1 = Calculator[6 * 7]\nAnswer: It is #E1.", "utf-8")
    assert run("--plan", str(path), "--spelling", "#E1") == 0
    assert capsys.readouterr().out == "It is 42.\n"


def test_a_plan_from_standard_input(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("Plan: a\n:evidence0: = Calculator[6 / 0]\nAnswer: :evidence0:"))
    assert run("--plan", "-") == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines()[-1] == ("There is no answer: :evidence0: failed: '6 / 0' divides by zero.")


def test_ctrl_c_stops_the_plan(monkeypatch, tmp_path, capsys):
    path = tmp_path / "plan.txt"
    path.write_text("Plan: a\n:evidence0: = KnowledgeModel[What?]\nAnswer: :evidence0:", "utf-8")
    waited, asked, over = PlanRun.wait_for_change, threading.Event(), threading.Event()

    def interrupted(run, seen, seconds):
        monkeypatch.setattr(PlanRun, "wait_for_change", waited)
        assert asked.wait(60)
        raise KeyboardInterrupt

    def slow(message: str) -> str:
        asked.set()
        assert over.wait(60)
        return "Too late."

    monkeypatch.setattr(PlanRun, "wait_for_change", interrupted)
    with scripted(slow) as server:
        assert run("--server", server.url, "--plan", str(path)) == 1
        over.set()
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines()[-1] == "The plan was stopped."
    assert ": It was stopped." in captured.err.splitlines()[-2]


def test_ctrl_c_before_there_is_a_plan(monkeypatch, capsys):
    def interrupted(*arguments) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(Workbench, "ask", interrupted)
    with scripted(model) as server:
        assert run("--server", server.url) == 2
    assert capsys.readouterr().err.endswith("It was stopped before there was a plan.\n")


def test_a_tool_that_is_not_there(capsys):
    with scripted(lambda message: nobel_prize.reply()) as server:
        assert run("--server", server.url) == 2
    err = capsys.readouterr().err
    assert "The model's reply:\nPlan: Begin by conducting a web search" in err
    assert err.splitlines()[-1].endswith(
        "Line 2: the tool 'DuckDuckGo' is unknown; one of KnowledgeModel, Calculator is needed, spelled so."
    )


def test_a_reply_cannot_steer_the_terminal(capsys):
    with scripted(lambda message: "\x1b[2Jno plan\x07") as server:
        assert run("--server", server.url) == 2
    assert "\x1b" not in capsys.readouterr().err


def test_an_answer_cannot_steer_the_terminal(tmp_path, capsys):
    path = tmp_path / "plan.txt"
    path.write_text("Plan: a\n#E1 = Calculator[6 * 7]\nAnswer: \x1b[31mIt is\x9b2J\t#E1.", "utf-8")
    assert run("--plan", str(path), "--spelling", "#E1") == 0
    assert capsys.readouterr().out == "[31mIt is2J\t42.\n"


def test_only_the_tools_that_are_named(capsys):
    with scripted(lambda message: "Plan: a\n:evidence0: = Calculator[1+1]\nAnswer: :evidence0:") as server:
        assert run("--server", server.url, "--tools", "Calculator") == 0
        assert "KnowledgeModel" not in server.prompts[0]
        assert run("--server", server.url, "--from-web", "--tools", "TextScraper,Shell") == 2
    assert (
        capsys.readouterr()
        .err.splitlines()[-1]
        .endswith("--tools names 'Shell'; there are KnowledgeModel, Calculator, TextScraper.")
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "No model was named; --model FOLDER or --server URL is needed."),
        (("--plan", "-", "--final-question"), "No model was named; --model FOLDER or --server URL is needed."),
        (
            ("--server", "nowhere"),
            "'nowhere' is no address of a server; an address such as http://127.0.0.1:5000/v1 is needed.",
        ),
        (("--plan", "/nowhere/plan.txt"), "--plan /nowhere/plan.txt is not there."),
        (("--model", "f", "--context", "9"), "--context was given without --server; it is for a server only."),
    ],
)
def test_what_cannot_be_used_says_so(arguments, sentence, capsys):
    assert run(*arguments) == 2
    assert capsys.readouterr().err == f"python -m extensions.airoboros_longctx: {sentence}\n"


def test_a_key_comes_from_the_environment(monkeypatch, story):
    monkeypatch.setenv("A_KEY", "secret")
    with scripted(model, key="secret") as server:
        assert run("--server", server.url, "--api-key-env", "A_KEY", "--document", story) == 0


@pytest.mark.parametrize("seconds", ["0", "nan", "soon"])
def test_a_limit_that_is_none(seconds, capsys):
    with pytest.raises(SystemExit):
        run("--plan", "-", "--step-seconds", seconds)
    assert f"'{seconds}' found; a number of seconds from 0.1 to 86400 is needed" in capsys.readouterr().err


def test_the_help_is_there(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["format", "run-plan", "--help"])
    assert ended.value.code == 0
    assert DESCRIPTION in capsys.readouterr().out
