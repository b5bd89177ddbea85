"""Sources of replies: what is stated is matched with what was sent, what no document says is named, nothing else is."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extensions.airoboros_longctx.core.prompts.closed_context import Document, block_of
from extensions.airoboros_longctx.core.replies.source_check import (
    SentDocument,
    SourceCheck,
    SourceLink,
    StatedSource,
    check_reply,
)
from extensions.airoboros_longctx.core.replies.source_notes import source_notes_html
from extensions.airoboros_longctx.core.replies.source_record import check_from_record, record_of_check
from tests.live_html import LiveHtml

BERRIES = "In a shocking turn of events, blueberries are now green, but will be sticking with the same name."
HILL = (
    "Ben Nevis is the highest mountain in Scotland. It is 1,345 metres high and was climbed on 17 August 1771 by "
    "James Robertson, who collected plants for three weeks. About 3 million people live nearby."
)
HILL_FILE = f"Contents of this book.\n\n{HILL}\n\nThe end."
CARD = "date: 2021-01-01\nurl: https://web.site/123"
SENT = (
    SentDocument(
        "d1", "Berries", Document(BERRIES, (("date", "2021-01-01"), ("url", "https://web.site/123"))), BERRIES
    ),
    SentDocument(
        "d2",
        "Hills",
        Document(HILL_FILE, (("title", "Hills"), ("url", "https://hills.example/ben"), ("author", "Ann Lee"))),
        HILL_FILE,
    ),
)  # fmt: skip
QUESTION = "What color are bluberries?"


def stated(reply: str, sent=SENT) -> list[tuple[str, list[str], tuple[str, ...]]]:
    """Of each stated source: its text, the documents' ids, and what is wrong."""
    check = check_reply(reply, sent, QUESTION)
    return [(one.stated, [link.id for link in one.documents], one.wrong) for one in check.sources]


def test_the_reply_of_the_model_cards():
    check = check_reply(f"Blueberries are now green.\nSource:\n{CARD}", SENT, QUESTION)
    link = SourceLink("d1", "Berries", 0, len(BERRIES))
    assert check == SourceCheck((StatedSource("date: 2021-01-01, url: https://web.site/123", (link,)),))


@pytest.mark.parametrize(
    "section",
    [
        "Source:\n{card}",
        "source:\n{card}",
        "SOURCE:\n{card}\n",
        "Sources:\n{card}",
        "Reference:\n{card}",
        "Reference(s):\n{card}",
        "References:\n\n{card}",
        "References\n{card}",
        "**Source:**\n{card}",
        "## Sources\n\n{card}",
        "[Source: {line}]",
        "(Source: {line})",
        "Source: {line}.",
        "Source: {line} ",
        "Source:\n- date: 2021-01-01\n- url: https://web.site/123",
        "Source:\n* date: 2021-01-01\n* url: <https://web.site/123>",
        'Source:\n"date": "2021-01-01",\n"url": "https://web.site/123"',
        "Source:\nDate: 2021-01-01.\nURL: https://web.site/123/.",
        "Source:\n[date: 2021-01-01, url: https://web.site/123]",
        "Source:\r\ndate: 2021-01-01\r\nurl: https://web.site/123",
        "Source\uff1a\n{card}",
        "Source: {card}",
    ],
)
def test_every_way_of_writing_it(section):
    written = section.format(card=CARD, line="date: 2021-01-01 url: https://web.site/123")
    for before in ("Green.\n", "Green. ", "Green.\n\n"):
        if before == "Green. " and not re.match(r"[\[(]?(Source|Reference)", written):
            continue  # within a line it is only seen as the models write it
        if before == "Green. " and written.startswith("References\n"):
            continue
        ((_, documents, wrong),) = stated(before + written)
        assert (documents, wrong) == (["d1"], ()), before + written


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("url: https://web.site/123", [(["d1"], ())]),
        ("https://web.site/123", [(["d1"], ())]),
        ("<https://web.site/123>", [(["d1"], ())]),
        ("link: https://web.site/123", [(["d1"], ())]),
        ("https://web.site/123#part", [(["d1"], ())]),
        ("Hills by Ann Lee", [(["d2"], ())]),
        ("author: ann lee", [(["d2"], ())]),
        (f"{CARD}\n\ntitle: Hills\nurl: https://hills.example/ben", [(["d1"], ()), (["d2"], ())]),
        (f"{CARD}\nurl: https://hills.example/ben", [(["d1"], ()), (["d2"], ())]),
        (f"{CARD}\ntitle: Hills", [(["d1"], ()), (["d2"], ())]),
        ("1. https://web.site/123\n2. https://hills.example/ben", [(["d1"], ()), (["d2"], ())]),
        ("- url: https://web.site/123\n- url: https://hills.example/ben", [(["d1"], ()), (["d2"], ())]),
        ("date: 2022-02-02\nurl: https://web.site/123", [(["d1"], ("date: 2022-02-02",))]),
        ("date: 2021-01-01\nurl: https://web.site/999", [(["d1"], ("url: https://web.site/999",))]),
        ("date: 2021-01-01\npage: 12", [(["d1"], ("page: 12",))]),
        ("url: https://web.site/1234", [([], ())]),
        ("https://invented.example", [([], ())]),
        ("Wikipedia", [([], ())]),
        ("an invented report of 2021-01-01", [([], ())]),
        ("author: Ben\ndate: 1999", [([], ())]),
        ("None", []),
        ("n/a.", []),
        ("Not provided", []),
        ("", []),
    ],
)
def test_what_it_names(section, expected):
    assert [(documents, wrong) for _, documents, wrong in stated(f"Green.\nSource:\n{section}")] == expected


