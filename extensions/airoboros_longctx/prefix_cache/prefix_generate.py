"""The model's ``generate`` with the beginning of the prompt kept from call to call.

It stands on the model as an attribute of that one object, and holds the kept prompts: when the model goes, they go. It
refers to the model weakly. A call that asks for anything but reading one prompt and continuing it runs as if this were
not there; so does one for which anything here fails.
"""

from __future__ import annotations

import time
import weakref
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..core.prefix_reuse import CHUNK_TOKENS, SMALLEST_PROMPT
from .free_memory import give_memory_back, is_out_of_memory
from .key_values import bytes_per_token, first_tokens, lengths, new_past, taken_out
from .model_state import UnwatchableModelError, is_exact, model_state
from .plain_prompt import NotPlainError, PlainPrompt, plain_prompt
from .prefill import FirstPass, read_prompt
from .proof import reads_in_passes
from .store import Prefix, PrefixStore

ATTRIBUTE = "generate"
#: How often the log says how far a long prompt has been read, in seconds.
_SAID_EVERY = 5.0


@dataclass(frozen=True)
class Surroundings:
    """What the host knows. ``person_of``: whose prompt the given ids are; None: nobody knows, so nothing is kept."""

    person_of: Callable[[Tensor], str | None]
    stops: Callable[[], bool]
    log: Callable[[str], None]
    reuses: Callable[[], bool]


