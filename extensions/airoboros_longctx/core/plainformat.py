"""PLAINFORMAT: bare code instead of explanations and fences, for the generations that were trained with it."""

from __future__ import annotations

import re

TERM = "PLAINFORMAT"
_FENCE = re.compile(r"^[ ]{0,3}(`{3,}|~{3,})[^\n`]*\n?", re.MULTILINE)


def with_plainformat(message: str, separator: str) -> str:
    """``message`` with the term at its end, once, after the loaded generation's ``separator``."""
    if message.rstrip().endswith(TERM):
        return message
    return f"{message.rstrip()}{separator}{TERM}"


def bare_code(reply: str) -> str:
    """The code of ``reply``: the body of its first fence where there is one, also while it still grows."""
    opening = _FENCE.search(reply)
    if opening is None:
        return "" if reply.strip() and not reply.strip().strip("`~") else reply
    body = reply[opening.end() :]
    fence = opening.group(1)
    closing = re.search(rf"^[ ]{{0,3}}{re.escape(fence[0])}{{{len(fence)},}}[ \t]*$", body, re.MULTILINE)
    if closing is not None:
        body = body[: closing.start()]
    else:
        body = re.sub(rf"\n[ ]{{0,3}}{re.escape(fence[0])}{{1,{len(fence)}}}$", "\n", body)  # half a closing fence
    return body.removesuffix("\n")


def as_code_block(code: str, info: str = "") -> str:
    """``code`` as one Markdown code block that nothing in it can close. ``info`` is the word after the fence."""
    longest = max((len(run) for run in re.findall(r"`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{info}\n{code}\n{fence}"
