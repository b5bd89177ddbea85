"""The loaded model as a check is given it, and what its result is kept under."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from extensions.airoboros_longctx.core.load_status import NO_MODEL_STATUS, LoadStatus, Verdict
from extensions.airoboros_longctx.core.ports import LoadedModel
from extensions.airoboros_longctx.core.rope_scaling import RopeReading, RopeScaling
from extensions.airoboros_longctx.ui.checking.checked_host import NothingToCheckError, model_mark, model_to_check

MODEL = object()
PLAN = SimpleNamespace(
    scaling=RopeScaling("linear", 4, 256), truncation_length=1024, instruction_template=None, model="tiny"
)
IN_PLACE = RopeReading("linear", 4.0, 32, 10000.0, modules=2, error=0.0)
BY_SETTINGS = RopeReading("linear", 4.0, 32, 10000.0, modules=0, error=0.0)


class Host:
    several_people = False

    def __init__(self, loaded):
        self.loaded = loaded

    def loaded_model(self):
        return self.loaded

    def tokenizer(self):
        return None  # the loader only generates

    def count_tokens(self, text):
        return len(text.split())

    def generate(self, prompt, tokens):
        return "4417 and more"


def service(reading, window=1024):
    plan = SimpleNamespace(**{**vars(PLAN), "truncation_length": window})
    return SimpleNamespace(status=lambda: LoadStatus(Verdict.CONFIRMED, "", plan=plan, reading=reading))


@pytest.fixture
def host():
    return Host(LoadedModel("models/tiny", "llama.cpp", MODEL))


def test_loader_that_only_generates_is_asked_by_the_hosts_own_function(host):
    checked = model_to_check(host, service(BY_SETTINGS))
    assert (checked.name, checked.loader, checked.window, checked.scaling) == ("tiny", "llama.cpp", 1024, PLAN.scaling)
    assert not checked.measured.gives_logits
    assert checked.measured.replies_begin_with([("What?", "4417"), ("What?", "4418")]) == [True, False]


@pytest.mark.parametrize(("reading", "live"), [(IN_PLACE, MODEL), (BY_SETTINGS, None), (None, None)])
def test_only_a_model_whose_own_modules_were_read_is_scaled_in_place(host, reading, live):
    assert model_to_check(host, service(reading)).live_model is live


def test_nothing_loaded_is_said():
    with pytest.raises(NothingToCheckError) as error:
        model_to_check(Host(None), SimpleNamespace(status=lambda: NO_MODEL_STATUS))
    assert str(error.value) == "No model is loaded; load one first."


def test_mark_changes_with_all_that_a_result_depends_on(host):
    other = RopeReading("linear", 2.0, 32, 10000.0, modules=2, error=0.0)
    lora = Host(LoadedModel("models/tiny", "llama.cpp", MODEL, ("a lora",)))
    named = Host(LoadedModel("models/other", "llama.cpp", MODEL))
    marks = [model_mark(host, service(IN_PLACE)), model_mark(host, service(other)), model_mark(lora, service(IN_PLACE))]
    marks += [model_mark(named, service(IN_PLACE)), model_mark(host, service(IN_PLACE, 512))]
    assert len(set(marks)) == 5
    assert model_mark(Host(LoadedModel("models/tiny", "llama.cpp", object())), service(IN_PLACE)) == marks[0]
    assert model_mark(Host(None), service(IN_PLACE)) == ""