class PrefixGenerate:
    """What stands in place of ``model.generate``. ``chunk`` and ``smallest`` are in tokens."""

    def __init__(
        self,
        model: Any,
        store: PrefixStore,
        surroundings: Surroundings,
        chunk: int = CHUNK_TOKENS,
        smallest: int = SMALLEST_PROMPT,
    ) -> None:
        self.store = store
        self.active = True
        #: Why calls were left to the host, and how many.
        self.left_alone: Counter[str] = Counter()
        #: Why the last call was left to the host; "" where it was not.
        self.why_left_alone = ""
        #: The tokens of the last prompt that were kept, and those that had to be read.
        self.last = (0, 0)
        #: While a prompt is read: the tokens read so far, and all of them.
        self.reading: tuple[int, int] | None = None
        self._model = weakref.ref(model)
        self._reads_in_passes: bool | None = None
        self._own = vars(model).get(ATTRIBUTE)
        self._host = surroundings
        self._chunk, self._smallest = chunk, smallest
        model.__dict__[ATTRIBUTE] = self

    def revert(self) -> None:
        """Give ``generate`` back and drop what is kept; where somebody wrapped it, it does nothing from now on."""
        self.active = False
        self.store.clear()
        model = self._model()
        if model is not None and vars(model).get(ATTRIBUTE) is self:
            if self._own is None:
                del model.__dict__[ATTRIBUTE]
            else:
                model.__dict__[ATTRIBUTE] = self._own

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy of the model, or one that is saved whole, has the library's ``generate`` of its own."""
        return (getattr, (self._model(), ATTRIBUTE))  # its attributes come later: this is its class's

    def __call__(self, *given: Any, **named: Any) -> Any:
        model = self._model()
        original = self._own if self._own is not None else _library_generate(model).__get__(model)
        read = self._begin(model, given, named) if self._is_wanted() else None
        if read is None:
            return original(*given, **named)
        if read.stopped:
            return _as_given(read.prompt.ids, named)
        return self._go_on(model, read, original, given, named)

    def _is_wanted(self) -> bool:
        if not self.active:
            return False
        try:
            wanted = self._host.reuses()
        except Exception:
            wanted = False
        if not wanted:
            self.store.clear()
        return wanted

    # -- reading -------------------------------------------------------------------------------------------------------

    def _begin(self, model: Any, given: Sequence[Any], named: Mapping[str, Any]) -> _Read | None:
        """The prompt of the call, read; None where the call is the host's alone."""
        try:
            prompt = plain_prompt(model, given, named, self._smallest)
            person = self._host.person_of(prompt.ids)
            if person is None:
                raise NotPlainError("nobody knows who asks")
            state, exact = model_state(model), is_exact(model)
            if self._reads_in_passes is None:
                self._reads_in_passes = reads_in_passes(model, prompt.ids, exact)
                state = model_state(model)  # some loaders finish a layer with the first pass through it
            if not self._reads_in_passes:
                raise NotPlainError("its attention reads a prompt in several passes otherwise than in one")
        except (NotPlainError, UnwatchableModelError) as why:
            self._leave_alone(str(why))
            return None
        except Exception as error:
            self._failed(error)
            return None
        taken, read = None, None
        try:
            taken = self.store.take(prompt.tokens, person, state, None if exact else self._chunk)
            read = self._read(model, prompt, taken, aligned=not exact)
        except Exception as error:
            self._failed(error)
        finally:
            self.reading = None
            if read is None and taken is not None:
                self.store.drop(taken)
        if read is None:  # and the error with all that it holds is gone
            give_memory_back()
        return read

    @torch.no_grad()
    def _read(self, model: Any, prompt: PlainPrompt, taken: Prefix, aligned: bool) -> _Read:
        begun = said = time.monotonic()
        whole = len(prompt.tokens)
        start = int(taken.layers[0][0].shape[-2]) if taken.layers else 0
        self.last, self.why_left_alone = (start, whole - start), ""

        def goes_on(so_far: int) -> bool:
            nonlocal said
            self.reading = (so_far, whole)
            if time.monotonic() - said > _SAID_EVERY:
                said = time.monotonic()
                self._host.log(f"Reading the prompt: {so_far:,} of {whole:,} tokens, {said - begun:.0f} s.")
            return not self._host.stops()

        wanted = (whole - start) * bytes_per_token(model.config, torch.finfo(model.dtype).bits // 8)
        self.store.make_room({str(prompt.ids.device): wanted})
        past = new_past(model.config, taken.layers, room=whole)
        past, held = read_prompt(model, prompt.ids, past, start, self._chunk, aligned, goes_on)
        if held and lengths(past) != {held}:
            raise RuntimeError(f"the layers hold {sorted(lengths(past))} tokens where {held} were read")
        stopped = held < whole - 1
        if stopped:
            self._keep(model, taken, prompt.tokens[:held], past)
        return _Read(prompt, taken, past, stopped)

    # -- answering -----------------------------------------------------------------------------------------------------

    def _go_on(self, model: Any, read: _Read, original: Any, given: Sequence[Any], named: Mapping[str, Any]) -> Any:
        """The host's own generate, which reads the last token of the prompt and all that follows."""
        past, read.past = read.past, None
        begun = FirstPass()
        hook = model.register_forward_pre_hook(begun, with_kwargs=True)
        failed: Exception | None = None
        try:
            return original(*given, **{**named, "past_key_values": past})
        except Exception as error:
            if is_out_of_memory(error):
                self.store.clear()
            if begun.passes or named.get("streamer") is not None:
                raise
            failed = error
        finally:
            hook.remove()
            self._keep(model, read.taken, read.prompt.tokens[:-1], past)
        self.revert()
        self._failed(failed)
        return original(*given, **named)

    def _keep(self, model: Any, taken: Prefix, tokens: tuple[int, ...], past: Any) -> None:
        """Keep ``tokens``, the first of ``past``: unless a pass was broken off half-way, or the model has changed."""
        kept = False
        try:
            if taken.state == model_state(model) and len(lengths(past)) == 1 and min(lengths(past)) >= len(tokens):
                taken.tokens, taken.layers = tokens, first_tokens(taken_out(past), len(tokens))
                self.store.put(taken)
                kept = True
        except UnwatchableModelError as why:
            self._leave_alone(str(why))
        except Exception as error:
            self._failed(error)
        finally:
            if not kept:
                self.store.drop(taken)

    # -- what is said --------------------------------------------------------------------------------------------------

    def _leave_alone(self, why: str) -> None:
        self.why_left_alone = why
        if why:
            self.left_alone[why] += 1

    def _failed(self, error: Exception) -> None:
        if is_out_of_memory(error):
            self.store.clear()
            why = "there was not enough memory"
        else:
            why = f"{type(error).__name__}: {error}"
        self._leave_alone(why)
        self._host.log(f"The prompt was left to the host alone: {why}.")


@dataclass(eq=False)
class _Read:
    """A prompt that was read, all but its last token unless it was ``stopped``."""

    prompt: PlainPrompt
    taken: Prefix
    past: Any
    stopped: bool


def _library_generate(model: Any) -> Any:
    """``generate`` as the class of ``model`` has it."""
    return type(model).generate


def _as_given(ids: Tensor, named: Mapping[str, Any]) -> Tensor:
    """What ``generate`` returns where it was stopped before the first new token."""
    streamer = named.get("streamer")
    if streamer is not None:
        streamer.end()
    return ids
