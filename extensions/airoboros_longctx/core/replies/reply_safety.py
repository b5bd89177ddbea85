"""Replies over documents, shown so that nothing leaks out: images and links other than plain http(s) ones are text.

A document can make a model write an image whose address carries the document's text; showing the image would send it.
Nothing here tries to recognise an attack: every sign that an image, a link, a tag or a reference needs becomes an HTML
entity, which every Markdown shows as that sign and none reads as syntax. Only links of one plain form stay links.
"""

from __future__ import annotations

import re

_TEXT_CHARACTERS, _ADDRESS_CHARACTERS = 500, 2000
#: The one form of link that stays live. Its address has no sign that could end or quote it.
_LINK = re.compile(
    rf"(?<![!\\])\[[^][!<>`$\\\n]{{1,{_TEXT_CHARACTERS}}}\]"
    rf"\(https?://[A-Za-z0-9._~:/?@%=+,;#&-]{{1,{_ADDRESS_CHARACTERS}}}\)"
)
#: The host's own mark-up for tools, which no reply can write where its HTML is escaped; it is not Markdown.
_TOOL_CALL = re.compile("(<tool_call>(?:(?!<tool_call>).)*?</tool_call>)", re.DOTALL)
#: ``]`` ends a formula after a backslash, and nothing else where a blank or the end follows.
_SIGNS = re.compile(r"!|(?<!\\)\]|\](?![\s.,;]|\Z)")
_MORE_SIGNS = re.compile(r"[<@`]|(?<!http)(?<!https):(?=//)|" + _SIGNS.pattern)

_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*\Z)|~{3,})")
_LANGUAGE = re.compile("[A-Za-z0-9+#._-]{0,30}")
_CODE_SPAN = re.compile(r"(?<!`)(`{1,2})(?!`)([^`\n]+)\1(?!`)")


def safe_reply(text: str, html_escaped: bool) -> str:
    """The Markdown ``text`` of a reply in which nothing is fetched, and only plain http(s) links are live.

    ``html_escaped``: its ``<``, ``>``, ``&`` and quotes are HTML entities already, and entities in code are shown as
    their signs, as the webuis do from v1.6 on. Else the result holds HTML: code is shown by tags of our own.
    Safe for every text, so for every beginning of one too. Linear in its length.
    """
    if html_escaped:
        parts = _TOOL_CALL.split(text)
        return "".join(part if number % 2 else _neutral(part, _SIGNS) for number, part in enumerate(parts))
    return "\n".join(_without_fences(text.split("\n")))


def _without_fences(lines: list[str]) -> list[str]:
    shown: list[str] = []
    outside: list[str] = []
    number = 0
    while number < len(lines):
        fence = _FENCE.match(lines[number])
        if fence is None:
            outside.append(lines[number])
            number += 1
            continue
        closing = re.compile(rf" {{0,3}}{fence[1][0]}{{{len(fence[1])},}}[ \t]*\r?\Z")
        language = lines[number][fence.end() :].strip()
        body = [] if _LANGUAGE.fullmatch(language) else [language]
        number += 1
        while number < len(lines) and not closing.match(lines[number]):
            body.append(lines[number])
            number += 1
        number += 1
        shown += [_outside("\n".join(outside)), "", f"<pre><code>{_entities(chr(10).join(body))}</code></pre>", ""]
        outside = []
    return [*shown, _outside("\n".join(outside))]


def _outside(text: str) -> str:
    """``text`` outside code blocks, with its code spans as tags."""
    parts: list[str] = []
    end = 0
    for span in _CODE_SPAN.finditer(text):
        parts += [_neutral(text[end : span.start()], _MORE_SIGNS), f"<code>{_entities(span[2])}</code>"]
        end = span.end()
    return "".join([*parts, _neutral(text[end:], _MORE_SIGNS)])


def _neutral(text: str, signs: re.Pattern[str]) -> str:
    parts: list[str] = []
    end = 0
    for link in _LINK.finditer(text):
        parts += [signs.sub(_entity, text[end : link.start()]), link[0]]
        end = link.end()
    return "".join([*parts, signs.sub(_entity, text[end:])])


def _entity(sign: re.Match[str]) -> str:
    return _entities(sign[0])


def _entities(text: str) -> str:
    return "".join(sign if sign.isascii() and sign.isalnum() else f"&#{ord(sign)};" for sign in text)
