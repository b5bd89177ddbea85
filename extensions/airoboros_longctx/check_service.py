"""The use case of checking a loaded model's context: measure it, try other factors on it, and judge.

How a page calls it, in a thread of its own::

    checks = CheckService(rope)
    result = checks.check(
        checked_model(service.status(), host.loaded_model(), LogitsModel(model, tokenizer)),
        CheckOptions(compare_unscaled=True),
        progress=show,           # called with a CheckProgress after every forward pass
        stop=stopping.is_set,    # asked before every forward pass; what was measured until then is kept
        between=lambda: lock,    # entered around every forward pass; others use the model in between
    )

A loader that only generates brings a ``GeneratingModel`` instead (both are in ``checking/``). Another factor is on the
model only while ``between`` is entered, so nobody who uses it in between meets that factor. ``stop`` should also
say True as soon as the host holds another model. The result always comes back, also of a check that was stopped; a
CheckError with a sentence is raised where nothing can be measured as it was asked for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from .check_passes import CheckPasses, CheckStopped, Measurements
from .core.checking.check_options import CheckError, CheckOptions
from .core.checking.check_result import CheckProgress, CheckResult
from .core.checking.checked_model import CheckedModel
from .core.checking.comparing import best_measured
from .core.checking.context_lengths import context_lengths, next_trial_factor, trial_factors, trial_lengths
from .core.checking.documentation_text import documentation_topics, text_name
from .core.checking.method import method_sentence
from .core.checking.pace import Pace
from .core.checking.retrieval_prompts import SHORTEST_PROMPT, RetrievalPrompt, retrieval_prompts
from .core.checking.scored_pieces import ScoredPieces, needed_tokens, scored_pieces
from .core.checking.verdict import judge
from .core.errors import RopeScalingError
from .core.foreign_text import quoted
from .core.ports import Rope
from .core.rope_scaling import LINEAR, NO_SCALING, RopeScaling


class CheckService:
    """Checks models. ``rope`` puts other factors on them, and takes them off again.

    ``before_change`` is called before each time: a stopped reply may still be reading its prompt with this model.
    """

    def __init__(self, rope: Rope, before_change: Callable[[], None] = lambda: None) -> None:
        self._rope = rope
        self._before_change = before_change

    def check(
        self,
        model: CheckedModel,
        options: CheckOptions | None = None,
        progress: Callable[[CheckProgress], None] = lambda _: None,
        stop: Callable[[], bool] = lambda: False,
        between: Callable[[], AbstractContextManager[Any]] = nullcontext,
    ) -> CheckResult:
        """Measure ``model`` as it was loaded, then at other factors, and judge. See the head of this module."""
        pace = Pace()
        passes = CheckPasses(
            model.measured, self._rope, model.live_model, pace, progress, stop, between, self._before_change
        )
        return _Check(self._rope, model, options or CheckOptions(), passes, pace).run()


class _Check:
    """One check under way: what is measured, in which order, and what comes of it."""

    def __init__(self, rope: Rope, model: CheckedModel, options: CheckOptions, passes: CheckPasses, pace: Pace) -> None:
        self._rope, self._model, self._options, self._passes, self._pace = rope, model, options, passes, pace
        self._base = model.scaling.original_max_position_embeddings
        self._loaded = model.scaling.factor
        self._notes: list[str] = []
        self._text_name = ""
        self._pieces: ScoredPieces | None = None
        self._prompts: dict[int, list[RetrievalPrompt]] = {}

    def run(self) -> CheckResult:
        began, options, stopped = time.monotonic(), self._options, False
        curves = [1.0] if options.compare_unscaled else []
        curves = [factor for factor in dict.fromkeys([*curves, *options.factors]) if factor != self._loaded]
        window = max(self._model.window, *(round(self._base * factor) for factor in [1.0, *curves]))
        lengths = context_lengths(window, options.contexts)
        others = dict.fromkeys(curves, lengths)
        if options.trial:
            for factor in trial_factors(self._loaded):
                others.setdefault(factor, self._trial_lengths(lengths, factor))
        if others and self._model.live_model is None:
            self._notes.append(f"{self._model.loader} cannot be scaled while it runs: no other factor was measured.")
            others = {}
        others = self._read_texts(lengths, others)
        self._pace.plan(sum(map(self._work, [lengths, *others.values()])))
        done = [Measurements(self._model.scaling)]
        try:
            self._measure(done[0], None, lengths)
            while others:
                for factor, its_lengths in others.items():
                    done.append(Measurements(self._scaling(factor)))
                    self._measure(done[-1], done[-1].scaling, its_lengths)
                others = self._next_trial(done, lengths)
        except CheckStopped:
            stopped = True
        except RopeScalingError as error:
            self._notes.append(f"No other factor was measured. {error}")
        if len(done) > 1:
            self._confirm_restored()
        measured = tuple(one.frozen() for one in done if one.perplexity or one.retrieval or one is done[0])
        return CheckResult(
            self._model.name,
            self._model.loader,
            self._model.window,
            self._base,
            measured,
            judge(self._model.window, self._base, measured),
            text_name=self._text_name,
            method=method_sentence(self._pieces, options),
            seconds=time.monotonic() - began,
            stopped=stopped,
            notes=tuple(self._notes),
        )

    def _read_texts(
        self, lengths: tuple[int, ...], others: dict[float, tuple[int, ...]]
    ) -> dict[float, tuple[int, ...]]:
        """Cut the texts into the pieces to score; ``others`` without the lengths that they are too short for."""
        model, options = self._model.measured, self._options
        longest = max(max(its) for its in [lengths, *others.values()] if its)
        if not model.gives_logits:
            self._notes.append(f"{self._model.loader} gives no logits: perplexity could not be measured.")
            return others
        if options.texts:
            texts = [(name, model.token_ids(text)) for name, text in options.texts]
            self._text_name = ", ".join(name for name, _ in texts)
        else:
            texts, self._text_name = [self._documentation([*lengths, longest])], text_name()
        try:
            self._pieces = scored_pieces(texts, [*lengths, longest], options.windows)
        except CheckError:
            longest = max(lengths)
            self._pieces = scored_pieces(texts, lengths, options.windows)
        return {factor: tuple(one for one in its if one <= longest) for factor, its in others.items()}

    def _trial_lengths(self, lengths: Sequence[int], factor: float) -> tuple[int, ...]:
        found = trial_lengths(lengths, self._base, self._loaded, factor)
        if not found:
            reads = f"it reads {self._base * factor:.0f} tokens, and no context so short was asked for."
            self._notes.append(f"Factor {factor:g} was not tried: {reads}")
        return found

    def _documentation(self, lengths: Sequence[int]) -> tuple[str, tuple[int, ...]]:
        """Twice as much as is needed, so that the pieces come from more than one topic."""
        needed = 2 * needed_tokens(lengths, self._options.windows)
        ids: list[int] = []
        for topic in documentation_topics(self._options.seed):
            if len(ids) >= needed:
                break
            ids += self._model.measured.token_ids(topic)
        return text_name(), tuple(ids)

    def _scaling(self, factor: float) -> RopeScaling:
        if factor == 1:
            return RopeScaling(NO_SCALING, 1.0, self._base)
        rope_type = self._model.scaling.rope_type
        return RopeScaling(LINEAR if rope_type == NO_SCALING else rope_type, factor, self._base)

    def _work(self, lengths: Sequence[int]) -> int:
        """Tokens to read for ``lengths``."""
        options = self._options
        pieces = len(self._pieces.ends) if self._pieces else 0
        prompts = 2 * options.prompts * len(options.depths)
        return sum(length * (pieces + (prompts if length >= SHORTEST_PROMPT else 0)) for length in lengths)

    def _measure(self, into: Measurements, other: RopeScaling | None, lengths: Sequence[int]) -> None:
        try:
            for length in lengths:
                if self._pieces is not None:
                    self._passes.measure_perplexity(into, other, self._pieces, length)
            for length in lengths:
                self._passes.measure_retrieval(into, other, self._prompts_of(length), length)
        except (CheckStopped, RopeScalingError):
            raise
        except Exception as error:
            self._notes.append(
                f"At {length} tokens, {into.scaling}, the model stopped: {type(error).__name__}: {quoted(error)}. "
                "What is longer was left out."
            )

    def _prompts_of(self, length: int) -> list[RetrievalPrompt]:
        if length not in self._prompts:
            options, count = self._options, self._model.measured.count_tokens
            self._prompts[length] = retrieval_prompts(
                length, options.depths, options.prompts, self._model.template, count, options.seed
            )
        return self._prompts[length]

    def _next_trial(self, done: Sequence[Measurements], lengths: Sequence[int]) -> dict[float, tuple[int, ...]]:
        """The factor beyond the best one, where none was tried there yet."""
        measured = [one.frozen() for one in done]
        best = best_measured(measured, self._base).scaling.factor
        factor = next_trial_factor(best, [one.scaling.factor for one in done]) if self._options.trial else None
        if factor is None:
            return {}
        longest = max(point.context_tokens for one in measured for point in one.perplexity or one.retrieval)
        its = tuple(length for length in self._trial_lengths(lengths, factor) if length <= longest)
        self._pace.plan(self._work(its))
        return {factor: its}

    def _confirm_restored(self) -> None:
        try:
            reading = self._rope.read(self._model.live_model, self._model.scaling)
            found = None if reading.agrees_with(self._model.scaling) else str(reading)
        except Exception as error:
            found = f"something that could not be read ({quoted(error)})"
        if found:
            self._notes.append(f"After the check the model runs {found}, not {self._model.scaling}: load it again.")
