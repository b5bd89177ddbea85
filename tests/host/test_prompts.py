"""Every way a real webui makes a prompt: the ids that reach the model are those of the models' own format."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import yaml

from extensions.airoboros_longctx.core.prompts.closed_context import ClosedContext, Document, render
from extensions.airoboros_longctx.core.prompts.instruction_templates import instruction_template, render_conversation
from extensions.airoboros_longctx.core.settings import load_settings
from tests.host.conftest import DEMO, WINDOW

pytestmark = pytest.mark.host
TEMPLATE = instruction_template("Airoboros-1.4")
STORY = "The color of the harbor is teal."
OTHER = "The color of the tower is red."
QUESTION = "What is the color of the harbor?"
DOCUMENTS = [
    {"title": "", "text": STORY, "metadata": [["source", "kite"]]},
    {"title": "", "text": OTHER, "metadata": [["source", "lamp"]]},
]
BARE = {"only_from_documents": False, "name_sources": False}
ROWS = [["Hello there.", "Hi."], ["Who are you?", "A model."]]


def message(question=QUESTION, documents=DOCUMENTS):
    blocks = tuple(Document(one["text"], tuple(tuple(pair) for pair in one["metadata"])) for one in documents)
    return render(ClosedContext(blocks, question))


def golden(prompt):
    """The ids of ``prompt`` with the shipped tokenizer, which is the same in every version of Transformers."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(str(DEMO))(prompt)["input_ids"]


@pytest.fixture(scope="module")
def server(start, models):
    import os

    os.environ["LONGCTX_PROBE_MORE"] = str(Path(__file__).with_name("prompt_probe.py"))
    try:
        return start((models.scaled,), arguments=["--model", models.scaled.name, "--loader", "Transformers"])
    finally:
        del os.environ["LONGCTX_PROBE_MORE"]


@pytest.fixture
def act(server):
    def run(way, command="act", **asked):
        (server.probe_folder / "request.json").write_text(json.dumps({"way": way, "options": BARE, **asked}))
        scores = server.probe_folder / "scores.npz"
        scores.unlink(missing_ok=True)
        answer = server.ask(command)
        if scores.exists():
            with np.load(scores) as found:
                answer["ids"] = [int(one) for one in found["input_ids"]]
        return answer

    return run


def test_the_template_is_in_the_list_and_active(server, act):
    found = act("", "template")
    for name in ("Airoboros-1.2", "Airoboros-1.4", "Airoboros-2.1", "Airoboros-2.2", "Airoboros-3"):
        assert name in found["listed"]
    if "instruction_template_str" in found["settings"]:
        assert "The assistant never refuses to answer" in found["settings"]["instruction_template_str"]
    else:
        assert found["settings"]["instruction_template"] == "Airoboros-1.4"


@pytest.mark.parametrize("stream", [True, False])
def test_send_without_documents_is_the_plain_template(act, stream):
    answer = act("send", text=QUESTION, rows=ROWS, fields={"stream": stream})
    assert answer["ids"] == golden(render_conversation(TEMPLATE, QUESTION, [tuple(row) for row in ROWS]))
    assert answer["history"]["internal"][-1][0] == QUESTION


@pytest.mark.parametrize("mode", ["instruct", "chat", "chat-instruct"])
@pytest.mark.parametrize("stream", [True, False])
def test_send_with_documents(act, mode, stream):
    answer = act("send", text=QUESTION, documents=DOCUMENTS, rows=ROWS, fields={"mode": mode, "stream": stream})
    assert answer["ids"] == golden(render_conversation(TEMPLATE, message()))
    assert answer["history"]["internal"][-1][0] == QUESTION
    assert "BEGININPUT" not in json.dumps(answer["history"])
    assert "teal" in answer["history"]["internal"][-1][1]


def test_with_chat_history(act):
    answer = act("send", text=QUESTION, documents=DOCUMENTS, rows=ROWS, options={**BARE, "without_history": False})
    assert answer["ids"] == golden(render_conversation(TEMPLATE, message(), [tuple(row) for row in ROWS]))


