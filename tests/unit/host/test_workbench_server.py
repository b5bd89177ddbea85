"""The workbench over servers of several kinds: windows, token counts, exact prompts, replies."""

from __future__ import annotations

import threading

import pytest

from extensions.airoboros_longctx.core.checking.check_options import CheckError
from extensions.airoboros_longctx.core.documents.chat_session import ChatDocument, ChatSession
from extensions.airoboros_longctx.core.documents.place import CHAT, Place
from extensions.airoboros_longctx.core.errors import RopeScalingError
from extensions.airoboros_longctx.core.prompts.closed_context import ClosedContext, render
from extensions.airoboros_longctx.core.prompts.document_options import DocumentOptions
from extensions.airoboros_longctx.core.prompts.instruction_templates import instruction_template, render_conversation
from extensions.airoboros_longctx.core.token_estimate import ESTIMATE_ID, estimate_tokens
from extensions.airoboros_longctx.host.served.address import ServerError
from extensions.airoboros_longctx.host.served.connection import KeyRefusedError
from extensions.airoboros_longctx.host.served.model import ServerOptions
from extensions.airoboros_longctx.host.workbench.base import WorkbenchBase, WorkbenchError
from extensions.airoboros_longctx.host.workbench.measuring import WorkbenchMeasuring
from extensions.airoboros_longctx.host.workbench.server_host import NoRope
from extensions.airoboros_longctx.ui.checking.checked_host import model_to_check
from extensions.airoboros_longctx.workbench import Workbench
from tests.scripted_server import LLAMA_SERVER, VLLM, WEBUI, ScriptedServer

TEMPLATE = instruction_template("Airoboros-1.4")
KEY = "sk-secret-4417"


@pytest.fixture
def opened(tmp_path):
    """Start a scripted server and a workbench over it, its model loaded."""
    servers = []

    def run(script=lambda prompt: "42", options=None, **more):
        server = ScriptedServer(script, **more)
        server.__enter__()
        servers.append(server)
        workbench = Workbench(tmp_path, server=ServerOptions(server.url, **(options or {})))
        workbench.load("")
        return workbench, server

    yield run
    for server in servers:
        server.__exit__(None, None, None)


@pytest.fixture
def logged(monkeypatch):
    """What the workbench writes to its log."""
    lines = []
    monkeypatch.setattr(WorkbenchBase, "log", lambda self, message, *, problem=False: lines.append(message))
    return lines


def replies(workbench, question="What is it?", session=None, tokens=20):
    return list(workbench.reply(question, [], tokens, 0.0, threading.Event(), session))


def test_the_exact_prompt_arrives_and_the_reply_grows(opened):
    workbench, server = opened(lambda prompt: ["4", "2", " apples"])
    assert replies(workbench) == ["4", "42", "42 apples", "42 apples"]
    assert server.requests == [
        {
            "model": "airoboros-65b-gpt4-m2.0",
            "prompt": render_conversation(TEMPLATE, "What is it?"),
            "max_tokens": 20,
            "temperature": 0.0,
            "stream": True,
            "stop": ["USER:", "ASSISTANT:"],
        }
    ]


def test_a_reply_ends_before_a_stop_string_that_the_server_let_through(opened):
    workbench, _ = opened(lambda prompt: ["42 US", "ER: and", " now?"])
    assert replies(workbench)[-1] == "42"


def test_half_a_character_becomes_a_whole_one(opened):
    workbench, _ = opened(lambda prompt: ["4\ud800", "2"])
    assert replies(workbench)[-1] == "4\ufffd2"


@pytest.mark.parametrize("count", [1e999, "many", None])
def test_a_count_that_is_none_is_a_sentence(opened, monkeypatch, count):
    workbench, server = opened(kind=VLLM)
    monkeypatch.setattr(server, "post", lambda path, body: {"count": count})
    with pytest.raises(ServerError, match=r"answered /tokenize without a count\.$"):
        workbench.host.count_tokens("something new")


