"""PLAINFORMAT: the term at the end of the message, and the code of the reply while it grows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extensions.airoboros_longctx.core.plainformat import as_code_block, bare_code, with_plainformat


@pytest.mark.parametrize(
    ("separator", "added"), [("\n", "\nPLAINFORMAT"), (" ", " PLAINFORMAT"), ("  ", "  PLAINFORMAT")]
)
def test_the_term_is_added_once(separator, added):
    once = with_plainformat("Write a loop.\n", separator)
    assert once == "Write a loop." + added
    assert with_plainformat(once, separator) == once


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ("x = 1\ny = 2", "x = 1\ny = 2"),
        ("```python\nx = 1\n```", "x = 1"),
        ("Here it is:\n\n```\nx = 1\n\ny = 2\n```\nEnjoy.\n```\nmore\n```", "x = 1\n\ny = 2"),
        ("~~~js\nx\n~~~", "x"),
        ("````md\n```\ninner\n```\n````", "```\ninner\n```"),
        ("```python\nx = 1", "x = 1"),
        ("```python\nx = 1\n``", "x = 1"),
        ("```py", ""),
        ("``", ""),
        ("", ""),
        ("s = '```'", "s = '```'"),
        ("```\n  indented\n\ttab\n```", "  indented\n\ttab"),
    ],
)
def test_the_code_of_a_reply(reply, code):
    assert bare_code(reply) == code


@given(st.text(st.sampled_from("ab\n ~x=1"), max_size=60))
def test_code_grows_with_a_fenced_reply_and_never_shows_the_fence(code):
    code = code.strip("\n")
    reply = f"```python\n{code}\n```"
    for end in range(len("```python\n"), len(reply) + 1):
        shown = bare_code(reply[:end])
        assert code.startswith(shown)
    assert bare_code(reply) == code


@given(st.text(st.sampled_from("`ab\n~"), max_size=40))
def test_nothing_in_the_code_closes_its_block(code):
    block = as_code_block(code, "plainformat")
    fence = block.split("plainformat", 1)[0]
    assert block == f"{fence}plainformat\n{code}\n{fence}"
    assert fence not in code
    assert len(fence) >= 3
