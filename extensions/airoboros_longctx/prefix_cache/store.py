"""The kept prompts of one model. Whoever uses one owns it: a stopped reply may still run while the next one begins."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ..core.prefix_reuse import KeptSize, common_prefix, memory_cap, reusable_tokens, surplus, takes_over
from .free_memory import free_bytes
from .key_values import KeyValues, bytes_by_device, first_tokens
from .model_state import ModelState

#: How long a prompt waits for a kept one that a stopped reply still holds; that ends with the token that it is at.
_WAIT_SECONDS = 2.0


@dataclass(eq=False)
class Prefix:
    """The keys and values of ``tokens``, read while the model was in ``state``, for ``person`` alone.

    ``epoch``: the number of times that everything had been dropped before.
    """

    tokens: tuple[int, ...]
    person: str
    state: ModelState
    epoch: int
    layers: KeyValues = field(default_factory=list, repr=False)
    used: int = 0

    def size(self) -> KeptSize:
        return KeptSize(bytes_by_device(self.layers), self.used)


class PrefixStore:
    """``share`` is the setting for the memory, ``free`` says how much of a device is free."""

    def __init__(self, share: Callable[[], float], free: Callable[[str], int | None] = free_bytes) -> None:
        self._share = share
        self._free = free
        self._changed = threading.Condition()
        self._kept: list[Prefix] = []
        self._busy: list[Prefix] = []
        self._epoch = 0
        self._uses = 0

    def take(self, prompt: tuple[int, ...], person: str, state: ModelState, chunk: int | None) -> Prefix:
        """What is kept of ``prompt``, for its caller alone until ``put`` or ``drop``; it may be nothing.

        ``chunk``: as for ``reusable_tokens``. What was read while the model was in another state is dropped.
        """
        with self._changed:
            self._wait_for_a_better_one(prompt, person, state)
            self._kept = [one for one in self._kept if one.state == state]  # not before: others put theirs meanwhile
            best = max(_of(person, state, self._kept), key=lambda one: self._serves(one, prompt, chunk), default=None)
            shared = self._serves(best, prompt, chunk) if best is not None else 0
            mine = Prefix(prompt, person, state, self._epoch)
            if best is not None and shared:
                if takes_over(len(best.tokens), shared):
                    self._kept.remove(best)
                    mine.layers = first_tokens(best.layers, shared)
                else:
                    mine.layers = first_tokens(tuple(best.layers), shared, own=True)
                    best.used = self._next_use()
            self._busy.append(mine)
            return mine

    def put(self, prefix: Prefix) -> None:
        """Keep ``prefix`` again, with the ``tokens`` and ``layers`` that it has now, unless all was dropped since."""
        with self._changed:
            self._release(prefix)
            if prefix.epoch == self._epoch and prefix.tokens and prefix.layers:
                prefix.used = self._next_use()
                self._kept = [one for one in self._kept if not _covers(prefix, one)] + [prefix]
                self._make_fit()

    def drop(self, prefix: Prefix) -> None:
        with self._changed:
            self._release(prefix)
            prefix.layers = []

    def clear(self) -> None:
        """Drop everything; what is in use now will not be kept either."""
        with self._changed:
            self._epoch += 1
            self._kept = []
            self._changed.notify_all()

    def trim(self) -> None:
        """Drop what is too much now: memory may have become scarce since it was kept."""
        with self._changed:
            self._make_fit()

    def held(self) -> tuple[int, int]:
        """The tokens of the longest kept prompt, and the bytes of all."""
        with self._changed:
            longest = max((len(one.tokens) for one in self._kept), default=0)
            return longest, sum(sum(one.size().bytes_by_device.values()) for one in self._kept)

    def make_room(self, wanted: Mapping[str, int]) -> None:
        """Drop kept prompts until ``wanted`` bytes of each device are free, as far as they can help."""
        with self._changed:
            caps = {}
            for device, size in wanted.items():
                free = self._free(device)
                caps[device] = self._held_on(device) - max(0, size - free) if free is not None else self._cap(device)
            self._drop_surplus({device: max(0, cap) for device, cap in caps.items()})

    # -- under the lock ----------------------------------------------------------------------------------------------

    @staticmethod
    def _serves(kept: Prefix, prompt: tuple[int, ...], chunk: int | None) -> int:
        return reusable_tokens(kept.tokens, prompt, chunk)

    def _wait_for_a_better_one(self, prompt: tuple[int, ...], person: str, state: ModelState) -> None:
        deadline = time.monotonic() + _WAIT_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            kept, busy = (
                max((common_prefix(one.tokens, prompt) for one in _of(person, state, prefixes)), default=0)
                for prefixes in (self._kept, self._busy)
            )
            if busy <= kept:
                return
            self._changed.wait(left)

    def _release(self, prefix: Prefix) -> None:
        if prefix in self._busy:
            self._busy.remove(prefix)
        self._changed.notify_all()

    def _next_use(self) -> int:
        self._uses += 1
        return self._uses

    def _held_on(self, device: str) -> int:
        return sum(one.size().bytes_by_device.get(device, 0) for one in self._kept)

    def _cap(self, device: str) -> int:
        return memory_cap(self._share(), self._free(device), self._held_on(device))

    def _make_fit(self) -> None:
        devices = {device for one in self._kept for device in one.size().bytes_by_device}
        self._drop_surplus({device: self._cap(device) for device in devices})

    def _drop_surplus(self, caps: Mapping[str, int]) -> None:
        gone = set(surplus([one.size() for one in self._kept], caps))
        self._kept = [one for number, one in enumerate(self._kept) if number not in gone]


def _of(person: str, state: ModelState, prefixes: list[Prefix]) -> list[Prefix]:
    """Those that may serve ``person`` while the model is in ``state``."""
    return [one for one in prefixes if one.person == person and one.state == state]


def _covers(new: Prefix, old: Prefix) -> bool:
    """True where ``old`` is a beginning of ``new``, so that nothing is lost with it."""
    same = new.person == old.person and len(old.tokens) <= len(new.tokens)
    return same and new.tokens[: len(old.tokens)] == old.tokens
