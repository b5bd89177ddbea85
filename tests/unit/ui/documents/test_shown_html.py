"""The list, the preview, the exact prompt and what is stored, as HTML: everything foreign is text, to the letter."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from extensions.airoboros_longctx.core.documents.chat_session import ChatDocument
from extensions.airoboros_longctx.core.documents.place import CHARACTER, CHAT, EVERYWHERE, SCOPES, Shelf
from extensions.airoboros_longctx.core.documents.shelves import Shelved
from extensions.airoboros_longctx.ui.documents import preview as preview_module
from extensions.airoboros_longctx.ui.documents.exact_prompt import exact_prompt_html
from extensions.airoboros_longctx.ui.documents.list_html import heading, list_html, shade_of
from extensions.airoboros_longctx.ui.documents.preview import preview_html
from extensions.airoboros_longctx.ui.documents.stored import shelf_name

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</code></pre><iframe src=javascript:alert(1)>",
    "${alert(1)} {{7*7}} `x`",
    "&lt;b&gt; &amp;",
]


class Shown(HTMLParser):
    """The tags, the names of the attributes, their values, and the text in code elements."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.values: list[str] = []
        self.code, self.text = "", ""
        self._in_code = 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.values += [value or "" for _, value in attrs]
        self._in_code += tag == "code"

    def handle_endtag(self, tag):
        self._in_code -= tag == "code"

    def handle_data(self, data):
        self.text += data
        if self._in_code:
            self.code += data


def rows(*documents: ChatDocument, scope: str = CHAT) -> list[Shelved]:
    return [Shelved(document, scope) for document in documents]


def test_a_row_says_what_there_is_to_know():
    there = rows(ChatDocument("Harbor", "teal", (("a", "1"), ("b", "2"), ("c", "3"), ("d", "4"))), scope=EVERYWHERE)
    shown = Shown(list_html(there, [1], SCOPES))
    assert "Harbor a: 1 · b: 2 · c: 3 · 1 more1 tokenThis chatThis characterEverywhere" in shown.text
    assert {"Answer from Harbor", "Move Harbor up", "Preview Harbor", "Edit Harbor", "Remove Harbor"} <= {*shown.values}
    assert "about 7 tokens · off" in list_html(rows(ChatDocument("", "x", on=False)), [7], SCOPES, estimated=True)


def test_a_document_moves_within_its_scope_alone():
    """The arrows at the ends of a scope do nothing, and can still be reached by key."""
    there = [*rows(ChatDocument("a", "a", id="a"), scope=EVERYWHERE), *rows(ChatDocument("b", "b", id="b"))]
    assert list_html(there, [1, 1], SCOPES).count('aria-disabled="true"') == 4
    assert " disabled" not in list_html(there, [1, 1], SCOPES)


def test_shades_are_those_of_the_bar():
    documents = [ChatDocument(str(number), "x", on=number != 1) for number in range(9)]
    assert [shade_of(rows(*documents), number) for number in range(9)] == [0, None, 1, 2, 3, 4, 5, 0, 1]


def test_the_heading_counts_what_is_on():
    on, off = ChatDocument("a", "a"), ChatDocument("b", "b", on=False)
    assert [heading(rows(*there)) for there in ((), (on,), (on, off))] == [
        "Documents",
        "Documents · 1 on",
        "Documents · 1 of 2 on",
    ]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_list_of_foreign_text_has_our_tags_alone(hostile):
    plain = rows(ChatDocument("t", "x", (("k", "v"),), id="i"))
    there = rows(ChatDocument(hostile, hostile, ((hostile, hostile),), id=hostile))
    shown = Shown(list_html(there, [1], SCOPES, problems=[hostile]))
    harmless = Shown(list_html(plain, [1], SCOPES, problems=["p"]))
    assert (shown.tags, shown.attributes) == (harmless.tags, harmless.attributes)
    assert shown.text.count(hostile) >= 2
    assert hostile in shown.values


def test_only_some_problems_are_shown():
    assert list_html((), (), SCOPES, problems=["x"] * 99).count('class="problem"') == 5


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_preview_is_text_to_the_letter(hostile):
    shown = Shown(preview_html(ChatDocument(hostile, f"a\r\n{hostile}\rb"), 3, 3 + len(hostile)))
    assert shown.code == f"a\r\n{hostile}\rb"
    assert shown.tags == ["section", "header", "b", "span", "button", "pre", "code", "mark"]


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [(0, 0, ""), (4, 6, "45"), (6, 4, ""), (8, 2**53, "89"), (2**53, 2**53, "")],
)
def test_a_passage_is_marked_where_there_is_one(start, end, text):
    shown = preview_html(ChatDocument("t", "0123456789"), start, end, 7)
    assert (f'<mark tabindex="-1">{text}</mark>' in shown) is bool(text)
    assert ("<mark" in shown) is bool(text)
    assert Shown(shown).code == "0123456789"
    assert 'data-number="7"' in shown


def test_a_long_document_is_shown_around_its_passage(monkeypatch):
    monkeypatch.setattr(preview_module, "MOST_SHOWN", 100)
    text = "".join(chr(ord("a") + number % 26) for number in range(1000))
    for start, end, first in ((0, 0, 0), (500, 520, 460), (990, 1000, 900), (0, 1000, 0)):
        shown = Shown(preview_html(ChatDocument("t", text), start, end))
        assert shown.code == text[first : first + 100]
        assert f"Characters {first + 1} to {first + 100} of 1000." in shown.text


PROMPT = "A chat. USER: BEGININPUT\nBEGINCONTEXT\nurl: <b>\nENDCONTEXT\nBEGIN-INPUT xBEGININPUT\r\nENDINPUT\n"
PROMPT += "BEGININSTRUCTION\nWhat & why?\nENDINSTRUCTION ASSISTANT: "


def test_the_exact_prompt_is_exact_and_its_delimiters_are_marked():
    html = exact_prompt_html(PROMPT)
    assert Shown(html).code == PROMPT
    marked = "BEGININPUT BEGINCONTEXT ENDCONTEXT ENDINPUT BEGININSTRUCTION ENDINSTRUCTION".split()
    assert [f'<b class="delimiter">{one}</b>' in html for one in marked] == [True] * 6
    assert html.count('class="delimiter"') == 6
    assert f"{len(PROMPT)} characters" in html


@pytest.mark.parametrize("hostile", [*HOSTILE, "\r", "\n", "\r\n\n ", "BEGININPUT", "\0x\1"])
def test_any_prompt_is_shown_to_the_letter(hostile):
    assert Shown(exact_prompt_html(hostile)).code == hostile


def test_shelves_have_names_for_people():
    assert shelf_name(Shelf(EVERYWHERE, True)) == "Everywhere"
    assert shelf_name(Shelf(CHARACTER, True, character="Ann\n<b>")) == "Character Ann <b>"
    assert shelf_name(Shelf(CHAT, True, chat="chat/Ann/1")) == "Chat chat/Ann/1"
