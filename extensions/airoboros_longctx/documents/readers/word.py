"""docx: paragraphs and tables in their order, tracked insertions and content controls included, deletions not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docx

from .office_properties import say_properties
from .output import Output
from .zip_limits import check_zip

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_PARAGRAPH, _TABLE, _ROW, _CELL = f"{_W}p", f"{_W}tbl", f"{_W}tr", f"{_W}tc"
_TEXTS = {f"{_W}t", "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"}
_SIGNS = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}
#: A text box is written twice, the second time for old programs; a deletion that is not yet accepted is no text.
_LEFT_OUT = {"{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback", f"{_W}del", f"{_W}moveFrom"}


def read(path: Path, output: Output) -> None:
    check_zip(path, ".docx")
    document = docx.Document(str(path))
    for block in _blocks(document.element.body):
        output.text(block + "\n")
    say_properties(document.core_properties, document.core_properties.author, output)


def _blocks(parent: Any) -> Iterator[str]:
    """The paragraphs, and the rows of the tables, below an element, in order."""
    for element in parent.iterchildren("*"):
        if element.tag == _PARAGRAPH:
            yield _text(element)
        elif element.tag == _TABLE:
            yield from (_row(row) for row in element.iter(_ROW) if next(row.iterancestors(_TABLE)) is element)
            yield ""
        elif element.tag not in _LEFT_OUT:
            yield from _blocks(element)  # a content control, a tracked insertion


def _row(row: Any) -> str:
    cells = (cell for cell in row.iter(_CELL) if next(cell.iterancestors(_ROW)) is row)  # none of a table in a cell
    return " | ".join(" ".join(" ".join(_blocks(cell)).split()) for cell in cells)


def _text(element: Any) -> str:
    pieces: list[str] = []
    _collect(element, pieces)
    return "".join(pieces)


def _collect(element: Any, pieces: list[str]) -> None:
    for child in element.iterchildren("*"):
        if child.tag in _TEXTS:
            pieces.append(child.text or "")
        elif child.tag in _SIGNS:
            pieces.append(_SIGNS[child.tag])
        elif child.tag == _PARAGRAPH:  # in a text box
            pieces.extend(("\n", _text(child)))
        elif child.tag not in _LEFT_OUT:
            _collect(child, pieces)
