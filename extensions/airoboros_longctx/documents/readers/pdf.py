"""PDF: the text layer, page by page, a blank line between pages."""

from __future__ import annotations

from pathlib import Path

import pypdf
from pypdf.errors import DependencyError, PyPdfError

from .output import Output, Refusal


def read(path: Path, output: Output) -> None:
    with path.open("rb") as file:
        if b"%PDF-" not in file.read(1024):
            raise Refusal("is called a PDF and is none; the ending of a name that says what it is is needed.")
        file.seek(0)
        try:
            pdf = pypdf.PdfReader(file)
            _unlock(pdf)
            _read_pages(pdf, output)
        except DependencyError as error:
            raise Refusal(
                'is encrypted, which needs the package cryptography to read: run pip install "cryptography>=42" in the '
                "Python environment of this program, then try again."
            ) from error
        except (PyPdfError, RecursionError, ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
            raise Refusal(
                f"is a damaged PDF or was cut short ({type(error).__name__}); get it anew, or print it to a new PDF."
            ) from error


def _unlock(pdf: pypdf.PdfReader) -> None:
    """Many PDFs are encrypted against editing only: then the password for reading is empty."""
    if pdf.is_encrypted and not pdf.decrypt(""):
        raise Refusal("is protected by a password; save a copy without one (print it to a PDF) and add that.")


def _read_pages(pdf: pypdf.PdfReader, output: Output) -> None:
    total = len(pdf.pages)
    if not total:
        raise Refusal("is a PDF without pages; get it anew, or print it to a new PDF.")
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
            f"holds no text, only pictures ({total} {'page' if total == 1 else 'pages'}), as scans do; let a program "
            "for text recognition (OCR) add a text layer, then add that file."
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
        output.pair("title", _title(about.title or ""))
        output.pair("author", about.author)
        created = about.creation_date
        output.pair("date", created and created.date().isoformat())
    except (PyPdfError, ValueError, TypeError, AttributeError):
        output.note("What the PDF says about itself (title, author, date) is damaged and was left out.")


def _title(title: str) -> str:
    """Without what printing programs put before it or in its place."""
    for program in ("Microsoft Word - ", "Microsoft PowerPoint - ", "Microsoft Excel - "):
        title = title.removeprefix(program)
    return "" if title.strip().lower() in ("untitled", "title") else title
