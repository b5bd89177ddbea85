"""What is shown under a reply about its sources, as HTML in which everything foreign is escaped."""

from __future__ import annotations

from urllib.parse import quote

from ..foreign_text import quoted
from .source_check import SourceCheck, SourceLink, StatedSource

_TITLE_CHARACTERS = 80
_STATED_CHARACTERS = 120
#: The page's script opens the document's preview where a link begins so; ``-<id>-<start>-<end>`` follows.
LINK = "#airoboros-longctx-source"


def source_notes_html(check: SourceCheck) -> str:
    """One line of HTML; "" where there is nothing to say.

    No webui's Markdown can change it: every sign of its texts that is not a letter or a digit is an entity.
    """
    parts = []
    if check.sources:
        parts.append(_line("Sources:", " · ".join(_source_html(one) for one in check.sources)))
    elif check.carried_by:
        parts.append(_line("Found in:", " · ".join(map(_link_html, check.carried_by))))
    if check.unfound:
        values = ", ".join(_text(value) for value in check.unfound)
        parts.append(_line("Occurs in no document:", f"{_MARK_OPEN}{values}</span>"))
    quiet = "" if check.sources or check.unfound else " airoboros-longctx-sources-quiet"
    inside = "".join(parts)
    return f'<div class="airoboros-longctx-sources{quiet}">{inside}</div>' if parts else ""


_MARK_OPEN = '<span class="airoboros-longctx-sources-mark">'


def _line(name: str, content: str) -> str:
    return f'<div><span class="airoboros-longctx-sources-name">{name}</span> {content}</div>'


def _source_html(one: StatedSource) -> str:
    if not one.documents:
        return f"{_MARK_OPEN}{_text(quoted(one.stated, _STATED_CHARACTERS))}: not among the documents</span>"
    links = " / ".join(map(_link_html, one.documents))
    if not one.wrong:
        return links
    wrong = ", ".join(_text(quoted(pair, _STATED_CHARACTERS)) for pair in one.wrong)
    return f"{links} {_MARK_OPEN}(not so in the document: {wrong})</span>"


def _link_html(link: SourceLink) -> str:
    place = f"{LINK}-{quote(link.id, safe='', errors='replace')}-{link.start or 0}-{link.end or 0}"
    return f'<a href="{place}">{_text(quoted(link.title, _TITLE_CHARACTERS) or "a document without a title")}</a>'


def _text(text: str) -> str:
    return "".join(sign if sign == " " or _is_plain(sign) else f"&#x{ord(sign):x};" for sign in text)


def _is_plain(sign: str) -> bool:
    return sign.isascii() and sign.isalnum()
