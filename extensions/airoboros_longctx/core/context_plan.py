"""The plan for one model load: what will be done, and the reason and source of every value."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from .rope_scaling import RopeScaling

if TYPE_CHECKING:
    from .user_rules import UserRule


@dataclass(frozen=True)
class Reason:
    """Why ``value`` (a key of the plan) is what it is, and who says so."""

    value: str
    because: str
    source: str


@dataclass(frozen=True)
class Suggestion:
    """A guess from the name alone: shown with one click to accept, never applied by itself."""

    scaling: RopeScaling
    because: str


@dataclass(frozen=True)
class MemoryPlan:
    """What a load takes with ``tokens`` of context, in bytes. ``working_bytes`` is an estimate, the rest is exact.

    ``cache_bytes`` is the key-value cache in ``cache_type``, and ``attention_bytes`` what eager attention holds beside
    it while it reads that many tokens at once (0 where attention is fused). ``largest_tokens`` is the longest context,
    up to the model's window, that fits the GPUs; None where their memory is not known, or where none fits.
    """

    tokens: int
    weights_bytes: int
    cache_bytes: int
    cache_type: str
    attention_bytes: int
    working_bytes: int
    gpu_bytes: tuple[int, ...] = ()
    largest_tokens: int | None = None

    @property
    def total_bytes(self) -> int:
        return self.weights_bytes + self.cache_bytes + self.attention_bytes + self.working_bytes

    @property
    def fits(self) -> bool | None:
        """Whether all of it fits the GPUs together; None where their memory is not known."""
        return self.total_bytes <= sum(self.gpu_bytes) if self.gpu_bytes else None


@dataclass(frozen=True)
class ContextPlan:
    """One load, decided. Shown on the page, in the log and by the command line as the same object.

    One method is planned, never two: ``factor`` is alpha where ``rope_type`` is ``ntk``, and a loader's own setting for
    the other of the two has to be neutral for this load.
    ``max_position_embeddings`` is the model's window, ``truncation_length`` the part of it that was asked for;
    both in tokens. ``stop`` are the strings that end a reply. ``function_calling``: the model was trained on choosing
    one of declared functions.
    """

    model: str
    rope_type: str
    factor: float
    original_max_position_embeddings: int
    max_position_embeddings: int
    truncation_length: int
    loader: str
    mechanism: str
    instruction_template: str | None
    plainformat_separator: str | None
    stop: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()
    suggestion: Suggestion | None = None
    weight_file: str | None = None
    memory: MemoryPlan | None = None
    function_calling: bool = False

    @property
    def scaling(self) -> RopeScaling:
        return RopeScaling(self.rope_type, self.factor, self.original_max_position_embeddings)

    def reason_for(self, value: str) -> Reason | None:
        return next((reason for reason in self.reasons if reason.value == value), None)


@dataclass(frozen=True)
class PlanRequest:
    """What the user asked for, as far as they did; None where they did not.

    ``loader`` is an explicit choice. ``loaded_with`` is the loader that already holds the model (it is not
    loaded again just to change it). ``host_factor`` is a scaling factor the user gave the host itself
    (a flag or a slider), with ``host_factor_source`` saying where; ``host_alpha`` is the same for NTK's alpha.
    ``trust_remote_code``: the host lets a model run the code in its own folder. ``cache_type`` is the key-value
    cache's, by the loader's own name for it.
    """

    context_tokens: int | None = None
    context_source: str = "the request"
    loader: str | None = None
    loaded_with: str | None = None
    host_factor: float | None = None
    host_factor_source: str = ""
    host_alpha: float | None = None
    host_alpha_source: str = ""
    rules: tuple[UserRule, ...] = ()
    trust_remote_code: bool = False
    cache_type: str = "fp16"


def plan_as_json(plan: ContextPlan) -> dict[str, Any]:
    """The plan as JSON-ready data; the keys are a public contract."""
    return {
        "model": plan.model,
        "rope_type": plan.rope_type,
        "factor": plan.factor,
        "original_max_position_embeddings": plan.original_max_position_embeddings,
        "max_position_embeddings": plan.max_position_embeddings,
        "truncation_length": plan.truncation_length,
        "loader": plan.loader,
        "mechanism": plan.mechanism,
        "instruction_template": plan.instruction_template,
        "plainformat_separator": plan.plainformat_separator,
        "stop": list(plan.stop),
        "warnings": list(plan.warnings),
        "reasons": [asdict(reason) for reason in plan.reasons],
        "suggestion": _suggestion_as_json(plan.suggestion),
        "weight_file": plan.weight_file,
        "memory": _memory_as_json(plan.memory),
    }


def _memory_as_json(memory: MemoryPlan | None) -> dict[str, Any] | None:
    """All in bytes and tokens; null where the model's shape is not known."""
    if memory is None:
        return None
    return {**asdict(memory), "total_bytes": memory.total_bytes, "fits": memory.fits}


def _suggestion_as_json(suggestion: Suggestion | None) -> dict[str, Any] | None:
    if suggestion is None:
        return None
    scaling = suggestion.scaling
    return {
        "rope_type": scaling.rope_type,
        "factor": scaling.factor,
        "original_max_position_embeddings": scaling.original_max_position_embeddings,
        "max_position_embeddings": scaling.max_position_embeddings,
        "because": suggestion.because,
    }
