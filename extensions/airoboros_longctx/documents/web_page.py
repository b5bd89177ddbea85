"""An address in, the text and metadata of what it holds out."""

from __future__ import annotations

import codecs
import tempfile
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from ..core.foreign_text import quoted
from .download import PUBLIC_INTERNET, Download, Network, download
from .file_types import READERS
from .read_document import Cancelled, DocumentReadError, Progress, ReadDocument
from .reading import PAIRS, named_pairs, read_file

_OFFICE = "application/vnd.openxmlformats-officedocument."
_SUFFIXES = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "text/plain": ".txt",
    "text/markdown": ".md",
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "application/json": ".json",
    "application/pdf": ".pdf",
    "application/epub+zip": ".epub",
    f"{_OFFICE}wordprocessingml.document": ".docx",
    f"{_OFFICE}presentationml.presentation": ".pptx",
    f"{_OFFICE}spreadsheetml.sheet": ".xlsx",
}
#: Servers that do not know a type say this; then the ending of the address counts.
_UNKNOWN_TYPES = ("application/octet-stream", "binary/octet-stream", "")
#: Encodings that a page may name: some of Python's others are no encodings of pages, and slow on purpose-made bytes.
_ENCODINGS = ("utf", "iso8859", "cp", "koi8", "mac", "shift_jis", "euc", "gb", "big5", "iso2022", "ascii", "tis", "hz")


def fetch_document(
    url: str,
    *,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
    network: Network = PUBLIC_INTERNET,
) -> ReadDocument:
    """Read what is at ``url``. Its metadata has ``url``, where the last redirect led, and no ``file``.

    Raises DocumentReadError with one sentence, ReadingCancelledError where ``cancelled`` said so. Whether pages may be
    fetched at all is the caller's to ask first.
    """
    page = download(url, cancelled, network)
    title = _title(page.url)
    suffix = _suffix(page)
    if not suffix:
        raise DocumentReadError(
            f"{quoted(page.url, 120)} holds {quoted(page.content_type or 'something of no stated type', 80)}; a web "
            "page, text, PDF, .docx, .pptx, .xlsx or .epub is needed."
        )
    with tempfile.TemporaryDirectory(prefix="airoboros_longctx-") as folder:
        path = Path(folder) / f"page{suffix}"
        path.write_bytes(page.content if suffix in READERS and suffix != ".html" else _in_utf8(page))
        answer = read_file(path, suffix, quoted(page.url, 120), progress, cancelled)
    pairs = named_pairs(answer) | {"url": page.url}
    ordered = tuple((key, pairs[key]) for key in PAIRS if key in pairs)
    return ReadDocument(pairs.get("title", title), answer.text, ordered, tuple(map(quoted, answer.notes)))


def page_text(url: str, cancelled: Cancelled | None = None, network: Network = PUBLIC_INTERNET) -> str:
    """The text alone of what is at ``url``, behind its title. Raises as ``fetch_document`` does."""
    page = fetch_document(url, cancelled=cancelled, network=network)
    return f"{page.title}\n\n{page.text}"


def _suffix(page: Download) -> str:
    ending = PurePosixPath(urlsplit(page.url).path).suffix.lower()
    if page.content_type in _UNKNOWN_TYPES and ending in _SUFFIXES.values():
        return ending
    return _SUFFIXES.get(page.content_type, "")


def _in_utf8(page: Download) -> bytes:
    """The content with the encoding that the server named made plain; as it is where it named none, or no real one."""
    try:
        codec = codecs.lookup(page.charset).name.replace("-", "_") if page.charset else ""
    except LookupError:
        codec = ""
    if not codec.startswith(_ENCODINGS):
        return page.content
    return codecs.BOM_UTF8 + page.content.decode(codec, "replace").removeprefix("\ufeff").encode("utf-8", "replace")


def _title(url: str) -> str:
    parts = urlsplit(url)
    return quoted(unquote(parts.path.rstrip("/").rpartition("/")[2]), 120) or parts.netloc
