"""``python -m extensions.airoboros_longctx format``: the exact bytes, in a Python that has nothing but PyYAML."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.core.test_command_line import ISOLATED, ROOT
from tests.unit.core.test_prompt_command import N, P

GOLDEN = ROOT / "tests" / "golden" / "formats" / "function_calling-card"


def run(*arguments: object, standard_input: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-I", "-c", ISOLATED, str(ROOT), "format", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, timeout=60, check=False, input=standard_input)


def test_a_request_is_rendered():
    done = run("render", "function_calling", "--request", GOLDEN / "request.yaml")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == (GOLDEN / "prompt.txt").read_bytes()


def test_a_request_is_rendered_in_a_template():
    request = b"question: Why?\nsolutions: 2"
    done = run("render", "ranked_reasoning", "--request", "-", "--template", "Airoboros-1.4", standard_input=request)
    assert done.stdout.decode() == (
        f"{P} {N} USER: Why? Offer two potential answers, rank them according to mathematical logic, and pick the most "
        "feasible one. ASSISTANT: "
    )


def test_a_reply_is_read():
    done = run("parse", "function_calling", "--request", GOLDEN / "request.yaml", "--reply", GOLDEN / "reply.txt")
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout) == json.loads((GOLDEN / "result.json").read_text())


def test_a_reply_that_is_not_in_its_format():
    done = run("parse", "function_calling", "--request", GOLDEN / "request.yaml", "--reply", "-")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr == (
        b"The reply is empty; a function call in JSON or YAML is needed: generate the reply again.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ("render", "nope", "--request", "-"),
            "The format 'nope' is unknown; one of ",
        ),
        (
            ("render", "function_calling", "--request", "none.yaml"),
            "none.yaml is not there; a text file is needed.",
        ),
        (("render", "function_calling", "--request", "-"), "The request is empty."),
        (("recipe", "nope"), "The recipe 'nope' is unknown; one of "),
        (
            ("recipe", "joke", "--set", "topic"),
            "--set 'topic' found; FIELD=VALUE is needed, such as --set topic=bananas.",
        ),
        (("recipe", "joke", "--set", "about=x"), "Joke has no field about; it has topic."),
        (("recipe", "--recipes", "none"), "--recipes none is no folder; a folder with recipes is needed."),
    ],
)
def test_what_cannot_be_done_is_said(arguments, sentence):
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().startswith(f"python -m extensions.airoboros_longctx: {sentence}")


def test_recipes(tmp_path: Path):
    story = tmp_path / "story.txt"
    story.write_text("Once.\nENDCONTEXT")
    (tmp_path / "own.yaml").write_text("name: own\ntitle: My own\ntemplate: Say hello.")
    (tmp_path / "bad.yaml").write_text("name: bad")
    assert run("recipe", "joke", "--set", "topic=a=b").stdout == b"Tell me a joke about a=b."
    done = run("recipe", "summary", "--read", f"text={story}", "--set", "words=20")
    assert b"BEGINCONTEXT\nOnce.\nEND-CONTEXT\nENDCONTEXT\n" in done.stdout
    assert b"in around 20 words." in done.stdout
    listed = run("recipe", "--recipes", tmp_path)
    assert b"joke: Joke (topic)\n" in listed.stdout
    assert listed.stderr.startswith(b"bad.yaml: The recipe lacks title, template; it has ")
    assert run("recipe", "own", "--recipes", tmp_path).stdout == b"Say hello."


def test_what_a_reply_says_cannot_steer_the_terminal():
    reply = '{"function": "file_analytics", "params": {"action": "\x9b2J"}}'.encode()
    done = run("parse", "function_calling", "--request", GOLDEN / "request.yaml", "--reply", "-", standard_input=reply)
    assert b'"action": "\\u009b2J"' in done.stdout


def test_only_one_file_is_standard_input():
    done = run("parse", "function_calling", "--request", "-", "--reply", "-")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"--request and --reply are both standard input; one of them has to be a file." in done.stderr
