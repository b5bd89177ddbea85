"""Marks of replies, in histories with metadata and without: bound to their text, and never in the way."""

from __future__ import annotations

import json

import pytest

from extensions.airoboros_longctx.core.documents.chat_session import ChatDocument, ChatSession
from extensions.airoboros_longctx.core.prompts.closed_context import Document
from extensions.airoboros_longctx.core.prompts.document_options import DocumentOptions
from extensions.airoboros_longctx.core.replies import source_check, source_notes
from extensions.airoboros_longctx.core.replies.source_check import SentDocument, SourceCheck, SourceLink
from extensions.airoboros_longctx.host.webui.chat.asked import ATTACHING_KEY, SESSION_KEY, Asked
from extensions.airoboros_longctx.host.webui.chat.display import WebuiDisplay
from extensions.airoboros_longctx.host.webui.chat.marks import ReplyMark, mark_of, marks_of, read_mark, with_mark
from extensions.airoboros_longctx.host.webui.chat.prompts import SENT_KEY
from extensions.airoboros_longctx.host.webui.chat.replies import WebuiReplies
from extensions.airoboros_longctx.host.webui.chat.tool_calls import WebuiToolCalls

CHECK = SourceCheck((), (SourceLink("d1", "Berries", 0, 5),), ("1887",))
BOTH = pytest.mark.parametrize("metadata", [True, False])


def history(*replies: str, metadata: bool = True) -> dict[str, object]:
    rows = [["Q", reply] for reply in replies]
    made: dict[str, object] = {"internal": rows, "visible": [list(row) for row in rows]}
    return {**made, "metadata": {}} if metadata else made


def reloaded(value):
    return json.loads(json.dumps(value))


@BOTH
def test_a_mark_survives_a_file(metadata):
    mark = ReplyMark(documents=True).with_check("Green.", CHECK)
    marked = reloaded(with_mark(history("a", "Green.", metadata=metadata), 1, mark))
    assert dict(marks_of(marked)) == {1: mark}
    assert mark_of(marked, 1).check_of("Green.") == CHECK
    assert mark_of(marked, 0) == ReplyMark()


@BOTH
def test_a_mark_is_taken_off(metadata):
    marked = with_mark(history("a", metadata=metadata), 0, ReplyMark(code=True))
    assert dict(marks_of(with_mark(marked, 0, ReplyMark()))) == {}


def test_a_history_without_metadata_is_copied_and_holds_texts_only():
    before = history("a", "b", metadata=False)
    marked = with_mark(before, 1, ReplyMark(code=True))
    assert "airoboros_longctx" not in before
    assert marked["airoboros_longctx"][0] == ""
    assert all(isinstance(text, str) for text in marked["airoboros_longctx"])


def test_a_history_without_any_mark_is_left_as_it_is():
    for made in (history("a"), history("a", metadata=False), None, {}):
        assert with_mark(made, 0, ReplyMark()) is made
    assert history("a") == with_mark(history("a"), 0, ReplyMark())


def test_a_check_belongs_to_its_text_alone_and_old_ones_are_forgotten():
    mark = ReplyMark(documents=True)
    for number in range(10):
        mark = mark.with_check(f"reply {number}", CHECK)
    assert mark.check_of("another") is None
    assert mark.check_of("reply 9 ") == CHECK
    assert [mark.check_of(f"reply {number}") is None for number in range(10)] == [True, True, *[False] * 8]


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("", ReplyMark()),
        (None, ReplyMark()),
        ("plainformat", ReplyMark(code=True)),
        ("{", ReplyMark(documents=True)),
        ("[" * 100_000, ReplyMark(documents=True)),
        ("[]", ReplyMark(documents=True)),
        (3, ReplyMark(documents=True)),
        ('{"documents": 1, "checks": 5}', ReplyMark(documents=True)),
    ],
)
def test_a_mark_that_cannot_be_read_is_shown_safely(text, mark):
    assert read_mark(text) == mark


def test_a_chat_of_an_older_webui_in_a_newer_one():
    old = with_mark(history("a", "b", metadata=False), 1, ReplyMark(code=True))
    old["metadata"] = {}
    assert dict(marks_of(old)) == {1: ReplyMark(code=True)}
    with_mark(old, 1, ReplyMark(documents=True))
    assert dict(marks_of(old)) == {1: ReplyMark(documents=True)}


# -- shown ----------------------------------------------------------------------------------------------------------


def shown(reply: str, mark: ReplyMark, html_escaped: bool = True, log=print) -> str:
    made = with_mark(history(reply), 0, mark)
    before = reloaded(made)
    visible = WebuiDisplay(lambda: "*Is typing...*", lambda: html_escaped, log).shown(made)["visible"][0][1]
    assert made == before
    return visible


def test_only_marked_replies_are_changed():
    display = WebuiDisplay(lambda: "", lambda: True, print)
    made = history("![a](b)")
    assert display.shown(made) is made
    assert display.shown(None) is None


def test_a_reply_over_documents_is_safe_and_has_its_note():
    mark = ReplyMark(documents=True)
    assert shown("![a](b)", mark) == "&#33;[a&#93;(b)"
    noted = shown("Green!", mark.with_check("Green!", CHECK))
    assert noted.startswith('Green&#33;\n\n<div class="airoboros-longctx-sources">')
    assert noted.count("\n") == 2
    assert shown("Green!", mark.with_check("Blue!", CHECK)) == "Green&#33;"
    assert shown("```\nx", mark.with_check("```\nx", CHECK)).startswith("```\nx\n```\n\n<div")
    assert shown("*Is typing...*", mark.with_check("", CHECK)) == "*Is typing...*"


