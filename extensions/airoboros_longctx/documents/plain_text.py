"""Text files and tables of text, in whatever encoding: read in this process, since they need no parser."""

from __future__ import annotations

import codecs
import csv
import importlib.util
import io

from ..core.foreign_text import UnreadableFileError

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: What no text holds; form feed, escape and end of file do occur in old ones.
_CONTROL_BYTES = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1a\x1b")) + b"\x7f"
_MOST_CONTROL_BYTES = 0.02
_SAMPLE_BYTES = 1 << 16
#: Text in a script of its own (Cyrillic, Greek, Chinese) is mostly bytes beyond ASCII; Western text has few of them.
_OWN_SCRIPT = 0.3
_NO_TEXT = "is not text ({}); text is needed, or the ending of a name that says what it is."


def decode(content: bytes, guess: bool = True) -> tuple[str, str]:
    """The text of a file, and a note for the user where its encoding had to be guessed; where it may not, it is UTF-8.

    Raises UnreadableFileError (a sentence without its beginning) for what is not text.
    """
    for mark, encoding in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            try:
                return content.decode(encoding), ""
            except UnicodeDecodeError as error:
                raise UnreadableFileError(_NO_TEXT.format(f"broken {encoding.upper()}")) from error
    if b"\0" in content:
        raise UnreadableFileError(_NO_TEXT.format("it holds zero bytes"))
    try:
        return _without_controls(content).decode("utf-8"), ""
    except UnicodeDecodeError as error:
        if not guess:
            raise UnreadableFileError(_NO_TEXT.format("it is not UTF-8")) from error
        encoding = _guess(content[:_SAMPLE_BYTES])
    return content.decode(encoding, "replace"), f"It is not UTF-8; it was read as {encoding}. Look whether it is right."


def _without_controls(content: bytes) -> bytes:
    """The same bytes. Raises UnreadableFileError where too many are control characters."""
    sample = content[:_SAMPLE_BYTES]
    if len(sample) - len(sample.translate(None, _CONTROL_BYTES)) > _MOST_CONTROL_BYTES * len(sample):
        raise UnreadableFileError(_NO_TEXT.format("it is full of control characters"))
    return content


def _guess(sample: bytes) -> str:
    """Windows-1252 for Western text; for other scripts what charset-normalizer says, where it is installed.

    It takes short French for Polish and a single accent for Chinese, so it is not asked about Western text.
    """
    beyond_ascii = len(sample.translate(None, bytes(range(128))))
    if beyond_ascii > _OWN_SCRIPT * len(sample) and importlib.util.find_spec("charset_normalizer"):
        from charset_normalizer import from_bytes

        best = from_bytes(sample).best()
        if best is not None:
            return str(best.encoding)
    return "cp1252"


def rows_as_lines(text: str, delimiter: str) -> str:
    """A table in text, its cells joined by `` | ``. One whose quotes do not close comes back as it is."""
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        return "\n".join(" | ".join(" ".join(cell.split()) for cell in row) for row in rows if any(row))
    except csv.Error:
        return text


def delimiter_of(text: str, suffix: str) -> str:
    """Tab for .tsv; for .csv what the first line has most of."""
    if suffix == ".tsv":
        return "\t"
    first_line = text[:_SAMPLE_BYTES].partition("\n")[0]
    return max(",;\t|", key=first_line.count)
