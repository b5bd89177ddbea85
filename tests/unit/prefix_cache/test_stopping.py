"""Reading a long prompt can be stopped, says how far it is, and what was read is not lost."""

from __future__ import annotations

from typing import Any

from extensions.airoboros_longctx.prefix_cache import prefix_generate
from extensions.airoboros_longctx.prefix_cache.key_values import bytes_per_token
from tests.unit.prefix_cache.kept_llama import Kept, prompt

TEXT = prompt(100)


def after(kept: Kept, passes: int) -> None:
    asked: list[int] = []

    def stops() -> bool:
        asked.append(1)
        return len(asked) > passes

    kept.stops = stops


def test_stopped_while_it_reads(kept):
    after(kept, 3)
    assert kept.answer(TEXT) == TEXT  # nothing new
    assert kept.store.held()[0] == 48
    kept.stops = lambda: False
    assert kept.ask(TEXT) == kept.stock(TEXT)
    assert kept.generate.last == (48, 52)


def test_what_was_not_read_takes_no_memory(kept):
    """Room for a whole prompt is made before its first pass."""
    after(kept, 3)
    kept.answer(TEXT)
    assert kept.store.held() == (48, 48 * bytes_per_token(kept.model.config, 4))


def test_stopped_before_it_reads(kept):
    after(kept, 0)
    assert kept.answer(TEXT) == TEXT
    assert kept.store.held() == (0, 0)


def test_a_streamer_ends(kept):
    class Streamer:
        ended = 0

        def put(self, value: Any) -> None:
            raise AssertionError

        def end(self) -> None:
            self.ended += 1

    after(kept, 2)
    streamer = Streamer()
    kept.answer(TEXT, streamer=streamer)
    assert streamer.ended == 1


def test_how_far_it_is(kept, monkeypatch):
    monkeypatch.setattr(prefix_generate, "_SAID_EVERY", -1.0)
    shown: list[tuple[int, int] | None] = []
    kept.stops = lambda: bool(shown.append(kept.generate.reading))
    kept.ask(TEXT[:40])
    assert shown == [(0, 40), (16, 40), (32, 40)]
    assert kept.generate.reading is None
    assert kept.said[-1] == "Reading the prompt: 32 of 40 tokens, 0 s."


def test_stopped_in_a_model_that_has_changed_meanwhile(kept):
    """What was read before the change and what was read after it are of no use together."""
    asked: list[int] = []

    def stops() -> bool:
        asked.append(1)
        if len(asked) == 3:
            kept.model.model.layers[1].self_attn.k_proj.weight.data += 0.3
        return len(asked) == 4

    kept.stops = stops
    assert kept.answer(TEXT) == TEXT
    assert (kept.store.held(), kept.store._busy) == ((0, 0), [])
