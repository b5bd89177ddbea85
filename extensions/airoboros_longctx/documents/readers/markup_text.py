"""The whole text of a page of HTML, a line for each block; no judgement about what belongs to the article."""

from __future__ import annotations

from html.parser import HTMLParser

_BLOCKS = frozenset(
    "address article aside blockquote body br caption center dd div dl dt fieldset figcaption figure footer form h1 h2 "
    "h3 h4 h5 h6 header hr legend li main nav ol option p pre section summary table tbody tfoot thead title tr "
    "ul".split()
)
_NO_TEXT = frozenset("script style template noscript head svg".split())
_CELLS = frozenset(("td", "th"))


class _TextOfBlocks(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = []
        self._line: list[str] = []
        self._inside_no_text = ""

    def handle_starttag(self, tag: str, attributes: object) -> None:
        if self._inside_no_text:
            return
        if tag in _NO_TEXT:
            self._inside_no_text = tag
        elif tag in _BLOCKS:
            self.end_line()
        elif tag in _CELLS and any(piece.strip() for piece in self._line):
            self._line.append(" | ")

    def handle_startendtag(self, tag: str, attributes: object) -> None:
        if tag in _BLOCKS and not self._inside_no_text:
            self.end_line()

    def handle_endtag(self, tag: str) -> None:
        if tag == self._inside_no_text:
            self._inside_no_text = ""
        elif tag in _BLOCKS and not self._inside_no_text:
            self.end_line()

    def handle_data(self, data: str) -> None:
        if not self._inside_no_text:
            self._line.append(data)

    def end_line(self) -> None:
        line = " ".join("".join(self._line).split())
        if line:
            self.lines.append(line)
        self._line = []


def text_of_markup(markup: str) -> str:
    parser = _TextOfBlocks()
    parser.feed(markup)
    parser.close()
    parser.end_line()
    return "\n".join(parser.lines)
