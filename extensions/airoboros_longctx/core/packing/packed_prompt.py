"""What a prompt that was built holds of its documents, and what it left out: plain data."""

from __future__ import annotations

from dataclasses import dataclass

from ..prompts.closed_context import Document

#: Where parts of a text were kept: from the first character to behind the last, in order, without overlap.
Parts = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class SentBlock:
    """Document number ``document`` (from 0, of those given) as it stands in the prompt.

    ``parts`` are the kept parts as offsets in the text of the document that was given.
    """

    document: int
    block: Document
    parts: Parts = ()


@dataclass(frozen=True)
class LeftOut:
    """Document number ``document`` (from 0) keeps ``kept_characters`` of its text; 0 where it is left out whole."""

    document: int
    kept_characters: int
    of_characters: int

    @property
    def whole(self) -> bool:
        """True where nothing of the document is in the prompt."""
        return self.kept_characters == 0


@dataclass(frozen=True)
class BuiltPrompt:
    """``text`` is the whole prompt, ``message`` what stands in the user's turn, ``blocks`` the documents in it.

    ``left_out`` has an entry for every document that is not in it whole, in order. ``how`` is the choice that was
    followed (of document_options.WHEN_TOO_LONG), "" where everything fits; ``no_word_found``: no passage could be
    chosen, as the question's words occur in no document. ``defused`` marks were broken.
    """

    text: str
    message: str
    tokens: int
    turns: int
    dropped_turns: int
    blocks: tuple[SentBlock, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    how: str = ""
    no_word_found: bool = False
    defused: int = 0