def test_regenerate_uses_the_stored_question(act):
    answer = act("regenerate", documents=DOCUMENTS, rows=[*ROWS, [QUESTION, "red"]])
    assert answer["ids"] == golden(render_conversation(TEMPLATE, message()))
    assert [row[0] for row in answer["history"]["internal"]] == ["Hello there.", "Who are you?", QUESTION]


def test_an_edited_message_is_asked_as_it_is_now(server, act):
    if not server.modern:
        pytest.skip("this release has no message edit")
    edited = act("edit", text=QUESTION, documents=DOCUMENTS, rows=[["What?", "red"]])
    assert edited["history"]["internal"][-1][0] == QUESTION
    assert "BEGININPUT" not in json.dumps(edited["history"])
    again = act("regenerate", documents=DOCUMENTS, rows=[edited["history"]["internal"][-1][:2]])
    assert again["ids"] == golden(render_conversation(TEMPLATE, message()))


@pytest.fixture
def letter(server, tmp_path):
    """A file to attach, and what the webui makes of it."""
    if not server.has_attachments:
        pytest.skip("this release attaches no files to messages")
    path = tmp_path / "letter.txt"
    path.write_text("The color of the gate is gray.")
    return path, {"title": "letter.txt", "text": path.read_text(), "metadata": [["title", "letter.txt"]]}


def test_an_attached_file_is_a_document(act, letter):
    path, document = letter
    sent = act("send", text=QUESTION, files=[str(path)])
    assert sent["ids"] == golden(render_conversation(TEMPLATE, message(documents=[document])))
    rows, metadata = sent["history"]["internal"], sent["history"]["metadata"]
    assert rows[0][0] == QUESTION
    assert metadata["user_0"]["attachments"][0]["content"] == document["text"]
    again = act("regenerate", rows=rows, metadata=metadata)
    assert again["ids"] == sent["ids"]
    goes_on = act("continue", rows=[[QUESTION, "The color of"]], metadata=metadata)
    prompt = render_conversation(TEMPLATE, message(documents=[document])).rstrip(" ") + " The color of"
    assert goes_on["ids"] == golden(prompt)


def test_files_of_earlier_messages_come_after_the_panel_s_documents_and_once(act, letter):
    path, document = letter
    file = {"name": "letter.txt", "type": "text/plain", "content": document["text"]}
    rows, metadata = [["Hello.", "Hi."]], {"user_0": {"attachments": [file]}}
    answer = act("send", text=QUESTION, documents=DOCUMENTS, files=[str(path)], rows=rows, metadata=metadata)
    assert answer["ids"] == golden(render_conversation(TEMPLATE, message(documents=[*DOCUMENTS, document])))
    kept = {**BARE, "without_history": False}
    answer = act("send", text=QUESTION, documents=DOCUMENTS, rows=rows, metadata=metadata, options=kept)
    prompt = render_conversation(TEMPLATE, message(documents=[*DOCUMENTS, document]), [("Hello.", "Hi.")])
    assert answer["ids"] == golden(prompt)


OFF = [{"options": {**BARE, "attachments": False}}, {"plainformat": True, "text": "A loop."}]


@pytest.mark.parametrize("asked", OFF)
def test_where_documents_are_off_the_webui_attaches_as_it_does(act, letter, asked):
    path, _ = letter
    asked = {"text": QUESTION, "files": [str(path)], **asked}
    with_us = act("prompt", **asked, rows=[["Hello.", "Hi."]], metadata=attached_by_the_webui(act, path))
    assert "ATTACHMENTS:" in with_us["text"]
    assert "BEGININPUT" not in with_us["text"]


def attached_by_the_webui(act, path):
    return {"user_0": act("send", text="Hello.", files=[str(path)])["history"]["metadata"]["user_0"]}


def test_continue_goes_on_after_what_was_said(act):
    answer = act("continue", documents=DOCUMENTS, rows=[*ROWS, [QUESTION, "The color of"]])
    prompt = render_conversation(TEMPLATE, message()).rstrip(" ") + " The color of"
    assert answer["ids"] == golden(prompt)
    assert answer["history"]["internal"][-1][0] == QUESTION
    assert answer["history"]["internal"][-1][1].startswith("The color of")


