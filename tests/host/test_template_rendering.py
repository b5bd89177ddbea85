"""The hosts' own functions, given our files: every template is listed, loads by its name and renders exactly."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from extensions.airoboros_longctx.core.prompts.instruction_templates import instruction_templates, render_conversation
from extensions.airoboros_longctx.core.prompts.template_formats import as_jinja_yaml, as_old_yaml
from extensions.airoboros_longctx.host.webui.chat.templates import write_templates
from tests.host.running_host import HOST_COMPAT

pytestmark = pytest.mark.host
NAMES = list(instruction_templates())
ROWS = [["One?", "1"], ["Two {{ 2 }}\nlines?", "Two\n\nlines"]]
HISTORY = [tuple(row) for row in ROWS]
CASES = {
    "one turn": {"rows": [], "text": "Hi {user}."},
    "many turns": {"rows": ROWS, "text": "Hi."},
    "unanswered": {"rows": [*ROWS, ["Stopped", ""]], "text": "Hi."},
    "continue": {"rows": [*ROWS, ["Hi.", "The color"]], "way": {"_continue": True}},
    "impersonate": {"rows": ROWS, "text": "What", "way": {"impersonate": True}},
    "system": {"rows": ROWS, "text": "Hi.", "system": "Be brief."},
}


@pytest.fixture(scope="module")
def answer(host, tmp_path_factory):
    """What ``template_probe.py`` found, in a folder that stands for the webui's own."""
    run = tmp_path_factory.mktemp("templates")
    old = not (host.webui / "modules" / "api").is_dir()
    folder = run / "instruction-templates" if old else run / "user_data" / "instruction-templates"
    folder.parent.mkdir(exist_ok=True)
    assert write_templates(folder, as_old_yaml if old else as_jinja_yaml) == ()
    cases = json.dumps({"names": NAMES, "cases": list(CASES.values())})
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    environment.update(PYTHONDONTWRITEBYTECODE="1", HF_HUB_OFFLINE="1", GRADIO_ANALYTICS_ENABLED="False")
    if not old and HOST_COMPAT.is_dir():
        environment["PYTHONPATH"] = str(HOST_COMPAT)
    done = subprocess.run(
        [str(host.python), str(Path(__file__).with_name("template_probe.py")), str(host.webui), cases],
        cwd=run,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(params=NAMES)
def template(request):
    return instruction_templates()[request.param]


def found(answer, template, case):
    return answer["answers"][template.name]["cases"][list(CASES).index(case)]


def test_a_name_with_a_dot_is_listed_and_loads(answer, template):
    assert template.name in answer["listed"]
    assert answer["answers"][template.name]["same through the API"]


@pytest.mark.parametrize(
    ("case", "question", "history"),
    [
        ("one turn", "Hi {user}.", []),
        ("many turns", "Hi.", HISTORY),
        ("unanswered", "Hi.", [*HISTORY, ("Stopped", "")]),
    ],
)
def test_what_is_sent(answer, template, case, question, history):
    expected = render_conversation(template, question, history)
    cut = (
        (lambda text: text.rstrip(" ")) if answer["old"] else str
    )  # v1.x cuts blanks off the end, whatever stands there
    assert found(answer, template, case)["prompt"] == cut(expected)


def test_continue_stands_where_a_finished_reply_would(answer, template):
    finished = render_conversation(template, "more", [*HISTORY, ("Hi.", "The color")])
    assert found(answer, template, "continue")["prompt"] == finished[: finished.index("The color") + len("The color")]


def test_impersonate_goes_on_in_the_users_turn(answer, template):
    asked = render_conversation(template, "What", HISTORY)
    prompt = found(answer, template, "impersonate")["prompt"]
    turn = asked[: asked.rindex("What")]
    if answer["old"]:
        assert prompt.rstrip(" ") == turn.rstrip(" ")
    else:
        assert prompt == turn + "What"


def test_a_system_message_of_ones_own(answer, template):
    if answer["old"]:
        pytest.skip("this release has none")
    prompt = found(answer, template, "system")["prompt"]
    assert prompt == render_conversation(template, "Hi.", HISTORY, "Be brief.")


def test_the_stop_strings_that_the_host_derives(answer, template):
    stops = found(answer, template, "many turns")["stops"]
    assert any(text.strip().startswith("</s>") for text in stops)
    assert all(text.strip() for text in stops)