def test_a_note_that_fails_leaves_the_reply_safe(monkeypatch):
    def fail(check):
        raise RuntimeError("injected")

    monkeypatch.setattr(source_notes, "source_notes_html", fail)
    said = []
    assert shown("Green!", ReplyMark(documents=True).with_check("Green!", CHECK), log=said.append) == "Green&#33;"
    assert said == ["The note about a reply's sources could not be shown: RuntimeError: injected."]


def test_code_is_as_the_webui_can_show_it():
    mark = ReplyMark(code=True)
    assert shown("a &lt; b", mark) == "```plainformat\na&#32;&#60;&#32;b\n```"
    html = '<pre><code class="language-plainformat">a&#32;&#60;&#32;b</code></pre>'
    assert shown("a < b", mark, html_escaped=False) == html


# -- on their way to the page ---------------------------------------------------------------------------------------


class Prompts:
    """The prompt half, reduced to what was asked."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked

    def asked_or_nothing(self, state):
        return self._asked

    def plainformat_separator(self):
        return "\n"


BERRIES = ChatDocument("Berries", "They are green.", (("url", "u"),), id="d1")
SENT = SentDocument("d1", "Berries", Document("They are green.", (("url", "u"),)), "They are green.")


def answers(asked: Asked, before, sends=(SENT,), replies=("Gr", "Green."), problems=None, **flags):
    """The histories that reach the page for one reply."""

    def chat(text, state, regenerate=False, _continue=False):
        rows = state["history"]["internal"]
        kept = rows[:-1] if regenerate or _continue else rows
        if SENT_KEY in state:
            state[SENT_KEY][:] = sends
        output = {**state["history"], "visible": [*kept, ["Q", "*Is typing...*"]], "internal": kept}
        yield output
        for reply in replies:
            output["internal"] = [*kept, ["Q", reply]]
            output["visible"] = output["internal"]
            yield output

    own = {SESSION_KEY: ChatSession()} if asked.page else {}
    log = problems.append if problems is not None else print
    wrapped = WebuiReplies(Prompts(asked), log, WebuiToolCalls(log)).generate_chat_reply(
        chat, "Q", {"history": before, **own}, **flags
    )
    return [reloaded(one) for one in wrapped]


PAGE = Asked((BERRIES,), False, DocumentOptions(), page=True)


@BOTH
def test_a_reply_is_marked_from_its_first_moment_and_checked_at_its_end(metadata):
    seen = answers(PAGE, history(metadata=metadata))
    assert [mark_of(one, 0) for one in seen[:-1]] == [ReplyMark(documents=True)] * 3
    check = mark_of(seen[-1], 0).check_of("Green.")
    assert check == SourceCheck((), (SourceLink("d1", "Berries", 0, 15),))
    assert seen[-1]["internal"] == [["Q", "Green."]]


@BOTH
def test_what_the_prompt_sent_counts_where_no_document_is_listed(metadata):
    seen = answers(Asked(page=True), history(metadata=metadata))
    assert mark_of(seen[-1], 0).documents


def test_a_reply_without_documents_in_a_new_row_has_no_mark():
    before = with_mark(history("a"), 1, ReplyMark(documents=True))
    assert mark_of(answers(Asked(page=True), before, sends=())[-1], 1) == ReplyMark()


def test_a_row_once_over_documents_stays_so():
    before = with_mark(history("a"), 0, ReplyMark(documents=True).with_check("a", CHECK))
    seen = answers(Asked(page=True), before, sends=(), regenerate=True)
    assert mark_of(seen[-1], 0).documents
    assert mark_of(seen[-1], 0).check_of("a") == CHECK
    assert mark_of(seen[-1], 0).check_of("Green.") is None


def test_the_state_of_a_request_of_the_api_is_its_own():
    taken = []
    wrapped = WebuiReplies(Prompts(Asked((BERRIES,))), print, WebuiToolCalls(print)).generate_chat_reply(
        lambda text, state: taken.append(state) or iter(()), "Q", state := {"history": history()}
    )
    assert list(wrapped) == []
    assert taken[0] is state


def test_a_check_that_fails_is_said_and_the_reply_stands(monkeypatch):
    def fail(*given):
        raise RuntimeError("injected")

    monkeypatch.setattr(source_check, "check_reply", fail)
    problems = []
    seen = answers(PAGE, history(), problems=problems)
    assert mark_of(seen[-1], 0) == ReplyMark(documents=True)
    assert problems == ["The sources of a reply could not be checked: RuntimeError: injected."]


def test_a_reply_that_never_came_is_not_checked():
    problems = []
    seen = answers(PAGE, history(), replies=(), problems=problems)
    assert problems == []
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("state", "attaching"),
    [({}, False), ({"enable_web_search": False}, False), ({"enable_web_search": True}, True)],
)
def test_what_a_web_search_will_find_is_expected_as_attached_files_are(state, attaching):
    taken = []
    replies = WebuiReplies(Prompts(Asked(page=True)), print, WebuiToolCalls(print))
    state = {"history": history(), SESSION_KEY: ChatSession(), **state}
    list(replies.generate_chat_reply(lambda text, state: taken.append(state) or iter(()), "Q", state))
    assert taken[0][ATTACHING_KEY] is attaching
