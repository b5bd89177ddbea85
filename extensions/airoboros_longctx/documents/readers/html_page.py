"""HTML: the article without menus and the like, and what the page says about itself; by trafilatura."""

from __future__ import annotations

from pathlib import Path

import trafilatura
from trafilatura.utils import decode_file

from .markup_text import text_of_markup
from .output import Output


def read(path: Path, output: Output) -> None:
    markup = decode_file(path.read_bytes())
    text = trafilatura.extract(markup, include_comments=False, include_tables=True, favor_recall=True)
    if not text:  # a page without an article, such as a short one
        text = text_of_markup(markup)
    output.text(text)
    about = trafilatura.extract_metadata(markup)
    if about is not None:
        output.pair("title", about.title)
        output.pair("author", about.author)
        output.pair("date", about.date)
        output.pair("url", about.url)
