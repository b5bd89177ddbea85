"""pptx: the texts of each slide in the order of its shapes, its tables, and its notes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pptx

from .office_properties import say_properties
from .output import Output
from .zip_limits import check_zip


def read(path: Path, output: Output) -> None:
    check_zip(path, ".pptx")
    presentation = pptx.Presentation(str(path))
    slides = list(presentation.slides)
    for number, slide in enumerate(slides, 1):
        lines = list(_texts(slide.shapes))
        if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
            notes = slide.notes_slide.notes_text_frame.text.strip()
            lines += [f"Notes: {notes}"] if notes else []
        if lines:
            output.text("\n".join(lines) + "\n\n")
        output.progress(number, len(slides))
    say_properties(presentation.core_properties, presentation.core_properties.author, output)
    output.pair("slides", f"1-{len(slides)}" if len(slides) > 1 else "1")


def _texts(shapes: Any) -> Iterator[str]:
    for shape in shapes:
        if hasattr(shape, "shapes"):  # a group
            yield from _texts(shape.shapes)
        elif shape.has_text_frame:
            if shape.text_frame.text.strip():
                yield shape.text_frame.text.replace("\v", "\n").strip()
        elif shape.has_table:
            for row in shape.table.rows:
                yield " | ".join(" ".join(cell.text.split()) for cell in row.cells)
