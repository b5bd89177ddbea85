"""The text that perplexity is measured on where the user gives none: the documentation that comes with Python.

It is English prose that every Python brings, so nothing has to be copied or fetched. Its topics come in an order of
their own for each seed. Another version of Python has a slightly other text: ``text_name`` says which it was.
"""

from __future__ import annotations

import platform
import random
import re

from .check_options import CheckError

#: Shorter topics refer to longer ones and say little.
_SHORTEST_TOPIC = 2000
_MARKS = re.compile(r"[*`]+|[=~^|+\-_]{3,}")
_BLANKS = re.compile(r"[ \t]+")


def text_name() -> str:
    return f"the documentation of Python {'.'.join(platform.python_version_tuple()[:2])}"


def documentation_topics(seed: int = 0) -> list[str]:
    """The topics as plain text. Raises CheckError for a Python that was installed without them."""
    try:
        from pydoc_data.topics import topics
    except ImportError:
        raise CheckError(
            "This Python was installed without its documentation, which is measured where no text is given; "
            "give a text of your own."
        ) from None
    found = [_plain(text) for _, text in sorted(topics.items()) if len(text) >= _SHORTEST_TOPIC]
    random.Random(seed).shuffle(found)
    return found


def _plain(text: str) -> str:
    """Without marks of emphasis and rulers."""
    return _BLANKS.sub(" ", _MARKS.sub("", text.encode("ascii", "ignore").decode("ascii"))).strip()
