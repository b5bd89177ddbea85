"""Which context lengths a check measures, in tokens."""

from __future__ import annotations

from collections.abc import Sequence

from .check_options import CheckError

SHORTEST = 64
#: A trial of another factor takes so many of the longest lengths that it can be compared at.
_TRIAL_LENGTHS = 3


def context_lengths(window: int, asked: Sequence[int] = ()) -> tuple[int, ...]:
    """64, 128, … and ``window`` itself; or those ``asked`` for, sorted.

    Raises CheckError where one is beyond the window, or too short for anything to be scored.
    """
    if asked:
        for length in sorted(asked):
            if length < 2:
                raise CheckError(f"A context of {length} tokens was asked for; at least 2 are needed, such as 64.")
            if length > window:
                raise CheckError(
                    f"A context of {length} tokens was asked for, and the model's window has {window}; "
                    f"ask for lengths up to {window}."
                )
        return tuple(sorted(set(asked)))
    lengths = []
    length = SHORTEST
    while length < window:
        lengths.append(length)
        length *= 2
    return (*lengths, window)


def trial_lengths(lengths: Sequence[int], base: int, loaded: float, factor: float) -> tuple[int, ...]:
    """The lengths at which a model that runs the factor ``loaded`` is compared with itself at ``factor``.

    ``base`` is the original window in tokens. A factor can only be blamed for what it should read: up to ``base`` times
    the smaller of the two. Of an unscaled model the factors 2, 4, 8 are compared with each other as well, so each is
    measured up to what the next smaller one reads.
    """
    limit = base * max(min(loaded, factor), factor / 2 if loaded == 1 else 1.0)
    longer = list(lengths)
    while loaded == 1 and longer[-1] * 2 <= limit:
        longer.append(longer[-1] * 2)
    within = [length for length in longer if length <= limit] or [longer[0]]
    return tuple(within[-_TRIAL_LENGTHS:])


#: Factors beyond this are not tried unless they are asked for.
_LARGEST_TRIED = 32.0


def trial_factors(loaded: float) -> tuple[float, ...]:
    """The factors to try first on a model that was loaded with the factor ``loaded``."""
    return (2.0, 4.0, 8.0) if loaded == 1 else (max(1.0, loaded / 2), loaded * 2)


def next_trial_factor(best: float, tried: Sequence[float]) -> float | None:
    """The factor to try next, where the ``best`` of those ``tried`` is the last of them on its side; None: enough."""
    if best == max(tried) and best != min(tried) and best * 2 <= _LARGEST_TRIED:
        return best * 2
    if best == min(tried) and best > 1:
        return max(1.0, best / 2)
    return None
