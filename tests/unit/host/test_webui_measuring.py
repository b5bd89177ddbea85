"""The webui's model in a check's hands: one step at a time under the webui's own lock."""

from __future__ import annotations

import sys
import threading
import time
from types import ModuleType, SimpleNamespace

import pytest

from extensions.airoboros_longctx.host.webui.measuring import WebuiMeasuring


class Tokenizer:
    """As Transformers' is, for what is looked at."""

    def __call__(self, text):
        return {"input_ids": text.split()}

    def convert_ids_to_tokens(self, ids):
        return ids


@pytest.fixture
def measuring(webui):
    webui.start_extension()
    webui.load("scaled")
    webui.shared.generation_lock = threading.Lock()
    webui.shared.tokenizer, webui.shared.model = Tokenizer(), lambda **named: None
    return WebuiMeasuring(webui.host)


def test_loader_with_its_own_tokenizer_or_model_gives_no_logits(webui, measuring):
    assert measuring.tokenizer() is webui.shared.tokenizer
    webui.shared.model = SimpleNamespace()  # ExLlama and llama.cpp are no functions of token ids
    assert measuring.tokenizer() is None
    webui.shared.model, webui.shared.tokenizer = (lambda: None), SimpleNamespace(encode=None)
    assert measuring.tokenizer() is None


def test_step_has_the_webuis_lock_and_gives_it_back_after_an_error(webui, measuring):
    lock = webui.shared.generation_lock
    with measuring.between():
        assert lock.locked()
    with pytest.raises(RuntimeError), measuring.between():
        raise RuntimeError
    assert not lock.locked()


def test_somebody_who_waits_gets_the_model_between_two_steps(webui, measuring):
    lock, answered = webui.shared.generation_lock, threading.Event()

    def reply():
        with lock:
            answered.set()

    waiting = threading.Thread(target=reply)
    with measuring.between():
        waiting.start()
        time.sleep(0.02)
        assert not answered.is_set()
    for _ in range(1000):
        if answered.is_set():
            break
        with measuring.between():
            pass
    waiting.join(10)
    assert answered.is_set()


def test_before_a_lock_is_made_there_is_one_of_our_own(webui, measuring):
    webui.shared.generation_lock = None
    with measuring.between():
        taken = []
        other = threading.Thread(target=lambda: taken.append(measuring._own_lock.acquire(blocking=False)))
        other.start()
        other.join()
        assert taken == [False]


def test_idle_time_counts_from_the_last_step(webui, measuring):
    webui.models.last_generation_time = 0.0
    with measuring.between():
        pass
    assert abs(webui.models.last_generation_time - time.time()) < 60


def test_reply_is_greedy_and_takes_the_lock_itself(webui, measuring, monkeypatch):
    webui.shared.model = SimpleNamespace()
    asked = []

    def generate_reply(question, state, stopping_strings=None, is_chat=False):
        with webui.shared.generation_lock:
            asked.append((question, state, is_chat))
            yield "44"
            yield "4417"

    for name, content in (
        ("text_generation", {"generate_reply": generate_reply}),
        ("presets", {"load_preset": lambda name: {"temperature": 0.7, "typical_p": 1, "top_k": 40}}),
    ):
        module = ModuleType(f"modules.{name}")
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, f"modules.{name}", module)
        monkeypatch.setattr(sys.modules["modules"], name, module, raising=False)
    with measuring.between():
        assert measuring.generate("The code is", 3) == "4417"
    ((question, state, is_chat),) = asked
    assert (question, is_chat) == ("The code is", True)
    named = ("do_sample", "top_k", "repetition_penalty", "typical_p", "max_new_tokens", "truncation_length")
    assert [state[name] for name in named] == [False, 1, 1.0, 1, 3, webui.shared.settings["truncation_length"]]


def test_several_people_are_those_of_multi_user(webui, measuring):
    assert not measuring.several_people
    webui.shared.args.multi_user = True
    assert measuring.several_people
