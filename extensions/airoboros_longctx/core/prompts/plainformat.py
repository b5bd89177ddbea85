"""PLAINFORMAT: bare code instead of explanations and fences, for the generations that were trained with it."""

from __future__ import annotations

import re

TERM = "PLAINFORMAT"
_ENDS_WITH_TERM = re.compile(rf"(?:\A|\s){TERM}\Z")
#: A backtick fence has no backtick after it on its line: ```x``` is a word in code style, not a block.
_FENCE = re.compile(
    r"^(?P<indent>[ ]{0,3})(?P<fence>`{3,}(?=[^\n`]*$)|~{3,})[^\n]*?(?P<line_end>\r?\n|\Z)", re.MULTILINE
)


def with_plainformat(message: str, separator: str) -> str:
    """``message`` with the term at its end, once, after the loaded generation's ``separator``."""
    if _ENDS_WITH_TERM.search(message.rstrip()):
        return message
    return f"{message.rstrip()}{separator}{TERM}"


def bare_code(reply: str) -> str:
    """The code of ``reply``: the body of its first fence where there is one, also while it still grows."""
    opening = _FENCE.search(reply)
    if opening is None:
        return "" if reply.strip() and not reply.strip().strip("`~") else reply
    body = reply[opening.end() :]
    fence = opening["fence"]
    closing = re.search(rf"^[ ]{{0,3}}{fence[0]}{{{len(fence)},}}[ \t]*\r?$", body, re.MULTILINE)
    if closing is not None:
        body = body[: closing.start()]
    else:
        half_a_closing_fence = rf"^[ ]{{0,3}}{fence[0]}{{1,{len(fence)}}}\Z"
        body = re.sub(half_a_closing_fence, "", body, flags=re.MULTILINE)
    if opening["indent"]:
        body = re.sub(rf"^[ ]{{1,{len(opening['indent'])}}}", "", body, flags=re.MULTILINE)
    return body.removesuffix(opening["line_end"])


def as_code_block(code: str, info: str = "") -> str:
    """``code`` as one Markdown code block that nothing in it can close. ``info`` is the word after the fence."""
    longest = max((len(run) for run in re.findall(r"`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{info}\n{code}\n{fence}"
