"""The workbench over an OpenAI-compatible server: exact prompts go there, and nothing is loaded or scaled here."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...core.capabilities import Capabilities
from ...core.errors import RopeScalingError
from ...core.mechanisms import SERVED
from ...core.planning.served_plan import plan_served_model
from ...core.ports import LoadedModel, Undo
from ...core.rope_scaling import RopeReading, RopeScaling
from ..served.address import parse_server_address
from ..served.connection import ServerConnection
from ..served.model import ServedModel, ServerOptions, open_served_model
from .base import WorkbenchBase, WorkbenchError, until_stop


class ServerHost(WorkbenchBase):
    """One model of one server. Raises ServerError for an address that is none."""

    loader = "an OpenAI-compatible server"

    def __init__(self, data_folder: Path, options: ServerOptions) -> None:
        super().__init__(data_folder)
        self._options = options
        self._connection = ServerConnection(parse_server_address(options.address), options.api_key)
        self.one_at_a_time = nullcontext()  # the server decides how many it answers at once
        #: The names of the server's models when it was last asked.
        self.model_names: list[str] = []
        if options.api_key and self.is_overheard():
            self.log(f"The key goes to {self._connection.address} unencrypted, over http.", problem=True)

    def is_overheard(self) -> bool:
        """True where others on the network can read what is sent."""
        address = self._connection.address
        return address.scheme == "http" and not address.is_this_machine

    def capabilities(self) -> Capabilities:
        return Capabilities("workbench", {self.loader: SERVED})

    def reload_model(self) -> None:
        raise WorkbenchError("The model is served elsewhere; it is loaded again there.")

    def load(self, name: str) -> None:
        """Ask the server for its model called ``name``, "" for the one that was named at the start or its first.

        Raises AiroborosLongctxError with a sentence; what was asked before then stays.
        """
        options = replace(self._options, model=name) if name else self._options
        model, self.model_names = open_served_model(self._connection, options)
        self.truncation_length = plan_served_model(model.facts).truncation_length
        self._loaded = LoadedModel(model.facts.model, model.facts.server, model, served=model.facts)

    def _model(self) -> ServedModel:
        if self._loaded is None:
            raise WorkbenchError("No model is loaded; load one first.")
        model: ServedModel = self._loaded.model
        return model

    def tokenizer_id(self) -> str:
        """Names the tokenizer that ``count_tokens`` asks; the estimate has its own name."""
        return self._model().tokenizer_id if self._loaded is not None else ""

    def count_tokens(self, text: str) -> int:
        """Tokens of ``text`` as the server reads it, or an estimate. Raises ServerError."""
        return self._model().count_tokens(text)

    def generate(
        self,
        prompt: str,
        max_new_tokens: int,
        temperature: float,
        stop: tuple[str, ...],
        stopping: threading.Event,
        repetition_penalty: float | None = None,
    ) -> Generator[str, None, None]:
        """The reply as it grows. ``temperature`` 0 is greedy. Ends early when ``stopping`` is set.

        Raises ServerError, or UnfinishedReplyError once some of the reply is there.
        """
        pieces = self._model().reply(prompt, max_new_tokens, temperature, stop, stopping, repetition_penalty)
        yield from until_stop(pieces, stop)


class NoRope:
    """The ``Rope`` of models that are elsewhere: nothing can be scaled or read."""

    def patch_classes(self, scaling: RopeScaling) -> Undo:
        raise RopeScalingError("The model is served elsewhere; it cannot be scaled from here.")

    def scale_live(self, model: Any, scaling: RopeScaling) -> Undo:
        raise RopeScalingError("The model is served elsewhere; it cannot be scaled from here.")

    def read(self, model: Any, planned: RopeScaling | None = None) -> RopeReading:
        raise RopeScalingError("The model is served elsewhere; its scaling cannot be read from here.")
