"""How much of a kept prompt the next one can use, and what is kept in how much memory: tokens and bytes alone.

A model's keys and values at a position depend on the tokens up to there and on nothing after. So two prompts that
begin with the same tokens share them; only the last token of a prompt must always be read, for its logits are the
answer's beginning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

#: Tokens that are read in one forward pass: often enough to stop and to say how far it is.
CHUNK_TOKENS = 512
#: A shorter prompt is read before it could be looked up.
SMALLEST_PROMPT = 128
#: What is kept where nobody can say how much memory is free.
UNKNOWN_MEMORY_CAP = 1 << 30
MEBIBYTE = 1 << 20


def common_prefix(kept: Sequence[int], prompt: Sequence[int]) -> int:
    """The number of tokens with which both begin."""
    most = min(len(kept), len(prompt))
    if tuple(kept[:most]) == tuple(prompt[:most]):
        return most
    return next(index for index in range(most) if kept[index] != prompt[index])


def reusable_tokens(kept: Sequence[int], prompt: Sequence[int], chunk: int | None) -> int:
    """The tokens of ``kept`` whose keys and values serve ``prompt``: at most all but its last.

    ``chunk`` None: any number serves (float32, where the way a prompt was cut does not show in its tokens). Otherwise
    only whole chunks do, counted from the first position, because a cut elsewhere rounds differently; or all of it,
    where the prompt is the same up to its last token and so was cut the same.
    """
    last = len(prompt) - 1
    shared = min(common_prefix(kept, prompt), last)
    if chunk is None or shared == len(kept) == last:
        return shared
    return shared - shared % chunk


def chunk_ends(start: int, end: int, chunk: int, aligned: bool) -> tuple[int, ...]:
    """Where the passes end that read the positions from ``start`` up to ``end``.

    ``aligned``: at the multiples of ``chunk``, wherever the first begins.
    """
    first = start - start % chunk if aligned else start
    ends = range(first + chunk, end, chunk)
    return (*ends, end) if end > start else ()


def memory_cap(setting: float, free: int | None, held: int) -> int:
    """The bytes that may be kept in a memory of which ``free`` bytes are free and ``held`` are what is kept now.

    ``setting`` up to 1 is a share of what would be free without us; more is a number of MiB. ``free`` None: unknown.
    """
    if setting > 1:
        return int(setting * MEBIBYTE)
    if free is None:
        return UNKNOWN_MEMORY_CAP if setting > 0 else 0
    return int(setting * (free + held))


@dataclass(frozen=True)
class KeptSize:
    """One kept prompt: the bytes that it takes in each memory, and when it was used last, as a rising number."""

    bytes_by_device: Mapping[str, int]
    used: int


def surplus(kept: Sequence[KeptSize], caps: Mapping[str, int]) -> tuple[int, ...]:
    """Which of ``kept`` must go so that the rest fits ``caps`` (bytes of each memory): those used longest ago."""
    held = {device: sum(one.bytes_by_device.get(device, 0) for one in kept) for device in caps}
    gone: list[int] = []
    for number in sorted(range(len(kept)), key=lambda index: kept[index].used):
        over = [device for device, held_bytes in held.items() if held_bytes > caps[device]]
        if not over:
            break
        if any(kept[number].bytes_by_device.get(device, 0) for device in over):
            gone.append(number)
            for device in held:
                held[device] -= kept[number].bytes_by_device.get(device, 0)
    return tuple(gone)


def takes_over(kept_tokens: int, shared: int) -> bool:
    """True where a prompt may use a kept one up; one that shares little with it gets a copy, and leaves it there."""
    return 2 * shared >= kept_tokens


def kept_sentence(tokens: int, size: int) -> str:
    """``prefix of 7,400 tokens kept, 220 MiB``."""
    mebibytes = size / MEBIBYTE
    spoken = f"{mebibytes / 1024:.1f} GiB" if mebibytes >= 1024 else f"{mebibytes:.0f} MiB"
    return f"prefix of {tokens:,} tokens kept, {spoken}"
