"""A loaded model that can only generate, as a check asks it: retrieval alone is measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence


class GeneratingModel:
    """The ``MeasuredModel`` of a loader that gives no logits.

    ``generate(prompt, n)`` returns the greedy reply of at most ``n`` tokens; ``count_tokens`` counts a prompt's tokens.
    """

    gives_logits = False
    start_ids: tuple[int, ...] = ()
    most_rows_tokens = 1

    def __init__(self, generate: Callable[[str, int], str], count_tokens: Callable[[str], int]) -> None:
        self._generate = generate
        self.count_tokens = count_tokens

    def token_ids(self, text: str) -> tuple[int, ...]:
        raise NotImplementedError("a loader that only generates has no tokens to score")

    def mean_losses(self, rows: Sequence[Sequence[int]], scored: int) -> list[float]:
        raise NotImplementedError("a loader that only generates has no losses")

    def replies_begin_with(self, prompts: Sequence[tuple[str, str]]) -> list[bool]:
        return [
            self._generate(prompt, self.count_tokens(answer)).lstrip().startswith(answer.strip())
            for prompt, answer in prompts
        ]
