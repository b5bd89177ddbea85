"""A number of tokens as an argument of the command line."""

from __future__ import annotations

import argparse


def number_of_tokens(text: str) -> int:
    """The number in ``text``, at least 1; a usage error with a sentence where it is none."""
    try:
        tokens = int(text)
    except ValueError:
        tokens = 0
    if tokens < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of tokens; a whole number such as 8192 is needed")
    return tokens
