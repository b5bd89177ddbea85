"""PLAINFORMAT: the term at the end of the message, and the code of the reply while it grows."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extensions.airoboros_longctx.core.prompts.plainformat import as_code_block, bare_code, with_plainformat

CODE_PIECES = st.lists(st.sampled_from(["`", "```", "~~~", "````", "\n", " ", "x = 1", "\r\n"]) | st.characters())


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


@pytest.mark.parametrize(
    ("message", "separator", "with_term"),
    [
        ("Write a loop.", "\n", "Write a loop.\nPLAINFORMAT"),
        ("Write a loop.", "  ", "Write a loop.  PLAINFORMAT"),
        ("Write a loop. \n", " ", "Write a loop. PLAINFORMAT"),
        ("Write a loop. PLAINFORMAT", "\n", "Write a loop. PLAINFORMAT"),
        ("Write a loop.\nPLAINFORMAT \n", " ", "Write a loop.\nPLAINFORMAT \n"),
        ("What does PLAINFORMAT mean?", " ", "What does PLAINFORMAT mean? PLAINFORMAT"),
        ("Explain NOPLAINFORMAT", " ", "Explain NOPLAINFORMAT PLAINFORMAT"),
        ("PLAINFORMAT", " ", "PLAINFORMAT"),
        ("  indented", " ", "  indented PLAINFORMAT"),
    ],
)
def test_the_term_stands_at_the_end_once(message, separator, with_term):
    assert with_plainformat(message, separator) == with_term
    assert with_plainformat(with_term, separator) == with_term


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ("print(1)\n", "print(1)\n"),
        ("", ""),
        ("Use `x` there.", "Use `x` there."),
        ("```python\nprint(1)\n```", "print(1)"),
        ("```python\nprint(1)\n```\nIt prints one.", "print(1)"),
        ("Here:\n\n```js\na\n```\nand\n```\nb\n```", "a"),
        ("~~~\na\n~~~\n", "a"),
        ("~~~ a`b\nx\n~~~", "x"),
        ("````md\n```\nx\n```\n````", "```\nx\n```"),
        ("~~~\n```\nx\n```\n~~~", "```\nx\n```"),
        ("```\na\n`````", "a"),
        ("```py\r\nx\r\ny\r\n```\r\nmore", "x\r\ny"),
        ("  ```py\n  if x:\n      y\n  ```\nmore", "if x:\n    y"),
        ("  ```py\nx\n y\n  ```", "x\ny"),
        ("```\n\n\na\n\n```", "\n\na\n"),
        ("```\n```", ""),
        ("```print(1)```", "```print(1)```"),
        ("Say ```x``` there.", "Say ```x``` there."),
        (
            "def f():\n    '''\n    ```\n    f()\n    ```\n    '''",
            "def f():\n    '''\n    ```\n    f()\n    ```\n    '''",
        ),
    ],
)
def test_the_first_fenced_body_is_the_code(reply, code):
    assert bare_code(reply) == code


@pytest.mark.parametrize(
    "reply", ["```python\nx = 1\n\ny = 2\n```", "~~~~\nx = 1\n\ny = 2\n~~~~", "```\nx = 1\n\ny = 2\n```\nDone."]
)
def test_while_it_streams_no_fence_is_seen_and_no_code_is_taken_back(reply):
    shown = [bare_code(reply[:end]) for end in range(len(reply) + 1)]
    assert not any("`" in one or "~" in one for one in shown)
    for before, after in pairwise(shown):
        assert after.startswith(before.rstrip("\n"))
    assert shown[-1] == "x = 1\n\ny = 2"


def test_bare_code_streams_as_it_is():
    reply = "x = 1\ny = f'{x}'\n"
    assert [bare_code(reply[:end]) for end in range(len(reply) + 1)] == [reply[:end] for end in range(len(reply) + 1)]


@pytest.mark.parametrize("code", ["x = 1", "", "```", "a\n````\nb\n", "`````` x `"])
def test_the_block_is_closed_by_its_own_fence_only(code):
    block = as_code_block(code, "py")
    opening, *body, closing = block.split("\n")
    assert opening == f"{closing}py"
    assert set(closing) == {"`"}
    assert "\n".join(body) == code
    assert closing not in code


@given(CODE_PIECES.map("".join))
def test_what_is_put_into_a_block_comes_out_of_it(code):
    assert bare_code(as_code_block(code)) == code


@pytest.mark.parametrize("piece", ["`", "```\n", "~", "\n`", "``` ", "   ", "```x`"])
def test_long_replies_are_read_through_once(piece):
    bare_code(piece * (200_000 // len(piece)))
