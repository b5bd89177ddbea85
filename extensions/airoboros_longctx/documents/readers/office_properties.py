"""What docx, pptx and xlsx say about themselves in their core properties."""

from __future__ import annotations

from typing import Any

from .output import Output

#: What programs put there by themselves.
_NO_TITLES = ("PowerPoint Presentation", "Word Document")
_NO_AUTHORS = ("python-docx", "openpyxl")


def say_properties(properties: Any, author: Any, output: Output) -> None:
    """Title, author and the day of the last change, else of the making."""
    output.pair("title", None if properties.title in _NO_TITLES else properties.title)
    output.pair("author", None if author in _NO_AUTHORS else author)
    changed = properties.modified or properties.created
    output.pair("date", changed and changed.date().isoformat())
