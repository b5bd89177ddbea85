"""PDF: the text layer, page by page, a blank line between pages."""

from __future__ import annotations

from pathlib import Path

import pypdf
from pypdf.errors import DependencyError, PyPdfError

from .output import Output, Refusal

_LOCKED = "is protected by a password; save a copy without one (print it to a PDF) and add that."


def read(path: Path, output: Output) -> None:
    with path.open("rb") as file:
        if b"%PDF-" not in file.read(1024):
            raise Refusal("is no PDF, although its name says so; the right ending in its name is needed.")
        file.seek(0)
        try:
            pdf = pypdf.PdfReader(file)
            _unlock(pdf)
            _read_pages(pdf, output)
        except (PyPdfError, RecursionError, ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
            raise Refusal(
                f"is a damaged PDF or was cut short ({type(error).__name__}); get it anew, or print it to a new PDF."
            ) from error


def _unlock(pdf: pypdf.PdfReader) -> None:
    """Many PDFs are encrypted against editing only: then the password for reading is empty."""
    if not pdf.is_encrypted:
        return
    try:
        opened = pdf.decrypt("")
    except (DependencyError, NotImplementedError) as error:
        raise Refusal(
            'is encrypted, which needs the package cryptography to read: run pip install "cryptography>=42" in the '
            "Python environment of this program, then try again."
        ) from error
    if not opened:
        raise Refusal(_LOCKED)


def _read_pages(pdf: pypdf.PdfReader, output: Output) -> None:
    total = len(pdf.pages)
    output.progress(0, total)
    empty = 0
    for number, page in enumerate(pdf.pages, 1):
        text = page.extract_text().strip()
        if not text:
            empty += 1
        elif output.characters:
            output.text("\n\n" + text)
        else:
            output.text(text)
        output.progress(number, total)
    if not output.characters:
        raise Refusal(
            f"has no text on its {total} {'page' if total == 1 else 'pages'}: they are pictures, such as scans. Let a "
            "program for text recognition (OCR) add a text layer, then add that file."
        )
    if empty:
        output.note(f"{empty} of {total} pages hold no text; they may be pictures, such as scans.")
    _say_metadata(pdf, output)
    output.pair("pages", f"1-{total}" if total > 1 else "1")


def _say_metadata(pdf: pypdf.PdfReader, output: Output) -> None:
    try:
        about = pdf.metadata
        if about is None:
            return
        output.pair("title", about.title)
        output.pair("author", about.author)
        created = about.creation_date
        output.pair("date", created and created.date().isoformat())
    except (PyPdfError, ValueError, TypeError, AttributeError):
        output.note("What the PDF says about itself (title, author, date) is damaged and was left out.")
