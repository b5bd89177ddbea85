"""The webui's model asked with an exact prompt: greedily, by the webui's own function, ended when nobody waits."""

from __future__ import annotations

import copy
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType, SimpleNamespace

import pytest

from extensions.airoboros_longctx.host.webui.chat.generating import reply_to


class Model:
    """What stands behind ``generate_reply``, which takes the webui's ``lock``, reads the strings of ``state`` that end
    a reply, and generates: ``asked`` are its calls, ``begun`` those that came so far, ``ended`` those closed early."""

    def __init__(self, *replies: str) -> None:
        self.replies, self.asked, self.begun, self.ended = replies, [], 0, 0
        self.lock, self.called = threading.Lock(), threading.Event()

    def generate_reply(self, question, state, stopping_strings=None, is_chat=False):
        self.asked.append((question, state, stopping_strings, is_chat))
        self.called.set()
        with self.lock:
            assert state["custom_stopping_strings"] == ""
            self.begun += 1
            try:
                yield from self.replies
            except GeneratorExit:
                self.ended += 1
                raise


@pytest.fixture
def use(webui, monkeypatch):
    """Let a model answer in the webui."""
    webui.start_extension()
    webui.load("scaled")
    webui.shared.model = SimpleNamespace()
    webui.shared.settings["custom_stopping_strings"] = ""

    def use(model: Model) -> Model:
        for name, content in (
            ("text_generation", {"generate_reply": model.generate_reply}),
            ("presets", {"load_preset": lambda name: {"temperature": 1, "typical_p": 1, "top_k": 0}}),
        ):
            module = ModuleType(f"modules.{name}")
            vars(module).update(content)
            monkeypatch.setitem(sys.modules, f"modules.{name}", module)
            monkeypatch.setattr(sys.modules["modules"], name, module, raising=False)
        return model

    return use


def test_exactly_the_prompt_and_always_the_likeliest_token(use):
    model = use(Model("It", "It is", "It is blue."))
    assert list(reply_to("USER: What? ASSISTANT: ", 20, (" USER:",), threading.Event())) == list(model.replies)
    ((question, state, stop, is_chat),) = model.asked
    assert (question, stop, is_chat) == ("USER: What? ASSISTANT: ", [" USER:"], True)
    named = ("do_sample", "top_k", "repetition_penalty", "typical_p", "max_new_tokens", "stream")
    assert [state[name] for name in named] == [False, 1, 1.0, 1, 20, True]
    assert model.ended == 0


def test_a_reply_that_is_stopped_ends(use):
    model, stopping = use(Model("One", "One two", "One two three")), threading.Event()
    replies = reply_to("Count.", 20, (), stopping)
    assert next(replies) == "One"
    stopping.set()
    assert list(replies) == []
    assert model.ended == 1


def test_a_reply_that_nobody_waits_for_ends(use):
    model = use(Model("One", "One two"))
    replies = reply_to("Count.", 20, (), threading.Event())
    assert next(replies) == "One"
    replies.close()
    assert model.ended == 1


def test_what_was_stopped_while_it_waited_for_the_lock_asks_the_model_nothing(use):
    model, stopping = use(Model("One")), threading.Event()
    with ThreadPoolExecutor(1) as waiting:
        with model.lock:
            replies = waiting.submit(list, reply_to("Count.", 20, (), stopping))
            assert model.called.wait(60)
            stopping.set()
        assert replies.result(60) == []
    assert (len(model.asked), model.begun, model.lock.locked()) == (1, 0, False)
    assert list(reply_to("Count.", 20, (), threading.Event())) == ["One"]


def test_the_webui_may_copy_what_it_is_asked_with(use):
    model = use(Model("One"))
    assert list(reply_to("Count.", 20, (), threading.Event())) == ["One"]
    ((_, state, _, _),) = model.asked
    assert copy.deepcopy(state) == dict(state)
