"""Replies over documents: whatever they say, a Markdown renderer that trusts everything makes nothing alive of them.

``tests/host/test_replies.py`` shows the same replies in the real webuis.
"""

from __future__ import annotations

import html

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from extensions.airoboros_longctx.core.replies.reply_safety import safe_reply
from tests.hostile_replies import ADDRESS, HARMLESS, HARMLESS_LINKS, HOSTILE, beginnings
from tests.live_html import LiveHtml


def trusting_markdown() -> MarkdownIt:
    """HTML goes through, and every address is a link."""
    markdown = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    markdown.validateLink = lambda url: True  # type: ignore[method-assign]
    return markdown


MARKDOWN = trusting_markdown()


def shown(reply: str, html_escaped: bool = False) -> LiveHtml:
    return LiveHtml(MARKDOWN.render(safe_reply(html.escape(reply) if html_escaped else reply, html_escaped)))


def test_the_hostile_replies_are_hostile():
    alive = [reply for reply in HOSTILE if LiveHtml(MARKDOWN.render(reply)).alive]
    assert len(alive) > 60


@pytest.mark.parametrize("html_escaped", [False, True])
@pytest.mark.parametrize("reply", HOSTILE)
def test_a_hostile_reply_is_text_at_every_moment(reply, html_escaped):
    for beginning in beginnings(reply):
        assert shown(beginning, html_escaped).alive == [], beginning
    whole = shown(reply, html_escaped)
    assert ADDRESS in whole.text or any(ADDRESS in link for link in whole.links)


@pytest.mark.parametrize(("reply", "text"), HARMLESS)
def test_a_harmless_reply_reads_as_it_should(reply, text):
    found = shown(reply)
    assert (found.alive, found.text) == ([], text)
    assert set(found.links) <= HARMLESS_LINKS
    assert bool(found.links) == ("](http" in reply and "`" not in reply)


def test_the_exact_text():
    reply = "Wow! ![a](http://x.y/z) [b](https://c.d) `e[0](f)` <g>"
    assert safe_reply(reply, html_escaped=False) == (
        "Wow&#33; &#33;[a&#93;(http://x.y/z) [b](https://c.d) <code>e&#91;0&#93;&#40;f&#41;</code> &#60;g>"
    )
    assert safe_reply(html.escape(reply), html_escaped=True) == (
        "Wow&#33; &#33;[a&#93;(http://x.y/z) [b](https://c.d) `e[0&#93;(f)` &lt;g&gt;"
    )


def test_formulas_keep_their_brackets():
    assert safe_reply("\\[\nx_1\n\\]\nand \\[y\\].", html_escaped=True) == "\\[\nx_1\n\\]\nand \\[y\\]."


def test_the_hosts_own_tool_calls_are_left_as_they_are():
    call = "<tool_call>search(x!)\n[1](y)!\n</tool_call>"
    assert safe_reply(f"a!{call}b!", html_escaped=True) == f"a&#33;{call}b&#33;"
    assert "<tool_call>" not in safe_reply(call, html_escaped=False)
    opened = "<tool_call>![a](b)"  # without an end it is none, and is not searched for one again and again
    assert safe_reply(opened + call, html_escaped=True) == "<tool_call>&#33;[a&#93;(b)" + call


@pytest.mark.parametrize(
    "reply",
    ["[" * 10**6, "](" * 500_000, "`a" * 500_000, "```\n" * 250_000, "[a](http://" * 90_000, "\n~~~~" * 200_000],
    ids=["brackets", "ends", "code", "fences", "links", "tildes"],
)
def test_a_very_long_reply(reply):
    for html_escaped in (False, True):
        assert len(safe_reply(reply, html_escaped)) < 20 * len(reply)


_SIGNS = """![ [ ] ( ) < > ! | \\ ` ``` ~~~ : ]: ]( http://e.x/ //e.x javascript: &#91; &lt; &amp; &#33; img src=
    a href= [a](http://e.x) $ --- - \\begin{blockquote} \\end{blockquote} <think>"""
_PIECES = st.sampled_from(
    [*_SIGNS.split(), "\n", " ", "> ", "- ", "a", "x\x02", "\x03", "\u200b", "\r", "\t", "*", "_", '"']
)


@given(st.lists(_PIECES, max_size=30).map("".join) | st.text(), st.booleans())
@example("![a `[b` c](http://e.x)", False)
def test_nothing_is_ever_alive(reply, html_escaped):
    assert shown(reply, html_escaped).alive == []
