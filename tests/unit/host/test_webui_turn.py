"""The prompt of one turn, rendered by the webui's own function from copies."""

from __future__ import annotations

import copy

import pytest

from extensions.airoboros_longctx.host.webui.chat.turn import WebuiTurn

ROWS = [["one", "1"], ["two", "2"], ["three", "3"]]


def history():
    metadata = {"user_0": {"at": 0}, "assistant_2": {"at": 2}, "user_3": {"at": 3}}
    return {"internal": copy.deepcopy(ROWS), "visible": copy.deepcopy(ROWS), "metadata": metadata}


def build(user_input, state, **arguments):
    rows = arguments["history"]["internal"]
    text = "|".join(f"{user}>{reply}" for user, reply in rows)
    return f"{state['mode']} {text} {user_input}"


def turn(**arguments):
    state = {"mode": "chat", "truncation_length": 1000, "max_new_tokens": 200, "history": history()}
    return WebuiTurn(build, state, arguments, len), state


def test_the_room_is_what_the_webui_leaves():
    assert turn()[0].limit_tokens == 800


@pytest.mark.parametrize(("turns", "text"), [(0, ""), (1, "three>3"), (3, "one>1|two>2|three>3")])
def test_the_last_turns_in_instruct_mode(turns, text):
    one, state = turn()
    assert one.turns == 3
    assert one.render("M", turns) == f"instruct {text} M"
    assert state["mode"] == "chat"


def test_continue_replaces_the_question_in_a_copy():
    live = history()
    one, _ = turn(_continue=True, history=live)
    assert (one.turns, one.question) == (2, "three")
    assert one.render("M", 0) == "instruct M>3 "
    assert live == history()


def test_what_belongs_to_a_row_moves_with_it():
    kept = turn()[0].history_with(None, 1)
    assert kept["metadata"] == {"assistant_0": {"at": 2}, "user_1": {"at": 3}}


def test_impersonate_leaves_the_instruction_open():
    one, _ = turn(impersonate=True)
    assert one.render("A\nBEGININSTRUCTION\n\nENDINSTRUCTION", 0) == "instruct  A\nBEGININSTRUCTION\n"


def test_the_space_that_the_release_strips_is_put_back():
    state = {"mode": "chat", "truncation_length": 1000, "max_new_tokens": 200, "history": history()}
    assert WebuiTurn(build, state, {}, len, reply_start=" ").render("M", 0) == "instruct  M "
    continued = WebuiTurn(build, state, {"_continue": True, "history": history()}, len, reply_start=" ")
    assert continued.render("M", 0) == "instruct M>3 "
