"""What a host can do, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Capabilities:
    """One host, probed or by the name of a release.

    ``mechanisms`` maps each loader that is there to the way it can be scaled (see ``mechanisms.py``; MODEL_CONFIG for
    loaders that read config.json only). ``gpu_bytes`` is the memory of each GPU. ``missing`` names the packages that
    have to be installed first: for a loader of the release that is not among ``mechanisms``, or (under the format's
    name, such as "gptq") for Transformers to read weights in that format. ``attention_switch`` is what to change where
    Transformers' attention writes all its scores into memory at once; empty where it does not.
    """

    host: str
    mechanisms: dict[str, str] = field(default_factory=dict)
    gpu: bool = False
    gpu_bytes: tuple[int, ...] = ()
    missing: dict[str, tuple[str, ...]] = field(default_factory=dict)
    attention_switch: str = ""

    @property
    def loaders(self) -> tuple[str, ...]:
        return tuple(self.mechanisms)
