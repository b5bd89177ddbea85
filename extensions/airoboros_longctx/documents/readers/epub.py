"""EPUB: the chapters in reading order, whole; the standard library with defusedxml for the book's own lists."""

from __future__ import annotations

import posixpath
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from defusedxml.ElementTree import fromstring

from .markup_text import text_of_markup
from .output import Output, Refusal
from .zip_limits import check_zip

_CONTAINER = "META-INF/container.xml"
_NOT_A_BOOK = "is no EPUB book, or a damaged one; get it anew."


def read(path: Path, output: Output) -> None:
    check_zip(path, ".epub")
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        if "META-INF/rights.xml" in names:
            raise Refusal("is a book with copy protection (DRM), which is not read; a copy without it is needed.")
        package_name = _first(_xml(archive, _CONTAINER), "rootfile").get("full-path", "")
        package = _xml(archive, package_name)
        chapters = _chapters(package, posixpath.dirname(package_name))
        for number, name in enumerate(chapters, 1):
            if name in names:
                text = text_of_markup(archive.read(name).decode("utf-8-sig", "replace"))
                output.text(text + "\n\n" if text else "")
            output.progress(number, len(chapters))
    for key, tag in (("title", "title"), ("author", "creator"), ("date", "date"), ("url", "source")):
        said = next((element.text for element in package.iter() if _tag(element) == tag), None)
        if key != "url" or (said or "").startswith(("http://", "https://")):
            output.pair(key, (said or "")[:10] if key == "date" else said)


def _xml(archive: zipfile.ZipFile, name: str) -> Any:
    try:
        return fromstring(archive.read(name))
    except (KeyError, SyntaxError, ValueError) as error:  # defusedxml refuses with a ValueError
        raise Refusal(_NOT_A_BOOK) from error


def _chapters(package: Any, folder: str) -> list[str]:
    """The names, inside the archive, of the parts of the spine."""
    files = {element.get("id"): element.get("href", "") for element in package.iter() if _tag(element) == "item"}
    spine = [files.get(element.get("idref"), "") for element in package.iter() if _tag(element) == "itemref"]
    return [posixpath.normpath(posixpath.join(folder, unquote(file))) for file in spine if file]


def _first(tree: Any, tag: str) -> Any:
    for element in tree.iter():
        if _tag(element) == tag:
            return element
    raise Refusal(_NOT_A_BOOK)


def _tag(element: Any) -> str:
    """The name without its namespace; what is no element (a comment) has none."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
