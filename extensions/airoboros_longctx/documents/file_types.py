"""Which files can be read, by what, and which packages that takes."""

from __future__ import annotations

import importlib
import importlib.util
from typing import NamedTuple

#: Read in this very process, as they are.
_TEXT = (
    ".txt .md .markdown .rst .tex .log .json .jsonl .yaml .yml .toml .ini .cfg .conf .xml .srt .vtt .py .js .mjs .ts "
    ".jsx .tsx .css .scss .c .h .cpp .hpp .cc .cs .java .kt .go .rs .rb .php .pl .lua .swift .scala .r .jl .hs .sh "
    ".bash .ps1 .bat .sql .diff .patch"
).split()
#: Read in this very process; their rows become lines.
TABLES = (".csv", ".tsv")

#: Import name of each package to what pip is told; the same lines stand in requirements-documents.txt.
PACKAGES = {
    "pypdf": "pypdf>=5,<8",
    "cryptography": "cryptography>=42",  # for PDFs that are encrypted, though with an empty password
    "docx": "python-docx>=1.1,<2",
    "pptx": "python-pptx>=1,<2",
    "openpyxl": "openpyxl>=3.1,<4",
    "defusedxml": "defusedxml>=0.7,<0.8",
    "trafilatura": "trafilatura>=2,<3",
    "lxml_html_clean": "lxml_html_clean>=0.4,<0.5",  # trafilatura needs it, and pip before 23.3 leaves it out
}


class ReaderChoice(NamedTuple):
    """A module of ``readers/`` and the import names of the packages that it cannot do without."""

    module: str
    packages: tuple[str, ...]


READERS = {
    ".html": ReaderChoice("html_page", ("trafilatura", "lxml_html_clean")),
    ".htm": ReaderChoice("html_page", ("trafilatura", "lxml_html_clean")),
    ".xhtml": ReaderChoice("html_page", ("trafilatura", "lxml_html_clean")),
    ".pdf": ReaderChoice("pdf", ("pypdf",)),
    ".docx": ReaderChoice("word", ("docx",)),
    ".pptx": ReaderChoice("slides", ("pptx",)),
    ".xlsx": ReaderChoice("workbook", ("openpyxl", "defusedxml")),
    ".epub": ReaderChoice("epub", ("defusedxml",)),
}

#: Read by no reader, and no text for a person even where their bytes are.
SAVE_AS = {
    ".doc": ".docx",
    ".odt": ".docx",
    ".rtf": ".docx",
    ".pages": ".docx",
    ".ppt": ".pptx",
    ".odp": ".pptx",
    ".xls": ".xlsx",
    ".xlsb": ".xlsx",
    ".ods": ".xlsx",
}


def readable_types() -> tuple[str, ...]:
    """The suffixes of what can be read, packages permitting; the best known first. Others are read if they are text."""
    return (".txt", ".md", *READERS, *TABLES, *(suffix for suffix in _TEXT if suffix not in (".txt", ".md")))


def missing_packages(suffix: str) -> str:
    """A sentence that says which packages such files need and how to install them; "" where nothing is missing."""
    importlib.invalidate_caches()  # what was installed a moment ago counts: nothing has to be started again
    needed = READERS[suffix.lower()].packages if suffix.lower() in READERS else ()
    missing = [PACKAGES[name] for name in needed if importlib.util.find_spec(name) is None]
    if not missing:
        return ""
    names = " and ".join(requirement.partition(">=")[0] for requirement in missing)
    return (
        f"Reading {suffix.lower()} files needs {names}, which {'is' if len(missing) == 1 else 'are'} not installed: "
        f"run {install_command(missing)} in the Python environment of this program, then try again."
    )


def install_command(requirements: list[str]) -> str:
    return "pip install " + " ".join(f'"{requirement}"' for requirement in requirements)


def why_not_read(suffix: str) -> str:
    """What to do with a file of no known type that is no text; it continues a sentence that begins with its name."""
    if suffix in SAVE_AS:
        return f"is of the type {suffix}, which is not read; save it as {SAVE_AS[suffix]} and add that."
    kind = f"of the type {suffix}" if suffix else "without an ending in its name"
    return f"is {kind}, and not text in UTF-8; text, source code, {', '.join(READERS)}, .csv or .tsv is needed."
