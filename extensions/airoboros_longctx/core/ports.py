"""What the services need from the outside.

The webui and the workbench are two ``Host``s; ``rope/`` is the ``Rope``, ``documents/`` the ``DocumentStore``, and
``checking/`` makes a ``MeasuredModel`` of a loaded one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .capabilities import Capabilities
    from .context_plan import ContextPlan, PlanRequest
    from .documents.chat_session import ChatDocument
    from .documents.place import Shelf
    from .model_facts import ServedFacts
    from .rope_scaling import RopeReading, RopeScaling

#: Takes back what was done; calling it twice does no harm.
Undo = Callable[[], None]


@dataclass(frozen=True)
class LoadedModel:
    """The model that the host holds now. ``model`` is the live object; ``adapters`` are the folders of its LoRAs.

    ``served`` is what its server says of a model that is held elsewhere; None: there is a folder to read.
    """

    name: str
    loader: str
    model: Any
    adapters: tuple[Path, ...] = ()
    served: ServedFacts | None = None


class Host(Protocol):
    """A program that loads models and chats with them."""

    def capabilities(self) -> Capabilities: ...

    def model_path(self, model_name: str) -> Path: ...

    def loaded_model(self) -> LoadedModel | None: ...

    def is_asleep(self) -> bool:
        """True while the host has put its model away after a time without work, to load it again for a request."""

    def user_request(self, model_name: str, loader: str | None) -> PlanRequest:
        """What the user asked of the host itself for this model, by flags, sliders and saved settings."""

    def use_loader_settings(self, plan: ContextPlan) -> Undo:
        """Hand what is planned to the loader's own settings for the load that follows: the factor and window where it
        scales by itself, neutral ones where something else does, the weight file where a folder holds several."""

    def finish_load(self, plan: ContextPlan, model: Any) -> tuple[str, ...]:
        """Do what the loaded model still needs from its loader; a sentence for everything that failed."""

    def read_loader(self, plan: ContextPlan, model: Any) -> RopeReading | None:
        """What the loader says that ``model`` runs, where no rotary embedding can be called; None: it does not say."""

    def use_window(self, plan: ContextPlan) -> Undo:
        """Give the loaded model's window to the host's settings, arguments and defaults."""

    def use_template(self, plan: ContextPlan) -> Undo:
        """Make the planned instruction template the host's active one."""

    def reload_model(self) -> None:
        """Load the loaded model once more, for loaders that cannot be scaled in place."""

    def rules_file(self) -> Path:
        """Where the user's accepted rules are kept."""

    def log(self, message: str, *, problem: bool = False) -> None: ...


class Rope(Protocol):
    """RoPE surgery on Llama models. Every method that changes something returns the way back."""

    def patch_classes(self, scaling: RopeScaling) -> Undo:
        """Models built from now on are scaled, until undone."""

    def scale_live(self, model: Any, scaling: RopeScaling) -> Undo:
        """Scale a model that is already loaded, in place."""

    def read(self, model: Any, planned: RopeScaling | None = None) -> RopeReading:
        """What ``model`` really runs; ``planned`` is tried by its formula where a method has no other way.

        RopeScalingError where it has no rotary embedding that can be read.
        """


class MeasuredModel(Protocol):
    """A loaded model as a check of its context asks it. A call of one of the last two is one forward pass, or one
    reply of a loader that can only generate."""

    @property
    def gives_logits(self) -> bool:
        """False where the loader can only generate: perplexity cannot be measured then."""

    @property
    def start_ids(self) -> tuple[int, ...]:
        """What every prompt begins with: the beginning-of-sequence token, or nothing."""

    @property
    def most_rows_tokens(self) -> int:
        """So many tokens may be in one call, in rows of the same context length; 1: a row at a time."""

    def token_ids(self, text: str) -> tuple[int, ...]:
        """The tokens of ``text`` alone, without special ones."""

    def count_tokens(self, text: str) -> int:
        """The tokens of ``text`` as a prompt, with ``start_ids``."""

    def mean_losses(self, rows: Sequence[Sequence[int]], scored: int) -> list[float]:
        """For each row of token ids, all of one length, the mean negative log-likelihood in nats of its last
        ``scored`` tokens."""

    def replies_begin_with(self, prompts: Sequence[tuple[str, str]]) -> list[bool]:
        """For each (prompt, answer): does the greedy reply to ``prompt`` begin with ``answer``?"""


class PrefixCache(Protocol):
    """Keeps what a model has read of prompts, so that the next one with the same beginning needs only its end read."""

    def watch(self, model: Any) -> None:
        """Keep the prompts of ``model`` from now on, and nothing of before; nothing for one that cannot be helped."""

    def release(self) -> None:
        """Drop what is kept and leave the model as it was."""

    def invalidate(self) -> None:
        """Drop what is kept: the model, or what is asked of it, is about to change."""

    def status(self) -> str:
        """What is kept, in words; "" where there is nothing to tell."""


@dataclass(frozen=True)
class StoredShelf:
    """A shelf in the store: how many documents it has, and the bytes that they take there."""

    shelf: Shelf
    id: str
    documents: int
    size_bytes: int


class DocumentStore(Protocol):
    """Documents that outlive their page. Every method raises AiroborosLongctxError with a sentence where it cannot."""

    def read(self, shelf: Shelf) -> tuple[ChatDocument, ...]:
        """The documents on ``shelf``, in order, without those that are damaged."""

    def problems(self, shelf: Shelf) -> tuple[str, ...]:
        """A sentence, for the owner alone, for whatever on ``shelf`` is damaged."""

    def change(
        self, shelf: Shelf, change: Callable[[tuple[ChatDocument, ...]], Sequence[ChatDocument]]
    ) -> tuple[ChatDocument, ...]:
        """Replace the documents on ``shelf`` by what ``change`` makes of them, at once and wholly; returns them."""

    def shelves(self, person: str) -> tuple[StoredShelf, ...]:
        """The shelves of ``person``, and nobody else's."""

    def every_shelf(self) -> tuple[StoredShelf, ...]:
        """The shelves of everybody: for what happens to a chat, whoever's it is."""

    def export(self, person: str) -> bytes:
        """A zip of every document of ``person``, for people to read."""

    def delete(self, shelves: Sequence[Shelf]) -> None:
        """Remove ``shelves`` with all their files, also those that are damaged."""
