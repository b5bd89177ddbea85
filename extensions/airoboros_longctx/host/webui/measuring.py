"""The webui's loaded model, handed to a check one forward pass at a time: between two of them it answers others."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ...core.ports import LoadedModel
from ..taking_turns import taking_turns
from .chat.generating import reply_to
from .webui_host import WebuiHost


class WebuiMeasuring:
    """The webui as a ``CheckedHost``."""

    def __init__(self, host: WebuiHost) -> None:
        from modules import shared

        self._host = host
        self._shared = shared
        self._own_lock = threading.Lock()

    @property
    def several_people(self) -> bool:
        return bool(getattr(self._shared.args, "multi_user", False))

    def loaded_model(self) -> LoadedModel | None:
        return self._host.loaded_model()

    def tokenizer(self) -> Any | None:
        """Transformers' tokenizer; None where a loader brings its own, which gives no logits to whoever asks."""
        tokenizer = self._shared.tokenizer
        like_transformers = callable(tokenizer) and hasattr(tokenizer, "convert_ids_to_tokens")
        return tokenizer if like_transformers and callable(self._shared.model) else None

    def count_tokens(self, text: str) -> int:
        from modules import text_generation

        return int(text_generation.get_encoded_length(text))

    def generate(self, prompt: str, tokens: int) -> str:
        """The greedy reply of at most ``tokens`` tokens, by the webui's own function, which takes its lock itself."""
        replies = list(reply_to(prompt, tokens))
        return replies[-1] if replies else ""

    @contextmanager
    def between(self) -> Iterator[None]:
        """Around one forward pass: the model is ours alone. A reply that grows is waited for, and waits for us."""
        if self.tokenizer() is None:
            yield
            return
        with taking_turns(self._shared.generation_lock or self._own_lock):
            try:
                yield
            finally:
                self._say_busy()

    def _say_busy(self) -> None:
        """A webui that puts an idle model away counts from here."""
        from modules import models

        if hasattr(models, "last_generation_time"):
            models.last_generation_time = time.time()