@pytest.mark.parametrize(
    ("kind", "window", "penalty"),
    [
        (LLAMA_SERVER, 3000, "repeat_penalty"),
        (VLLM, 3000, "repetition_penalty"),
        (WEBUI, 2048, "repetition_penalty"),
        (None, 2048, None),
    ],
)
def test_each_kind_of_server_is_asked_in_its_own_way(opened, kind, window, penalty):
    workbench, server = opened(kind=kind, window=3000)
    assert workbench.host.truncation_length == window
    document = ChatDocument("Harbor", "The harbor is teal.")
    session = ChatSession(DocumentOptions(temperature=0.7)).with_documents(Place().shelf(CHAT), [document])
    replies(workbench, session=session)
    assert server.requests[0]["temperature"] == 0.7
    assert {key: value for key, value in server.requests[0].items() if "penalty" in key} == (
        {penalty: 1.0} if penalty else {}
    )
    turn = workbench.turn([], 20)
    if kind is None:
        assert (turn.tokenizer_id, turn.count_tokens("one two")) == (ESTIMATE_ID, estimate_tokens("one two"))
    else:
        assert turn.tokenizer_id == f"{server.url} airoboros-65b-gpt4-m2.0"
        assert turn.count_tokens("one two three, four") == 6  # four words and a comma, after the start


def test_a_count_is_asked_for_once(opened):
    workbench, server = opened()
    before = len(server.asked)
    assert [workbench.host.count_tokens("one two") for _ in range(5)] == [3] * 5
    assert [path for _, path, _ in server.asked[before:]] == ["/tokenize"]


def test_documents_are_cut_to_the_servers_window(opened):
    workbench, server = opened(window=400)
    long = ChatDocument("Harbor", "The harbor is teal. " * 500)
    session = ChatSession().with_documents(Place().shelf(CHAT), [long])
    replies(workbench, "What color is the harbor?", session, tokens=100)
    (prompt,) = server.prompts
    assert 200 < len(server.tokens.encode(prompt, True)) <= 300
    assert "left out" in prompt


def test_documents_arrive_character_by_character(opened):
    workbench, server = opened()
    document = ChatDocument("Harbor", "The harbor is teal.\n\tNaïve — “quoted” 🍎")
    options = DocumentOptions(only_from_documents=False, name_sources=False)
    replies(workbench, session=ChatSession(options).with_documents(Place().shelf(CHAT), [document]))
    message = render(ClosedContext((document.block(),), "What is it?"))
    assert server.prompts == [render_conversation(TEMPLATE, message)]


def test_plainformat_reaches_the_server(opened):
    workbench, server = opened()
    replies(workbench, "Write a loop.", ChatSession(plainformat=True))
    assert server.prompts == [render_conversation(TEMPLATE, "Write a loop. PLAINFORMAT")]


def test_the_model_template_and_window_that_were_asked_for(opened):
    workbench, server = opened(
        models=["first", "second"], options={"model": "second", "template": "Airoboros-3", "context_tokens": 512}
    )
    replies(workbench)
    assert server.requests[0]["model"] == "second"
    assert server.prompts[0].startswith("[INST] <<SYS>>")
    assert workbench.host.truncation_length == 512
    assert workbench.model_field().choices == (("first", "first"), ("second", "second"))
    workbench.load("first")
    assert workbench.service.status().model == "first"


def test_a_model_that_the_server_does_not_have_is_named_and_the_loaded_one_stays(opened):
    workbench, server = opened(models=["first", "second"])
    with pytest.raises(ServerError) as error:
        workbench.load("third")
    assert str(error.value) == f"The server at {server.url} has no model 'third'; it has 'first', 'second'."
    assert workbench.loaded_folder() == "first"


def test_a_server_without_a_model(opened):
    with pytest.raises(ServerError) as error:
        opened(models=[])
    assert str(error.value).endswith("has no model loaded; load one there, then press Load.")


