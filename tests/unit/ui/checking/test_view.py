"""What the panel shows: the bar while a check runs, then the result once, and nothing anew that has not changed."""

from __future__ import annotations

import sys

import pytest

from extensions.airoboros_longctx.core.checking.check_options import CheckOptions
from extensions.airoboros_longctx.ui.checking import view as view_module
from extensions.airoboros_longctx.ui.checking.panel import CheckActions
from extensions.airoboros_longctx.ui.checking.view import CheckView, drawn_result
from tests.unit.ui.checking.conftest import result

gradio = pytest.importorskip("gradio")
THERE, GONE, AS_IT_WAS = gradio.update(visible=True), gradio.update(visible=False), gradio.update()


@pytest.fixture
def view(program, monkeypatch):
    drawn = []
    monkeypatch.setattr(view_module, "drawn_result", lambda result: drawn.append(result) or f"drawn {result.model}")
    made = CheckView(program.runs)
    made.drawn = drawn
    return made


@pytest.fixture
def actions(program, view):
    return CheckActions(program.runs, view)


def begin(actions, program, contexts="64"):
    shown = actions.on_start(contexts, True, None, "", -1)
    assert program.service.halfway.wait(10)
    return shown


def test_page_without_a_check_has_start_alone(view):
    assert view.on_look("", -1) == [THERE, GONE, "", "", 1]
    assert view.on_look("", 1) == [THERE, GONE, "", AS_IT_WAS, 1]


def test_running_check_has_a_bar_with_time_left_and_stop(program, view, actions):
    files, owner, *shown = begin(actions, program)
    assert (files, len(owner)) == (None, 16)
    assert program.service.options == [CheckOptions(contexts=(64,), compare_unscaled=True)]
    assert shown[:2] == [GONE, THERE]
    start, stop, words, *rest = view.on_look(owner, -1)
    assert (start, stop, rest) == (GONE, THERE, [AS_IT_WAS, -1])
    assert '<progress max="1" value="0.5000" aria-label="Progress of the check">' in words
    assert "<p>50% · about 2 min left · perplexity at 1024 tokens</p>" in words
    assert 'data-airoboros-longctx-check="running"' in words


def test_result_is_drawn_once_and_sent_once_to_each_page(program, view, actions):
    _, owner, *_ = begin(actions, program)
    program.service.go_on.set()
    program.end()
    assert view.on_look(owner, -1) == [THERE, GONE, "", "drawn tiny", 1]
    assert view.on_look(owner, 1) == [THERE, GONE, "", AS_IT_WAS, 1]
    assert view.on_look("another page", -1) == [THERE, GONE, "", "drawn tiny", 1]
    assert view.drawn == [result()]


def test_old_result_is_gone_while_another_check_runs(program, view, actions):
    _, owner, *_ = begin(actions, program)
    program.service.go_on.set()
    program.end()
    program.service.go_on.clear()
    assert actions.on_start("", False, None, owner, 1)[-2:] == ["", -1]


def test_stop_is_not_for_others_where_several_people_are(program, view, actions):
    program.host.several_people = True
    begin(actions, program)
    assert view.on_look("another", -1)[1] == GONE
    assert "A check is running; somebody else started it." in view.on_look("another", -1)[2]
    *_, shown = actions.on_start("", False, None, "another", -1)[2:5]
    assert "A check is running; wait until it has ended, or stop it." in shown
    actions.on_stop("another", -1)
    assert program.runs.state().running


def test_others_may_stop_a_check_whose_page_is_gone(program, view, actions):
    program.host.several_people = True
    _, owner, *_ = begin(actions, program)
    for _ in range(3):
        program.seconds += 60
        view.on_look(owner, -1)
    assert view.on_look("another", -1)[1] == GONE
    program.seconds += 100
    _, stop, words, *_ = view.on_look("another", -1)
    assert stop == THERE
    assert "The page that started this check is gone, so anybody may stop it." in words
    assert "somebody else" not in words
    actions.on_stop("another", -1)
    assert program.end().result.stopped


def test_stop_ends_it(program, view, actions):
    _, owner, *_ = begin(actions, program)
    actions.on_stop(owner, -1)
    assert program.end().result.stopped


def test_lengths_that_are_none_are_refused_in_a_sentence(program, actions):
    _, _, start, _, words, *_ = actions.on_start("many", False, None, "", -1)
    assert start == THERE
    assert "The context length &#x27;many&#x27; is no number of tokens" in words
    assert 'role="alert"' in words
    assert program.service.options == []


def test_error_while_looking_is_a_sentence(program, view, monkeypatch):
    def broken():
        raise RuntimeError("<b>")

    monkeypatch.setattr(program.runs, "state", broken)
    assert "The check cannot be shown: RuntimeError: &lt;b&gt;" in view.on_look("", -1)[2]


def test_result_without_matplotlib_says_what_to_install_and_has_its_tables(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    shown = drawn_result(result())
    assert "The plots need the package matplotlib, which is not installed here: pip install matplotlib" in shown
    assert "<img" not in shown
    assert [name in shown for name in ("table.md", "table.csv", "result.json", ".png")] == [True, True, True, False]
    assert "8.25" in shown


def test_result_has_plots_for_light_and_dark_and_every_file():
    pytest.importorskip("matplotlib")
    shown = drawn_result(result())
    assert shown.count('<img class="airoboros-longctx-check-light"') == 2
    assert shown.count('<img class="airoboros-longctx-check-dark"') == 2
    for name in ("table.md", "table.csv", "result.json", "perplexity.png", "perplexity.svg", "retrieval.png"):
        assert f'download="airoboros_longctx-{name}"' in shown
