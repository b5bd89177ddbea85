"""The workbench as a ``Host``: one local model folder over Transformers, nothing else."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

from ...core.capabilities import Capabilities
from ...core.mechanisms import PATCH
from ...core.ports import LoadedModel
from .base import WorkbenchBase, WorkbenchError, until_stop

LOADER = "Transformers"


class WorkbenchHost(WorkbenchBase):
    """Loads a model folder and generates with it."""

    loader = LOADER

    def __init__(self, data_folder: Path) -> None:
        super().__init__(data_folder)
        self._shall_end: Callable[[], bool] = lambda: False

    # -- the Host port ------------------------------------------------------------------------------------------------

    def capabilities(self) -> Capabilities:
        import torch

        return Capabilities("workbench", {LOADER: PATCH}, gpu=bool(torch.cuda.is_available()))

    def stops_generating(self) -> bool:
        """True once the reply that is generated shall end."""
        return self._shall_end()

    def reload_model(self) -> None:
        raise WorkbenchError(f"{LOADER} is scaled in place; nothing is loaded again for it.")

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

    def tokenizer_id(self) -> str:
        """Names the tokenizer that ``count_tokens`` asks."""
        return f"{self._loaded.name} {id(self.tokenizer)}" if self._loaded is not None else ""

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
    ) -> Generator[str, None, None]:
        """The reply as it grows. ``temperature`` 0 is greedy. Ends early when ``stopping`` is set.

        ``repetition_penalty`` None is the model's own.
        """
        from transformers import StoppingCriteria, StoppingCriteriaList, TextIteratorStreamer

        left = threading.Event()  # nobody reads on; ``stopping`` is the caller's, and stays as it is

        def shall_end() -> bool:
            return stopping.is_set() or left.is_set()

        class Stop(StoppingCriteria):  # type: ignore[misc]
            def __call__(self, input_ids: Any, scores: Any, **kwargs: Any) -> bool:
                return shall_end()

        if self._loaded is None:
            raise WorkbenchError("No model is loaded; load one first.")
        with self.one_at_a_time:
            if stopping.is_set():
                return
            self._shall_end = shall_end
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
                yield from until_stop(streamer, stop)
            finally:
                left.set()
                thread.join()
        if failure:
            raise WorkbenchError(f"The model stopped: {type(failure[0]).__name__}: {failure[0]}") from failure[0]
