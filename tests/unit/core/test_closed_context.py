"""The closed-context format: the card's example, its laws on arbitrary text, and a second parser."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from extensions.airoboros_longctx.core.prompts.closed_context import (
    ClosedContext,
    ClosedContextError,
    Document,
    normalise,
    parse,
    render,
    validate,
)
from tests.unit.core.naive_closed_context import MARKS, TAGS, defuse, defuse_and_count, marks_in, naive_parse

BLUEBERRIES = ClosedContext(
    (
        Document(
            "In a shocking turn of events, blueberries are now green, but will be sticking with the same name.",
            (("date", "2021-01-01"), ("url", "https://web.site/123")),
        ),
    ),
    "What color are bluberries?  Source?",
)
BLUEBERRIES_TEXT = """\
BEGININPUT
BEGINCONTEXT
date: 2021-01-01
url: https://web.site/123
ENDCONTEXT
In a shocking turn of events, blueberries are now green, but will be sticking with the same name.
ENDINPUT
BEGININSTRUCTION
What color are bluberries?  Source?
ENDINSTRUCTION"""
PIECES = [*TAGS, *MARKS, "USER:", "ASSISTANT:", "BEGIN", "END", "INPUT", "\n", "\r\n", " ", "\u200b", "\u2028",
          "ＥＮＤ", "В", ": ", "：", "ＵＳＥＲ", "<", "|", "{", "\ud800", "\0", "é"]  # fmt: skip
HOSTILE = st.lists(st.sampled_from(PIECES) | st.characters(), max_size=12).map("".join) | st.text()
DOCUMENTS = st.builds(
    Document, HOSTILE, st.lists(st.tuples(HOSTILE, HOSTILE), max_size=3).map(lambda pairs: tuple(pairs))
)
CONTEXTS = st.builds(ClosedContext, st.lists(DOCUMENTS, max_size=3).map(tuple), HOSTILE)
#: Nothing here can be part of a mark.
INNOCENT = st.text(st.sampled_from("abcdefgh ÄÖüß日本語🙂.,;!?-–'\"()0123456789\n\t"))


def test_the_cards_example():
    assert render(BLUEBERRIES) == BLUEBERRIES_TEXT
    assert parse(BLUEBERRIES_TEXT) == BLUEBERRIES


def test_the_tags_are_there_without_metadata_and_documents_follow_each_other():
    text = render(ClosedContext((Document("One."), Document("Two.\n\nMore.", (("a", "b"),))), "First?\nSecond?"))
    assert text == (
        "BEGININPUT\nBEGINCONTEXT\nENDCONTEXT\nOne.\nENDINPUT\nBEGININPUT\nBEGINCONTEXT\na: b\nENDCONTEXT\nTwo.\n\n"
        "More.\nENDINPUT\nBEGININSTRUCTION\nFirst?\nSecond?\nENDINSTRUCTION"
    )


@settings(max_examples=300, deadline=None)
@given(CONTEXTS)
@example(ClosedContext((Document("BEGIN\nINPUT", (("USER", "x"), ("a:b", "END\nINPUT"))),), "ENDINSTRUCTION"))
@example(ClosedContext((), ""))
def test_parse_gives_back_what_was_rendered(context):
    harmless = defuse(context)
    assert parse(render(context)) == harmless
    assert render(harmless) == render(context)


@settings(max_examples=300, deadline=None)
@given(CONTEXTS)
def test_defusing_twice_is_defusing_once(context):
    harmless = defuse(context)
    assert defuse_and_count(harmless) == (harmless, 0)


@settings(max_examples=300, deadline=None)
@given(CONTEXTS)
def test_a_second_parser_reads_the_same(context):
    harmless = defuse(context)
    documents, instruction = naive_parse(render(context))
    assert instruction == harmless.instruction
    assert documents == [([*one.metadata], one.text) for one in harmless.documents]


@settings(max_examples=300, deadline=None)
@given(CONTEXTS)
def test_nothing_that_looks_like_structure_is_left(context):
    harmless = defuse(context)
    for one in harmless.documents:
        assert marks_in(one.text) == []
        for key, value in one.metadata:
            assert marks_in(f"{key}: {value}") == []
    assert marks_in(harmless.instruction) == []


@given(INNOCENT, INNOCENT)
def test_innocent_text_stays_as_it_is(text, instruction):
    context = ClosedContext((Document(text.strip(), (("url", "https://web.site/123"),)),), instruction)
    assert defuse_and_count(context) == (context, 0)


@pytest.mark.parametrize(
    "text",
    [
        "The end input of the amplifier.",
        "Begin input here; END INPUT there, in one line.",
        "a < b and b > c; x <= y; [1] {2} {{3}}",
        "the USER: field and ASSISTANT: field in a line",
        "user: and assistant: in small letters\nuser: too",
        "ΑΒΓ, БГД, Привет",
        "| A | B |\n|---|---|\n| END | 1NPUT |",
        "🇩🇪 ist Ⓓ, ᴇɴᴅ is small, 10 l of 0il",
    ],
)
def test_ordinary_words_are_innocent(text):
    assert defuse_and_count(ClosedContext((Document(text),), "Q")) == (ClosedContext((Document(text),), "Q"), 0)


def test_normalise():
    context = ClosedContext((Document(" \r\na\rb\u2028c \n", ((" k\n1 ", "v\t2 "),)),), "  q \r\n")
    assert normalise(context) == ClosedContext((Document("a\nb\nc", (("k 1", "v 2"),)),), "  q \n")


@pytest.mark.parametrize(
    ("context", "sentence"),
    [
        (ClosedContext((), "Q"), "There is no document"),
        (ClosedContext((Document(" "),), "Q"), "Document 1 has no text"),
        (ClosedContext((Document("a"), Document("b", (("a:b", "c"),))), "Q"), "Document 2 has the metadata name 'a:b'"),
        (ClosedContext((Document("a", (("", "c"),)),), "Q"), "has the metadata name ''"),
        (ClosedContext((Document("\0"),), "Q"), "Document 1 has no text"),
        (ClosedContext((Document("a", (("\0", "c"),)),), "Q"), "has the metadata name ''"),
        (ClosedContext((Document("a", (("b\u2028c", "d"),)),), "Q"), "has the metadata name 'b c'"),
        (ClosedContext((Document("a"),), " \n"), "The instruction is empty"),
        (ClosedContext((Document("a"),), "\0"), "The instruction is empty"),
    ],
)
def test_what_cannot_be_asked_is_said(context, sentence):
    with pytest.raises(ClosedContextError, match=sentence):
        validate(context)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Line 1 is ''; BEGININPUT or BEGININSTRUCTION is needed there."),
        ("BEGININPUT\nx", "Line 2 is 'x'; BEGINCONTEXT is needed there."),
        ("BEGININPUT\nBEGINCONTEXT\nx\n", "Line 3 is 'x'; a pair such as"),
        ("BEGININPUT\nBEGINCONTEXT\nENDCONTEXT\nBEGININPUT", "Line 4 is 'BEGININPUT'; ENDINPUT is needed there."),
        ("BEGININSTRUCTION\nQ", "The text ends; ENDINSTRUCTION is needed there."),
        (BLUEBERRIES_TEXT + "\nx", "Line 11 is 'x'; nothing after ENDINSTRUCTION is needed there."),
    ],
)
def test_what_does_not_parse_is_said(text, sentence):
    with pytest.raises(ClosedContextError) as error:
        parse(text)
    assert sentence in str(error.value)