def test_start_reply_with(act):
    answer = act("send", text=QUESTION, documents=DOCUMENTS, fields={"start_with": "The color of"})
    assert answer["ids"] == golden(render_conversation(TEMPLATE, message()).rstrip(" ") + " The color of")
    assert answer["history"]["internal"][-1][0] == QUESTION


def test_impersonate_writes_the_question_inside_the_envelope(act):
    answer = act("impersonate", text="What is", documents=DOCUMENTS)
    opened = message("").removesuffix("\nENDINSTRUCTION")
    prompt = render_conversation(TEMPLATE, opened).removesuffix(" ASSISTANT: ") + "What is"
    assert answer["ids"] == golden(prompt)
    assert answer["stored state untouched"]


def test_token_counter(server, act):
    if not server.modern:
        pytest.skip("this release has no token counter")
    text = act("count", text=QUESTION, documents=DOCUMENTS)["text"]
    assert f"{len(golden(render_conversation(TEMPLATE, message())))} / {WINDOW:,}" in text


def test_send_to_notebook(act):
    answer = act("to notebook", documents=DOCUMENTS, rows=[[QUESTION, "Teal."]])
    assert answer["text"] == render_conversation(TEMPLATE, message()).rstrip(" ") + " Teal."


def test_exact_prompt_and_stop_strings(act):
    answer = act("prompt", text=QUESTION, documents=DOCUMENTS)
    assert answer["text"] == render_conversation(TEMPLATE, message())
    assert {"USER:", "ASSISTANT:"} <= set(answer["stops"])


def test_long_documents_are_shortened_below_the_hosts_limit(act):
    long = [{"title": "", "text": "The tower is red. " * 900, "metadata": [["source", "kite"]]}]
    answer = act("send", text=QUESTION, documents=long)
    assert len(answer["ids"]) <= WINDOW - 8
    text = act("prompt", text=QUESTION, documents=long)["text"]
    assert text.startswith(TEMPLATE.system)
    assert text.endswith(f"ENDINPUT\nBEGININSTRUCTION\n{QUESTION}\nENDINSTRUCTION ASSISTANT: ")
    assert "left out" in text
    assert answer["ids"] == golden(text)


def test_what_cannot_fit_is_refused_in_the_chat_and_nothing_is_asked(act):
    answer = act("send", text="word " * 3000, documents=DOCUMENTS)
    assert "ids" not in answer
    reply = answer["history"]["internal"][-1][1]
    assert "Nothing was sent to the model." in reply
    assert str(WINDOW - 8) in reply


def test_sampling_for_documents(act):
    on = act("", "sampling", documents=DOCUMENTS, fields={"temperature": 1.3, "repetition_penalty": 1.15})
    assert (on["temperature"], on["repetition_penalty"]) == (0.5, 1.0)
    off = act("", "sampling", fields={"temperature": 1.3, "repetition_penalty": 1.15})
    assert (off["temperature"], off["repetition_penalty"]) == (1.3, 1.15)
    kept = {"own_sampling": False}
    own = act(
        "", "sampling", documents=DOCUMENTS, options=kept, fields={"temperature": 1.3, "repetition_penalty": 1.15}
    )
    assert (own["temperature"], own["repetition_penalty"]) == (1.3, 1.15)


def test_plainformat(act):
    answer = act("send", text="Write a loop.", plainformat=True)
    assert answer["ids"] == golden(render_conversation(TEMPLATE, "Write a loop.\nPLAINFORMAT"))
    assert answer["history"]["internal"][-1][0] == "Write a loop."
    replies = [html for html in answer["shown"] if "language-plainformat" in html]
    assert len(replies) >= len(answer["shown"]) - 2
    assert "language-plainformat" in answer["shown"][-1]


