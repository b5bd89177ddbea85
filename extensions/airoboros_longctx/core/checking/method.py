"""How a check measured, in words: what stands below its tables."""

from __future__ import annotations

from .check_options import CheckOptions
from .scored_pieces import ScoredPieces


def method_sentence(pieces: ScoredPieces | None, options: CheckOptions) -> str:
    """For the foot of a table."""
    prompts = options.prompts * len(options.depths)
    retrieval = (
        f"Retrieval: {prompts} pass keys (Mohtashami and Jaggi, arXiv:2305.16300) and {prompts} closed-context "
        f"questions for each length, at {len(options.depths)} depths; right if greedy decoding begins with the answer."
    )
    if pieces is None:
        return retrieval
    return (
        f"Perplexity: sliding windows (Press et al., arXiv:2108.12409), {len(pieces.ends)} pieces of {pieces.scored} "
        f"tokens, the same for every length and scaling. {retrieval}"
    )
