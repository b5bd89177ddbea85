"""What a form asks for: the same for a format of the models and for a recipe."""

from __future__ import annotations

from dataclasses import dataclass

LINE, TEXT, LIST, NUMBER, CHOICE, DOCUMENT = KINDS = ("line", "text", "list", "number", "choice", "document")
BULLETS = ("-", " -", "A)", "1.")


@dataclass(frozen=True)
class FormField:
    """``kind``: a line, a text of several lines, a list of lines, a number, one of ``choices``, or a document, which is
    foreign text. ``default`` is a text, a list's has a line for each item. ``bullet`` begins the items of a list.
    """

    name: str
    label: str
    kind: str = LINE
    default: str = ""
    required: bool = True
    choices: tuple[str, ...] = ()
    bullet: str = "-"

    @property
    def spoken(self) -> str:
        """Its name with what a page calls it, where that is something else."""
        return self.name if self.label.casefold() == self.name else f"{self.name} ({self.label})"
