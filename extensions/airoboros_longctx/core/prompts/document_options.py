"""How questions about documents are asked: the ticks and choices of the Documents panel. Plain, unchanging data."""

from __future__ import annotations

from dataclasses import dataclass

#: What happens to documents that do not fit: keep the passages that matter for the question, leave whole ones out, or
#: shorten each. All three keep whole documents as long as they fit.
PASSAGES, WHOLE, SHORTEN = "passages", "whole", "shorten"
WHEN_TOO_LONG = (PASSAGES, WHOLE, SHORTEN)


@dataclass(frozen=True)
class DocumentOptions:
    """``temperature`` counts while documents are on and ``own_sampling`` is. ``attachments``: files that the webui
    attaches to messages are documents too. ``one_instruction_per_line``: each line asked is an instruction of its own.
    """

    only_from_documents: bool = True
    name_sources: bool = False
    without_history: bool = True
    own_sampling: bool = True
    temperature: float = 0.5
    one_instruction_per_line: bool = False
    when_too_long: str = PASSAGES
    attachments: bool = True