def test_a_server_without_text_completions(opened):
    workbench, server = opened(completions=False)
    with pytest.raises(ServerError) as error:
        replies(workbench)
    assert str(error.value) == (
        f"The server at {server.url} answered /v1/completions with status 404: “Not Found”. An exact prompt needs the "
        "text completion endpoint, /v1/completions, which llama-server, vLLM and text-generation-webui have."
    )


def test_a_server_that_has_gone_is_a_sentence(opened):
    workbench, server = opened()
    server.__exit__(None, None, None)
    with pytest.raises(ServerError, match="There is no server at"):
        replies(workbench)
    with pytest.raises(ServerError, match="There is no server at"):
        workbench.host.count_tokens("something new")
    assert workbench.service.status().model == "airoboros-65b-gpt4-m2.0"


def test_stop_leaves_the_server(opened):
    workbench, server = opened(lambda prompt: ("word " for _ in range(100_000)), seconds_between=0.01)
    stopping, came = threading.Event(), []
    for reply in workbench.reply("Talk.", [], 1000, 0.0, stopping):
        came.append(reply)
        if len(came) == 3:
            stopping.set()
    assert came == ["word ", "word word ", "word word word "]
    assert server.left.wait(20)


def test_the_key_goes_with_every_request_and_is_shown_nowhere(opened, logged):
    workbench, server = opened(key=KEY, options={"api_key": KEY})
    assert replies(workbench)[-1] == "42"
    assert {given for _, _, given in server.asked} == {f"Bearer {KEY}"}
    assert len(logged) == 1  # the model, as it was loaded
    shown = [*logged, repr(workbench.host._options), workbench.service.status().headline, str(vars(workbench))]
    assert not [text for text in shown if KEY in text]


@pytest.mark.parametrize("kind", [LLAMA_SERVER, VLLM])
@pytest.mark.parametrize(("key", "found"), [("", "a request without a key"), ("sk-wrong", "the key that was given")])
def test_a_wrong_key_is_found_out_when_the_model_is_loaded(opened, kind, key, found):
    """llama-server lists its models without one."""
    with pytest.raises(KeyRefusedError) as error:
        opened(kind=kind, key=KEY, options={"api_key": key})
    assert f"does not accept {found} (status 401): “Incorrect API key provided:" in str(error.value)
    assert "sk-wrong" not in str(error.value)


def test_a_key_over_an_open_network_is_warned_about(tmp_path, logged):
    for address, key in (
        ("http://10.0.0.5:5000", ""),
        ("https://10.0.0.5:5000", KEY),
        ("http://127.0.0.1:5000", KEY),
        ("http://10.0.0.5:5000", KEY),
    ):
        Workbench(tmp_path, server=ServerOptions(address, api_key=key))
    assert logged == ["The key goes to http://10.0.0.5:5000/v1 unencrypted, over http."]


def test_what_a_served_model_runs_is_not_checked_or_changed_from_here(opened):
    workbench, _ = opened()
    with pytest.raises(CheckError) as error:
        model_to_check(WorkbenchMeasuring(workbench.host), workbench.service)
    assert str(error.value) == (
        "airoboros-65b-gpt4-m2.0 is served elsewhere: what it runs cannot be read or changed from here. "
        "Check it where it is loaded, with the extension in that webui or with the command check."
    )
    for act in (NoRope().patch_classes, lambda scaling: NoRope().scale_live(None, scaling), NoRope().read):
        with pytest.raises(RopeScalingError, match="The model is served elsewhere"):
            act(None)
    with pytest.raises(WorkbenchError, match="loaded again there"):
        workbench.host.reload_model()


def test_nothing_is_answered_before_a_model_is_there(tmp_path):
    workbench = Workbench(tmp_path, server=ServerOptions("http://127.0.0.1:9"))
    assert workbench.turn([], 5) is None
    with pytest.raises(WorkbenchError, match="No model is loaded"):
        workbench.host.count_tokens("x")