def test_sections_in_the_middle_of_an_answer_and_more_than_one():
    reply = f"Green.\nSource:\n{CARD}\n\nBen Nevis is in Scotland.\nSource:\ntitle: Hills\n\nThat is all."
    assert [documents for _, documents, _ in stated(reply)] == [["d1"], ["d2"]]
    assert check_reply(reply, SENT).unfound == ()


def test_two_documents_that_both_have_what_is_stated():
    sent = [SentDocument(one, one, Document("x", (("date", "2021"), ("n", one))), "x") for one in ("a", "b", "c")]
    assert stated("Green.\nSource:\ndate: 2021", sent) == [("date: 2021", ["a", "b", "c"], ())]
    assert stated("Green.\nSource:\ndate: 2021\nn: b", sent) == [("date: 2021, n: b", ["b"], ())]


def test_metadata_is_compared_as_it_was_sent():
    block = block_of(Document("x", (("title", "BEGININPUT </s>  one"),))).document
    sent = [SentDocument("a", "t", block, "x")]
    assert [found for _, found, _ in stated(f"x\nSource:\ntitle: {dict(block.metadata)['title']}", sent)] == [["a"]]


@pytest.mark.parametrize(
    "answer",
    ["The source of the river is unknown.", "He named his source: Ann.", "See the references.", "Sources say so."],
)
def test_a_sentence_about_sources_states_none(answer):
    assert stated(answer) == []


# -- the passage that carries the answer ----------------------------------------------------------------------------


def test_the_passage_is_a_place_in_the_whole_text():
    (link,) = check_reply("It was James Robertson.", SENT, "Who climbed it?").carried_by
    assert (link.id, HILL_FILE[link.start : link.end]) == ("d2", HILL)


def test_it_is_found_where_what_was_sent_is_shortened_and_changed():
    whole = f"Preface\r\n\r\n{'Nothing here. ' * 300}\r\n\r\nThe </s> color\r\nof the harbor is teal.\r\n\r\nEnd."
    sent_text = "Preface\n\n[…]\n\nThe < /s> color\nof the harbor is teal."
    sent = [SentDocument("a", "t", Document(sent_text), whole)]
    (link,) = check_reply("Teal.", sent, "What is the color of the harbor?").carried_by
    assert whole[link.start : link.end] == "of the harbor is teal."


def test_the_question_decides_between_passages_alike():
    text = "The color of the tower is teal.\nThe color of the harbor is teal.\nThe color of the lake is teal."
    (link,) = check_reply("Teal.", [SentDocument("a", "t", Document(text), text)], "And the harbor?").carried_by
    assert text[link.start : link.end] == "The color of the harbor is teal."


def test_a_long_paragraph_is_taken_by_sentences():
    text = "Nothing is said here about it. " * 40 + "The harbor is teal. " + "And so on it goes. " * 40
    (link,) = check_reply("The harbor is teal.", [SentDocument("a", "t", Document(text), text)]).carried_by
    assert text[link.start : link.end] == "The harbor is teal."


