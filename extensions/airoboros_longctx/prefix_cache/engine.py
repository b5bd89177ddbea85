"""The ``PrefixCache`` port: this room as the service sees it."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import Any

from ..core.prefix_reuse import kept_sentence

#: AutoGPTQ, peft and ``*ForCausalLM`` (model, base_model), DataParallel (module).
_WRAPPERS = ("model", "base_model", "module")
_MOST_OBJECTS = 16


def _nothing() -> Any:
    """Stands for the weak reference while no model is watched."""
    return None


class PrefixCacheEngine:
    """Keeps the prompts of one model at a time. Imports torch and transformers when they are used, not before.

    ``share``: the setting for the memory. ``person_of``, ``stops``, ``log`` and ``reuses``: as in ``Surroundings``.
    """

    def __init__(
        self,
        share: Callable[[], float],
        person_of: Callable[[Any], str | None],
        stops: Callable[[], bool],
        log: Callable[[str], None],
        reuses: Callable[[], bool],
    ) -> None:
        self._share = share
        self._around = (person_of, stops, log, reuses)
        self._generate: Callable[[], Any] = _nothing  # a weak reference: the model holds what is kept
        self._why_not = ""

    def watch(self, model: Any) -> None:
        """Keep the prompts of ``model`` from now on, and nothing of before."""
        from .plain_prompt import why_model_is_not_kept
        from .prefix_generate import ATTRIBUTE, PrefixGenerate, Surroundings
        from .store import PrefixStore

        inner = next(_generating(model), None)
        current = self._watched()
        standing: Any = vars(inner).get(ATTRIBUTE) if inner is not None else None
        if current is not None and current is standing and current.active:
            current.store.clear()
            return
        self.release()
        self._why_not = why_model_is_not_kept(inner) if inner is not None else ""
        if inner is None or self._why_not:
            return
        if hasattr(standing, "revert"):  # of another copy of this extension
            standing.revert()
        generate = PrefixGenerate(inner, PrefixStore(self._share), Surroundings(*self._around))
        self._generate = weakref.ref(generate)

    def release(self) -> None:
        """Drop what is kept and give ``generate`` back."""
        current = self._watched()
        self._generate, self._why_not = _nothing, ""
        if current is not None:
            current.revert()

    def _watched(self) -> Any:
        return self._generate()

    def invalidate(self) -> None:
        """Drop what is kept: the model is about to compute something else."""
        current = self._watched()
        if current is not None:
            current.store.clear()

    def status(self) -> str:
        """What is kept, in words, or why the last prompt was not; "" where there is nothing to tell."""
        current = self._watched()
        if current is None:
            return f"prompts are not kept: {self._why_not}" if self._why_not else ""
        current.store.trim()
        reading = current.reading  # another thread's, which may be done meanwhile
        if reading is not None:
            return "reading the prompt: {:,} of {:,} tokens".format(*reading)
        tokens, size = current.store.held()
        parts = [kept_sentence(tokens, size)] if tokens else []
        if current.why_left_alone:
            count = current.left_alone[current.why_left_alone]
            times = f" ({count} times)" if count > 1 else ""
            parts.append(f"the last prompt was not kept{times}: {current.why_left_alone}")
        return " · ".join(parts)


def _generating(model: Any) -> Iterator[Any]:
    """The objects in and behind ``model`` that generate with the library's own code, outermost first."""
    waiting: list[Any] = [model]
    seen: set[int] = set()
    while waiting and len(seen) < _MOST_OBJECTS:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        if _has_library_generate(one):
            yield one
        for name in _WRAPPERS:
            inner = getattr(one, name, None)
            if inner is not None and hasattr(inner, "__dict__"):
                waiting.append(inner)


def _has_library_generate(one: Any) -> bool:
    function = getattr(type(one), "generate", None)
    from_library = str(getattr(function, "__module__", "")).startswith("transformers.")
    return from_library and hasattr(one, "config") and callable(getattr(one, "named_parameters", None))
