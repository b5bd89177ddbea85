"""The workbench as a ``Host``: one local model folder over Transformers, nothing else."""

from __future__ import annotations

import gc
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..core.context_plan import LOADER_SETTING, PATCH, Capabilities, ContextPlan, PlanRequest
from ..core.errors import AiroborosLongctxError
from ..core.ports import LoadedModel, Undo
from ..core.rope_scaling import RopeReading

LOADER = "Transformers"
_logger = logging.getLogger("airoboros_longctx")


class WorkbenchError(AiroborosLongctxError):
    """Something asked of the workbench that cannot be done."""


class WorkbenchHost:
    """Loads a model folder and generates with it. ``truncation_length`` is in tokens."""

    def __init__(self, data_folder: Path) -> None:
        self._data_folder = data_folder
        self._loaded: LoadedModel | None = None
        self.one_at_a_time = threading.Lock()
        self._stopping = threading.Event()
        self.tokenizer: Any = None
        self.truncation_length = 0

    # -- the Host port ------------------------------------------------------------------------------------------------

    def capabilities(self) -> Capabilities:
        import torch

        return Capabilities("workbench", {LOADER: PATCH}, gpu=bool(torch.cuda.is_available()))

    def model_path(self, model_name: str) -> Path:
        return Path(model_name)

    def loaded_model(self) -> LoadedModel | None:
        return self._loaded

    def user_request(self, model_name: str, loader: str | None) -> PlanRequest:
        return PlanRequest()

    def use_loader_settings(self, plan: ContextPlan) -> Undo:
        if plan.mechanism != LOADER_SETTING:
            return lambda: None
        raise WorkbenchError(f"{plan.loader} was planned with settings of its own; the workbench has {LOADER} only.")

    def finish_load(self, plan: ContextPlan, model: Any) -> tuple[str, ...]:
        return ()

    def read_loader(self, plan: ContextPlan, model: Any) -> RopeReading | None:
        return None

    def is_asleep(self) -> bool:
        return False

    def stops_generating(self) -> bool:
        """True once the reply that is generated shall end."""
        return self._stopping.is_set()

    def use_window(self, plan: ContextPlan) -> Undo:
        before, self.truncation_length = self.truncation_length, plan.truncation_length

        def undo() -> None:
            self.truncation_length = before

        return undo

    def use_template(self, plan: ContextPlan) -> Undo:
        return lambda: None  # the workbench asks the plan for it, at each prompt

    def reload_model(self) -> None:
        raise WorkbenchError(f"{LOADER} is scaled in place; nothing is loaded again for it.")

    def rules_file(self) -> Path:
        return self._data_folder / "rules.yaml"

    def log(self, message: str, *, problem: bool = False) -> None:
        _logger.log(logging.WARNING if problem else logging.INFO, "[airoboros_longctx] %s", message)

    # -- loading and generating --------------------------------------------------------------------------------------

    @staticmethod
    def require_model(folder: str) -> None:
        """Raise WorkbenchError where ``folder`` holds no model at all; whatever is loaded stays loaded."""
        if not (Path(folder) / "config.json").is_file():
            raise WorkbenchError(
                f"{folder!r} has no config.json; a folder with a model in Hugging Face format is needed."
            )

    def load(self, folder: str) -> Any:
        """Load the model in ``folder`` and hold it. Raises WorkbenchError with a sentence where it cannot be read."""
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self.require_model(folder)
        self.unload()
        gpu = torch.cuda.is_available()
        try:
            tokenizer = AutoTokenizer.from_pretrained(folder)
            model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float16 if gpu else torch.float32)
        except Exception as error:
            raise WorkbenchError(f"{folder!r} could not be loaded: {type(error).__name__}: {error}") from error
        model = (model.to("cuda") if gpu else model).eval()
        self.tokenizer = tokenizer
        self.truncation_length = int(getattr(model.config, "max_position_embeddings", 2048))
        self._loaded = LoadedModel(folder, LOADER, model)
        return model

    def unload(self) -> None:
        self._loaded, self.tokenizer, self.truncation_length = None, None, 0
        gc.collect()

    def count_tokens(self, text: str) -> int:
        """Tokens of ``text`` with the beginning-of-sequence token, as ``generate`` sees it."""
        return len(self.tokenizer(text)["input_ids"])

    def generate(
        self,
        prompt: str,
        max_new_tokens: int,
        temperature: float,
        stop: tuple[str, ...],
        stopping: threading.Event,
        repetition_penalty: float | None = None,
    ) -> Iterator[str]:
        """The reply as it grows. ``temperature`` 0 is greedy. Ends early when ``stopping`` is set.

        ``repetition_penalty`` None is the model's own.
        """
        from transformers import StoppingCriteria, StoppingCriteriaList, TextIteratorStreamer

        class Stop(StoppingCriteria):  # type: ignore[misc]
            def __call__(self, input_ids: Any, scores: Any, **kwargs: Any) -> bool:
                return stopping.is_set()

        if self._loaded is None:
            raise WorkbenchError("No model is loaded; load one first.")
        with self.one_at_a_time:
            self._stopping = stopping
            model, failure = self._loaded.model, []
            streamer = TextIteratorStreamer(self.tokenizer, skip_prompt=True, skip_special_tokens=True, timeout=600)
            inputs = self.tokenizer(prompt, return_tensors="pt").to(model.device)
            sampling: dict[str, Any] = {"do_sample": temperature > 0}
            if temperature > 0:
                sampling["temperature"] = temperature
            if repetition_penalty is not None:
                sampling["repetition_penalty"] = repetition_penalty

            def run() -> None:
                try:
                    model.generate(
                        **inputs,
                        **sampling,
                        max_new_tokens=max_new_tokens,
                        streamer=streamer,
                        stopping_criteria=StoppingCriteriaList([Stop()]),
                        pad_token_id=self.tokenizer.eos_token_id,
                    )
                except Exception as error:
                    failure.append(error)
                    streamer.end()

            thread = threading.Thread(target=run, daemon=True)
            thread.start()
            try:
                yield from _until_stop(streamer, stop)
            finally:
                stopping.set()
                thread.join()
        if failure:
            raise WorkbenchError(f"The model stopped: {type(failure[0]).__name__}: {failure[0]}") from failure[0]


def _until_stop(pieces: Iterator[str], stop: tuple[str, ...]) -> Iterator[str]:
    """The text so far, piece by piece, ended before the first stop string."""
    text = ""
    for piece in pieces:
        text += piece
        cut = min((found for found in map(text.find, stop) if found >= 0), default=None)
        if cut is not None:
            yield text[:cut].rstrip()
            return
        yield text