@pytest.mark.parametrize("answer", ["I don't know.", "", "Sorry!", "The tower was sold to strangers yesterday."])
def test_nothing_carries_an_answer_of_other_words(answer):
    assert check_reply(answer, SENT, QUESTION) == SourceCheck()


def test_a_stated_document_without_the_answer_has_no_passage():
    (source,) = check_reply("Green.\nSource:\ntitle: Hills", SENT).sources
    assert source.documents == (SourceLink("d2", "Hills"),)


# -- values that no document has --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("It was climbed in 1887.", ("1887",)),
        ("It is 1,346 metres high.", ("1,346",)),
        ("It grew by 12.5 %.", ("12.5",)),
        ("It was climbed on 18 August 1771.", ("18 August 1771",)),
        ("It was climbed on 1771-09-17.", ("1771-09-17",)),
        ('He called it "the roof of the world".', ('"the roof of the world"',)),
        ("He called it “the roof of the world”.", ("“the roof of the world”",)),
        ("It was climbed by Edmund Hillary.", ("Edmund Hillary",)),
        ("Ben Lomond is the highest mountain.", ("Ben Lomond",)),
        ("The mountain is in **Wales**.", ("Wales",)),
        ("In 1887 and in 1887, Hillary and 1888.", ("1887", "1888", "Hillary")),
    ],
)
def test_a_value_that_no_document_has(answer, expected):
    assert check_reply(answer, SENT, QUESTION).unfound == expected


@pytest.mark.parametrize(
    "answer",
    [
        "Blueberries are now green.",
        "Green",
        "Ben Nevis, Scotland's highest mountain, is 1345 m (1 345 m) high.",
        "It was climbed on August 17, 1771.",
        "It was climbed on 1771-08-17, on 17.8.1771.",
        "The plants were collected for 3 weeks; 3,000,000 people live nearby.",
        "The document is from January 1, 2021.",
        "It's the Scottish mountain of a British collector.",
        "Robertson's plants. The Robertsons. JAMES ROBERTSON.",
        "He said it was \"green\".",
        '"blueberries are now green"',
        "1. Green\n2. Ben Nevis\n3. Nothing else",
        "10) Green\n11) Green",
        "**Answer:** Green.\n\n## A Heading About Something New\n\n**Another Bold Title**\nGreen.",
        "I think that Ann Lee wrote it. Yes, on Monday. However, The Mountain is high.",
        "<think>In 1887 Hillary said so.</think>Green.",
        "According to the documents, [1] it is green.",
        "Bluberries?",
    ],
)  # fmt: skip
def test_a_paraphrase_is_not_flagged(answer):
    assert check_reply(answer, SENT, QUESTION).unfound == ()


def test_what_the_question_says_is_known():
    assert check_reply("Berlin in 1999 was not.", SENT, "Was Berlin of 1999 green?").unfound == ()


def test_numbers_are_rounded_and_spelled():
    text = "It took twenty-five thousand steps and 12.346 seconds; two dozen people came."
    sent = [SentDocument("a", "t", Document(text), text)]
    assert check_reply("25,000 steps, 12.35 or 12.3 seconds, 24 people.", sent).unfound == ()
    assert check_reply("26,000 steps, 12.4 seconds.", sent).unfound == ("26,000", "12.4")


def test_german_nouns_are_no_names():
    text = (
        "Die Farbe der Heidelbeere ist jetzt Grün. Der Name der Beere bleibt aber wie er ist, sagt die Zeitung. " * 10
    )
    sent = [SentDocument("a", "t", Document(text), text)]
    assert check_reply("Grün ist nun der Farbton dieser Frucht.", sent).unfound == ()


def test_only_what_was_sent_counts():
    assert check_reply("In 1887.", [SentDocument("a", "t", Document("Sent."), "Sent. In 1887.")]).unfound == ("1887",)


# -- bounds ------------------------------------------------------------------------------------------------------------


HOSTILE = {
    "sources": "Source: x\n" * 100_000,
    "words": "Sources\n" * 100_000,
    "pairs": "Source:\n" + "a: b\n" * 200_000,
    "urls": "Source: " + "url: " * 200_000,
    "numbers": "1,234 " * 150_000,
    "names": "Xy Zw " * 150_000,
    "quotes": '"a b' * 250_000,
    "thoughts": "<think>" * 140_000,
    "brackets": "[(" * 500_000,
    "initials": "A." * 500_000,
    "one word": "A" * 1_000_000,
    "line ends": "Sources" + "\n" * 1_000_000,
}


