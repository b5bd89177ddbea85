"""One check at a time: started, followed, stopped, and its result kept until another model is loaded."""

from __future__ import annotations

import pytest

from extensions.airoboros_longctx.core.checking.check_options import CheckError, CheckOptions
from extensions.airoboros_longctx.core.checking.check_result import CheckProgress
from extensions.airoboros_longctx.core.ports import LoadedModel
from extensions.airoboros_longctx.ui.checking.checked_host import NothingToCheckError
from extensions.airoboros_longctx.ui.checking.running import CheckIsRunningError, CheckState
from tests.unit.ui.checking.conftest import result

OPTIONS = CheckOptions(compare_unscaled=True)


def no_texts(cancelled):
    return ()


def start(program, owner="me", read=no_texts):
    program.runs.start(OPTIONS, read, owner)
    if read is no_texts:
        assert program.service.halfway.wait(10)


def test_check_is_followed_to_its_result(program):
    start(program)
    assert program.runs.state() == CheckState(True, CheckProgress(0.5, 90.0, "perplexity at 1024 tokens"))
    program.service.go_on.set()
    state = program.end()
    assert (state.result, state.said, state.number) == (result(), "", 1)
    assert program.kept.results == {"tiny": result()}


def test_texts_are_read_in_the_checks_own_thread_and_measured(program):
    program.service.go_on.set()
    start(program, read=lambda cancelled: [("book.txt", "Once upon a time")])
    assert program.end().result == result()
    assert program.service.options == [CheckOptions(compare_unscaled=True, texts=(("book.txt", "Once upon a time"),))]


def test_second_check_waits_for_the_first(program):
    start(program)
    with pytest.raises(CheckIsRunningError) as error:
        program.runs.start(OPTIONS, no_texts, "another")
    assert str(error.value) == "A check is running; wait until it has ended, or stop it."
    program.service.go_on.set()
    program.end()
    start(program, "another")


def test_stopped_check_is_shown_and_never_kept_in_place_of_a_whole_one(program):
    program.kept.results["tiny"] = result()
    start(program)
    program.runs.stop("me")
    assert program.end().result == result(stopped=True)
    assert program.kept.results == {"tiny": result()}


def test_check_that_is_stopped_before_it_measured_anything_says_so(program):
    program.service.results = [result(measured=())]
    program.service.go_on.set()
    start(program)
    state = program.end()
    assert (state.said, state.result) == ("The check was stopped before anything was measured.", None)


def test_where_several_people_are_only_who_started_it_stops_it(program):
    program.host.several_people = True
    start(program)
    assert [program.runs.may_stop(owner) for owner in ("me", "another", "")] == [True, False, False]
    program.runs.stop("another")
    assert program.runs.state().running
    program.runs.stop("me")
    assert program.end().result.stopped


def test_where_several_people_are_anybody_stops_it_once_its_page_is_gone(program):
    program.host.several_people = True
    start(program)
    program.seconds += 80
    program.runs.looked("another")
    program.runs.looked("me")
    program.seconds += 90
    assert not program.runs.may_stop("another")
    program.seconds += 1
    assert program.runs.may_stop("another")
    assert program.runs.state().running  # nobody stopped it: its result is worth having
    program.runs.looked("me")  # it was asleep, and not gone
    assert not program.runs.may_stop("another")
    program.seconds += 91
    program.runs.stop("another")
    assert program.end().result.stopped


def test_any_page_of_the_one_person_stops_it(program):
    start(program)
    program.runs.stop("")  # a page that was loaded again
    assert program.end().result.stopped


@pytest.mark.parametrize("other", [None, LoadedModel("tiny", "Transformers", object())])
def test_check_ends_when_its_model_is_gone(program, other):
    start(program)
    program.host.loaded = other
    state = program.end()
    assert state.said == "The check ended: tiny was unloaded, or changed, while it was measured."
    assert (state.result, program.kept.results) == (None, {})


def test_result_is_there_until_another_model_is_loaded_and_again_with_the_first(program):
    start(program)
    program.service.go_on.set()
    program.end()
    program.host.load("other")
    assert program.runs.state().result is None
    program.host.load("tiny")
    assert program.runs.state().result == result()
    assert program.new_runs().state().result == result()  # after a restart of the program


def test_nothing_is_checked_without_a_model(program):
    program.host.load(None)
    with pytest.raises(NothingToCheckError) as error:
        program.runs.start(OPTIONS, no_texts, "me")
    assert str(error.value) == "No model is loaded; load one first."
    assert program.runs.state() == CheckState()


def test_what_cannot_be_measured_is_said_in_its_own_sentence(program):
    program.service.error = CheckError("The text has 3 tokens.")
    program.service.go_on.set()
    start(program)
    assert program.end().said == "The text has 3 tokens."
    assert program.log == []


def test_an_error_is_said_and_logged_and_the_next_check_runs(program):
    program.service.error = RuntimeError("out of\nmemory")
    program.service.go_on.set()
    start(program)
    sentence = "The check failed: RuntimeError: out of memory. The model is as it was."
    assert (program.end().said, program.log) == (sentence, [sentence])
    program.service.error = None
    start(program)
    state = program.end()
    assert (state.said, state.result) == ("", result())


def test_result_that_cannot_be_kept_is_shown_all_the_same(program, monkeypatch):
    def full(mark, kept):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(program.kept, "keep", full)
    program.service.go_on.set()
    start(program)
    assert program.end().result == result()
    assert program.log == ["The result of the check was not kept: No space left on device."]


def test_no_model_is_held_after_its_check(program):
    import gc
    import weakref

    class Model:
        pass

    program.host.loaded = LoadedModel("tiny", "Transformers", Model())
    held = weakref.ref(program.host.loaded.model)
    program.service.go_on.set()
    start(program)
    program.end()
    program.host.load(None)
    gc.collect()
    assert held() is None
