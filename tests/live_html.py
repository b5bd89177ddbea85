"""What is alive in a piece of HTML: everything but plain text marks, and what a reader sees of it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_PLAIN_TAGS = frozenset(
    "p br hr div span strong em s del q code pre ul ol li blockquote h1 h2 h3 h4 h5 h6 table thead tbody tr th "
    "td".split()
)
#: A webui's fold for what a model thinks, with its sign.
_FOLD_TAGS = frozenset("details summary svg path".split())
_PLAIN_ATTRIBUTES = frozenset("class start align style".split())
_OUR_LINK = "#airoboros-longctx-"
_VOID = frozenset("br hr img input link meta source".split())


class LiveHtml(HTMLParser):
    """``inside`` names the class of the elements to look at; "" is all of it."""

    def __init__(self, text: str, inside: str = "") -> None:
        super().__init__(convert_charrefs=True)
        self._inside, self._depth = inside, 0 if inside else 1
        self.links: list[str] = []
        self.alive: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).split())

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if not self._depth:
            self._depth = int(self._inside in (given.get("class") or "").split())
            return
        self.texts.append("" if tag in ("strong", "em", "q", "code", "a", "span") else " ")
        self._depth += tag not in _VOID
        if tag == "a":
            self._link(given)
        elif tag in _FOLD_TAGS:
            return
        elif tag not in _PLAIN_TAGS or not given.keys() <= _PLAIN_ATTRIBUTES or not _aligns(given.get("style")):
            self.alive.append(self.get_starttag_text() or tag)

    def _link(self, given: dict[str, str | None]) -> None:
        address = given.get("href") or ""
        self.links.append(address)
        if not given.keys() <= {"href", "title"} or not address.startswith(("http://", "https://", _OUR_LINK)):
            self.alive.append(self.get_starttag_text() or "a")

    def handle_endtag(self, tag: str) -> None:
        if self._depth and tag not in _VOID:
            self._depth -= 1
            self.texts.append("" if tag in ("strong", "em", "q", "code", "a", "span") else " ")

    def handle_data(self, data: str) -> None:
        if self._depth:
            self.texts.append(data)


def _aligns(style: str | None) -> bool:
    """A cell of a table says by style how it is aligned, and nothing else does."""
    return style is None or re.fullmatch(r"text-align: ?(left|center|right);?", style) is not None