@pytest.mark.parametrize("reply", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_reply_has_a_small_result(reply):
    check = check_reply(reply, SENT, QUESTION)
    assert len(json.dumps(record_of_check(check))) < 20_000
    assert len(source_notes_html(check)) < 100_000


def test_no_documents_no_check():
    assert check_reply("In 1887.\nSource: x", (), "") == SourceCheck()


_TEXT = st.text(st.sampled_from('abAB 1.,:\n-[]()"“”SourceReferences/*_#<>é\u2028\ud800')) | st.text()


@given(_TEXT, _TEXT, _TEXT)
def test_whatever_is_said_the_same_check_comes_out_and_fits_its_documents(reply, text, question):
    sent = [SentDocument("a", "t", Document(text, (("url", reply[:9]), ("title", question[:9]))), f"x\n{text}")]
    check = check_reply(reply, sent, question)
    assert check == check_reply(reply, sent, question)
    for link in (*check.carried_by, *(link for source in check.sources for link in source.documents)):
        assert link.start is None or 0 <= link.start < link.end <= len(sent[0].text)
    assert check_from_record(json.loads(json.dumps(record_of_check(check)))) == check


@given(_TEXT)
def test_an_answer_copied_from_a_document_is_never_flagged(text):
    assert check_reply(text, [SentDocument("a", "t", Document(text), text)]).unfound == ()


@pytest.mark.parametrize(
    "record", [None, 1, [], {}, {"sources": 1, "carried_by": [], "unfound": []}, {"sources": [[]]}]
)
def test_a_record_that_is_none(record):
    assert check_from_record(record) is None


# -- the note ----------------------------------------------------------------------------------------------------------


def note(check: SourceCheck) -> LiveHtml:
    return LiveHtml(source_notes_html(check))


def test_the_note_of_a_stated_source():
    check = check_reply(f"Green.\nSource:\n{CARD}", SENT)
    assert note(check).text == "Sources: Berries"
    assert note(check).links == [f"#airoboros-longctx-source-d1-0-{len(BERRIES)}"]
    assert "-quiet" not in source_notes_html(check)


def test_the_note_of_an_answer_without_sources_is_quiet():
    html = source_notes_html(check_reply("Green.", SENT))
    assert LiveHtml(html).text == "Found in: Berries"
    assert "airoboros-longctx-sources-quiet" in html


def test_the_note_of_what_is_not_there():
    check = check_reply('In 1887, on "Ben Lomond".\nSource: Wikipedia\n\ndate: 1999\nurl: https://web.site/123', SENT)
    assert note(check).text == (
        'Sources: Wikipedia: not among the documents · Berries (not so in the document: date: 1999) '
        'Occurs in no document: "Ben Lomond", 1887'
    )  # fmt: skip


def test_a_passage_that_was_not_found_opens_the_document():
    check = SourceCheck((StatedSource("x", (SourceLink("a b-1/2", ""),)),))
    assert note(check).links == ["#airoboros-longctx-source-a%20b-1%2F2-0-0"]
    assert note(check).text == "Sources: a document without a title"


def test_nothing_to_say_is_nothing():
    assert source_notes_html(SourceCheck()) == ""


@given(_TEXT, _TEXT, _TEXT)
def test_no_sign_of_foreign_text_is_live_in_a_note(title, said, value):
    sources = (StatedSource(said, (SourceLink(title, title, 1, 2),), (said,)), StatedSource(said))
    html = source_notes_html(SourceCheck(sources, (), (value,)))
    assert "\n" not in html
    assert LiveHtml(html).alive == []
    assert not re.search(r"[`*_\[\]!\\<>]|&(?!#x)", re.sub("<[^>]*>", "", html))


def test_an_answer_that_only_repeats_the_question_is_found_nowhere():
    question = "What is the color of the harbor?"
    sent = [
        SentDocument("h", "Harbor", Document("The color of the harbor is teal."), "The color of the harbor is teal.")
    ]
    (found,) = check_reply("The color of the harbor is teal.", sent, question).carried_by
    assert (found.id, found.start, found.end) == ("h", 0, 32)
    assert check_reply("The color of the harbor is navy.", sent, question).carried_by == ()
