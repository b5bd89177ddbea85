"""Text between two marks of a page: tables that are generated, beside sentences that are not."""

from __future__ import annotations


def with_section(text: str, begin: str, end: str, made: str) -> str:
    """``text`` with ``made`` between its marks ``begin`` and ``end``."""
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n\n{made}\n\n{end}{after}"
