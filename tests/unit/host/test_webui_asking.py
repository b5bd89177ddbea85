"""One message to the webui's model: rendered by its template, within its window, and ended when nobody waits."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest

from extensions.airoboros_longctx.core.prompts.instruction_templates import instruction_template, render_conversation
from extensions.airoboros_longctx.host.webui_asking import WebuiAsking, WebuiAskingError


class Model:
    """What stands behind ``generate_reply``: ``asked`` are its calls, ``ended`` those that were closed early."""

    def __init__(self, *replies: str) -> None:
        self.replies, self.asked, self.ended = replies, [], 0

    def generate_reply(self, question, state, stopping_strings=None, is_chat=False):
        self.asked.append((question, state, is_chat))
        try:
            yield from self.replies
        except GeneratorExit:
            self.ended += 1
            raise


@pytest.fixture
def ask(webui, monkeypatch):
    webui.start_extension()
    webui.load("scaled")
    webui.shared.model = SimpleNamespace()
    webui.shared.settings["truncation_length"] = 100

    def of(model: Model, cancelled=lambda: False, temperature: float = 0.0) -> str:
        for name, content in (
            (
                "text_generation",
                {"generate_reply": model.generate_reply, "get_encoded_length": lambda text: len(text.split())},
            ),
            ("presets", {"load_preset": lambda name: {"temperature": 1, "typical_p": 1, "top_k": 0}}),
        ):
            module = ModuleType(f"modules.{name}")
            vars(module).update(content)
            monkeypatch.setitem(sys.modules, f"modules.{name}", module)
            monkeypatch.setattr(sys.modules["modules"], name, module, raising=False)
        return WebuiAsking(lambda: "Airoboros-1.2").ask("What is it?", cancelled, 20, temperature)

    return of


def test_the_message_alone_in_the_models_template(ask):
    model = Model(" It", " It is", " It is blue.")
    assert ask(model) == "It is blue."
    ((question, state, is_chat),) = model.asked
    assert question == render_conversation(instruction_template("Airoboros-1.2"), "What is it?")
    assert is_chat
    named = ("do_sample", "top_k", "repetition_penalty", "typical_p", "max_new_tokens", "stream")
    assert [state[name] for name in named] == [False, 1, 1.0, 1, 20, True]
    assert model.ended == 0


def test_a_temperature_samples(ask):
    model = Model("x")
    ask(model, temperature=0.5)
    assert [model.asked[0][1][name] for name in ("do_sample", "temperature", "top_k")] == [True, 0.5, 0]


def test_a_turn_that_the_model_goes_on_to_write_is_no_reply(ask):
    model = Model("Blue.", "Blue. USER: And", "Blue. USER: And now?")
    assert ask(model) == "Blue."
    assert model.ended == 1


def test_a_reply_that_nobody_waits_for_ends(ask):
    model = Model("One", "One two", "One two three")
    assert ask(model, cancelled=lambda: True) == "One"
    assert model.ended == 1


def test_what_does_not_fit_is_not_asked(ask, webui):
    webui.shared.settings["truncation_length"] = 30
    tokens = len(render_conversation(instruction_template("Airoboros-1.2"), "What is it?").split())
    model = Model("x")
    with pytest.raises(WebuiAskingError) as raised:
        ask(model)
    assert str(raised.value) == (
        f"The question takes {tokens} tokens and 20 are kept for the reply; the window has 30. Shorten the question or "
        "the reply."
    )
    assert model.asked == []


def test_no_model(ask, webui):
    webui.shared.model = None
    with pytest.raises(WebuiAskingError, match=r"^No model is loaded; load one first\.$"):
        ask(Model("x"))
