"""What a check is asked to measure, as plain data."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import AiroborosLongctxError

DEPTHS = (0.0, 0.25, 0.5, 0.75, 1.0)


class CheckError(AiroborosLongctxError):
    """A check that cannot be made as it was asked for."""


@dataclass(frozen=True)
class CheckOptions:
    """``contexts`` in tokens; none: 64, 128, … to the window. ``texts`` are (name, text); none: the documentation of
    Python.

    ``windows`` is the number of pieces of text that are scored at each context length, and ``prompts`` the number of
    prompts of each kind at each length and depth. ``trial``: half and double the factor are measured too, on the
    longest contexts that both can read, so that the verdict can tell whether the factor is right; ``compare_unscaled``
    and ``factors`` add whole curves of the model at other factors.
    """

    contexts: tuple[int, ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    compare_unscaled: bool = False
    factors: tuple[float, ...] = ()
    trial: bool = True
    windows: int = 16
    prompts: int = 2
    depths: tuple[float, ...] = DEPTHS
    seed: int = 0
