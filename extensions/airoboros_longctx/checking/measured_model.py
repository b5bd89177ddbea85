"""A loaded model that gives logits, as a check asks it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from .next_token_logits import has_decoder, last_logits, last_logits_by_labels, transformers_model

#: Short contexts are measured side by side, so many tokens at a time.
_BATCH_TOKENS = 4096


class LogitsModel:
    """The ``MeasuredModel`` of ``model``, whose logits can be had, and its Transformers ``tokenizer``."""

    gives_logits = True

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self._model = transformers_model(model)
        self._tokenizer = tokenizer
        self._in_rows = has_decoder(self._model)
        self.most_rows_tokens = _BATCH_TOKENS if self._in_rows else 1
        with_start, without = tokenizer("a")["input_ids"], self.token_ids("a")
        self.start_ids: tuple[int, ...] = tuple(with_start[: len(with_start) - len(without)])

    def token_ids(self, text: str) -> tuple[int, ...]:
        return tuple(self._tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])

    def count_tokens(self, text: str) -> int:
        return len(self.start_ids) + len(self.token_ids(text))

    def mean_losses(self, rows: Sequence[Sequence[int]], scored: int) -> list[float]:
        ids = torch.tensor(rows)
        targets = ids[:, -scored:]
        logits = self._last_logits(ids[:, :-1], scored)
        losses = torch.nn.functional.cross_entropy(logits.transpose(1, 2), targets.to(logits.device), reduction="none")
        return [float(loss) for loss in losses.double().mean(dim=1)]

    def replies_begin_with(self, prompts: Sequence[tuple[str, str]]) -> list[bool]:
        """Greedy decoding begins with the answer exactly if each of the answer's tokens is the most likely one after
        the prompt and the answer's tokens before it: one forward pass over both tells. Shorter rows are filled up
        behind their end, which no token before it can see."""
        read = [self._prompt_ids(*prompt) for prompt in prompts]
        longest = max(len(ids) for ids, _ in read)
        rows = torch.tensor([[*ids, *[ids[-1]] * (longest - len(ids))] for ids, _ in read])
        first = min(len(ids) - answer for ids, answer in read)
        guesses = self._last_logits(rows[:, :-1], longest - first).argmax(dim=-1).cpu()
        right = []
        for row, (ids, answer) in enumerate(read):
            begin = len(ids) - answer - first
            right.append(guesses[row, begin : begin + answer].tolist() == list(ids[-answer:]))
        return right

    def _prompt_ids(self, prompt: str, answer: str) -> tuple[tuple[int, ...], int]:
        """The tokens of both, and how many of them are the answer's: all behind the last that the prompt alone has."""
        alone, both = self.token_ids(prompt), self.token_ids(prompt + answer)
        common = next((at for at, pair in enumerate(zip(alone, both, strict=False)) if pair[0] != pair[1]), len(alone))
        return (*self.start_ids, *both), len(both) - common

    def _last_logits(self, ids: Tensor, keep: int) -> Tensor:
        if self._in_rows:
            return last_logits(self._model, ids.to(self._model.device), keep)
        rows = [last_logits_by_labels(self._model, row.view(1, -1), keep) for row in ids]
        return torch.cat(rows)
