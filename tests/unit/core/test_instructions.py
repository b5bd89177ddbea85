"""The instruction: as it is typed, or as a list, with the trained sentences behind it."""

from __future__ import annotations

import pytest

from extensions.airoboros_longctx.core.prompts.document_options import DocumentOptions
from extensions.airoboros_longctx.core.prompts.instructions import instruction_text

DONT = "Don't make up answers if you don't know."


def options(**more: bool) -> DocumentOptions:
    return DocumentOptions(**{"only_from_documents": False, **more})


@pytest.mark.parametrize("question", ["Which color?", "  Which color?  ", "First?\nSecond?", "- a\n\n- b\n", ""])
def test_what_is_typed_stays_as_it_is(question):
    assert instruction_text(question, options()) == question


def test_the_ticks_are_lines_behind_it():
    ticked = options(name_sources=True, only_from_documents=True)
    assert instruction_text("Which color?", ticked) == f"Which color?\nSource?\n{DONT}"
    assert instruction_text("Which color?  Source?", ticked) == f"Which color?  Source?\n{DONT}"
    assert instruction_text(f"Which? {DONT}", ticked) == f"Which? {DONT}\nSource?"


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Which color?", "Which color?"),
        ("  Which color?\n\n", "  Which color?\n\n"),
        ("First?\nSecond?", "- First?\n- Second?"),
        ("  First?  \n\n \r\nSecond?\n", "- First?\n- Second?"),
        ("- First?\nSecond?", "- First?\n- Second?"),
        ("1. First?\n2) Second?\nb) Third?", "1. First?\n2) Second?\nb) Third?"),
        ("* First?\n  • nested\n– Third?", "* First?\n  • nested\n– Third?"),
        ("-5 degrees?\n3.5 or 4?\nA. Who?", "- -5 degrees?\n- 3.5 or 4?\nA. Who?"),
        ("", ""),
    ],
)
def test_a_line_each(question, text):
    assert instruction_text(question, options(one_instruction_per_line=True)) == text


def test_the_trained_sentences_are_lines_of_their_own_behind_the_list():
    ticked = options(one_instruction_per_line=True, name_sources=True, only_from_documents=True)
    listed = f"- First?\n- Second?\nSource?\n{DONT}"
    assert instruction_text("First?\nSecond?", ticked) == listed
    assert instruction_text("First?\nSource?\nSecond?", ticked) == listed
    assert instruction_text(f"{DONT}\nFirst?\nSecond?\n Source? ", ticked) == listed
    assert instruction_text(f"First?\n{DONT}\nSource?", ticked) == f"First?\n{DONT}\nSource?"
