"""What a check of a model's context measured, as plain data: the table, the plot and the verdict are made from it."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..rope_scaling import LINEAR, RopeScaling

PASSKEY, QUESTION = "passkey", "question"


@dataclass(frozen=True)
class PerplexityPoint:
    """``log_losses``: the mean negative log-likelihood (nats per token) of each scored piece, the same pieces of text
    at every context length and every scaling, so that two points can be compared piece by piece."""

    context_tokens: int
    perplexity: float
    scored_tokens: int
    log_losses: tuple[float, ...] = ()


@dataclass(frozen=True)
class RetrievalCell:
    """``kind`` is PASSKEY or QUESTION; ``depth`` 0 stands at the beginning of the prompt, 1 at its end."""

    kind: str
    context_tokens: int
    depth: float
    right: int
    asked: int


@dataclass(frozen=True)
class ScalingMeasured:
    """All that was measured with the model running ``scaling``."""

    scaling: RopeScaling
    perplexity: tuple[PerplexityPoint, ...] = ()
    retrieval: tuple[RetrievalCell, ...] = ()


#: The kinds of a verdict. RIGHT: the factor is the best one and the window is read; OTHER_FACTOR: another factor reads
#: better; SHORT: right, but not to the whole window; UNCLEAR: nothing measured tells.
RIGHT, OTHER_FACTOR, SHORT, UNCLEAR = "right", "other_factor", "short", "unclear"


@dataclass(frozen=True)
class CheckVerdict:
    """``kind`` is one of those above; ``sentence`` says it to the user; ``reads_to`` in tokens, None: nowhere."""

    kind: str
    sentence: str
    reads_to: int | None = None
    looks_like_factor: float | None = None


@dataclass(frozen=True)
class CheckResult:
    """``measured[0]`` is the model as it was loaded; the others are the same model at other scalings."""

    model: str
    loader: str
    window: int
    original_max_position_embeddings: int
    measured: tuple[ScalingMeasured, ...]
    verdict: CheckVerdict
    text_name: str = ""
    method: str = ""
    seconds: float = 0.0
    stopped: bool = False
    notes: tuple[str, ...] = field(default_factory=tuple)


@dataclass(frozen=True)
class CheckProgress:
    """``share`` from 0 to 1; ``seconds_left`` is an estimate, None before there is one; ``doing`` is a short phrase."""

    share: float
    seconds_left: float | None
    doing: str


def scaling_name(scaling: RopeScaling) -> str:
    """``×4``, ``no scaling``, ``ntk ×8``: how a column is headed."""
    if scaling.factor == 1:
        return "no scaling"
    return f"×{scaling.factor:g}" if scaling.rope_type == LINEAR else str(scaling)


def shown_perplexity(perplexity: float) -> str:
    """Two decimals below 100, fewer above; from a million on nobody needs the digits."""
    if not perplexity < 1e6:
        return "> 10⁶"
    return (
        f"{perplexity:.2f}" if perplexity < 100 else f"{perplexity:.1f}" if perplexity < 1000 else f"{perplexity:.0f}"
    )
