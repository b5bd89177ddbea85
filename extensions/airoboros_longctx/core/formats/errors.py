"""What is wrong with a request or a reply in one of the models' formats, in a sentence."""

from __future__ import annotations

from ..errors import AiroborosLongctxError


class FormatError(AiroborosLongctxError):
    """A request that cannot be rendered, or a reply that is not in its format. The text says what was found, what was
    needed and what to do; ``line`` (from 1) is where in the reply or the declarations, and begins the text.
    """

    def __init__(self, sentence: str, line: int | None = None) -> None:
        super().__init__(sentence if line is None else f"Line {line}: {sentence}")
        self.line = line