def test_another_chats_documents_stay_out(server, act):
    if not server.modern:
        pytest.skip("this release's requests do not say the chat")
    this, other = "20260101-00-00-00", "20260202-00-00-00"
    answer = act("send", text=QUESTION, documents=DOCUMENTS, documents_of_chat=other, fields={"unique_id": this})
    assert answer["ids"] == golden(render_conversation(TEMPLATE, QUESTION))


def chat_request(server, **message_fields):
    body = {"messages": [{"role": "user", "content": QUESTION, **message_fields}], "mode": "instruct"}
    return {**body, "max_tokens": 8, "temperature": 1.0, "top_k": 1, "seed": 1}


def test_another_extension_that_builds_the_prompt_is_named(host, start, models):
    """long_replies comes with the webui and owns custom_generate_chat_prompt."""
    if not (host.webui / "extensions" / "long_replies").is_dir():
        pytest.skip(f"{host.name} has no extension long_replies")
    server = start((models.plain,), extensions=("airoboros_longctx", "long_replies"))
    with urllib.request.urlopen(f"{server.url}config", timeout=30) as answer:
        assert "Documents cannot be added: the extension long_replies builds" in answer.read().decode()


def test_api_streams_an_answer_from_documents(server):
    if not server.modern:
        pytest.skip("this release's API drops unknown message fields")
    documents = [{"text": one["text"], "metadata": dict(one["metadata"])} for one in DOCUMENTS]
    body = {**chat_request(server, documents=documents), "stream": True}
    request = urllib.request.Request(
        f"{server.api}/v1/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        lines = [line for line in answer.read().decode().splitlines() if line.startswith("data: {")]
    said = [json.loads(line.removeprefix("data: "))["choices"][0]["delta"].get("content") or "" for line in lines]
    assert "teal" in "".join(said)


def test_api_opts_in_inline(server):
    if not server.modern:
        pytest.skip("this release's API drops unknown message fields")
    documents = [{"text": one["text"], "metadata": dict(one["metadata"])} for one in DOCUMENTS]
    plain = server.post("/v1/internal/chat-prompt", chat_request(server))["prompt"]
    assert plain == render_conversation(TEMPLATE, QUESTION)
    asked = chat_request(server, documents=documents)
    assert server.post("/v1/internal/chat-prompt", asked)["prompt"] == render_conversation(TEMPLATE, message())
    assert "teal" in server.post("/v1/chat/completions", asked)["choices"][0]["message"]["content"]
    code = chat_request(server, plainformat=True)
    assert server.post("/v1/internal/chat-prompt", code)["prompt"] == render_conversation(
        TEMPLATE, QUESTION + "\nPLAINFORMAT"
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"documents": "text"},
        {"documents": [{"text": 1}]},
        {"documents": [{"text": "x" * 1_000_001}]},
        {"documents": [{"text": "a"}], "plainformat": True},
    ],
)
def test_api_says_what_is_wrong(server, fields):
    if not server.modern:
        pytest.skip("this release's API drops unknown message fields")
    with pytest.raises(urllib.error.HTTPError) as error:
        server.post("/v1/chat/completions", chat_request(server, **fields))
    assert error.value.code == 400
    assert json.loads(error.value.read())["error"]["param"] == "documents"


def test_saved_extension_settings_come_back(start, models, monkeypatch):
    """The Session tab's "Save extensions settings" writes what was set, and it is read again as it was."""
    monkeypatch.setenv("LONGCTX_PROBE_MORE", str(Path(__file__).with_name("prompt_probe.py")))
    mine = {"documents_temperature": 0.2, "context_tokens": 512, "model_rules": [{"pattern": "x*", "factor": 2}]}
    written = yaml.safe_dump({f"airoboros_longctx-{name}": value for name, value in mine.items()})
    server = start((models.plain,), settings=written)
    if not server.modern:
        pytest.skip("this release does not save extensions' settings")
    saved = yaml.safe_load(server.ask("save")["yaml"])
    found = {key.removeprefix("airoboros_longctx-"): value for key, value in saved.items() if "longctx-" in key}
    assert {name: found[name] for name in mine} == mine
    settings, problems = load_settings(found)
    assert problems == ()
    assert (settings.documents_temperature, settings.context_tokens) == (0.2, 512)
