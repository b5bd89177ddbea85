"""xlsx: each sheet under a line with its name, a line for each row that holds something."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path

import defusedxml.ElementTree  # noqa: F401  openpyxl takes it where it is there, and refuses entities
import openpyxl

from .office_properties import say_properties
from .output import Output
from .zip_limits import check_zip


def read(path: Path, output: Output) -> None:
    check_zip(path, ".xlsx")
    workbook = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
    sheets = workbook.worksheets
    for number, sheet in enumerate(sheets, 1):
        output.text(f"{sheet.title}\n")
        sheet.reset_dimensions()  # the file's own word on its size may be wrong, or made up
        for row in sheet.iter_rows(values_only=True):
            line = _line(row)
            if line:
                output.text(line + "\n")
        output.text("\n")
        output.progress(number, len(sheets))
    say_properties(workbook.properties, workbook.properties.creator, output)
    output.pair("sheets", ", ".join(sheet.title for sheet in sheets))


def _line(row: Sequence[object]) -> str:
    cells = [_cell(value) for value in row]
    while cells and not cells[-1]:
        cells.pop()
    return " | ".join(cells)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    return " ".join(str(value).split())
