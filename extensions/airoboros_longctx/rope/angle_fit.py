"""From cosines and sines at known positions to the RoPE that made them, in float64.

What a module computes is ``cos(position * w_i)`` and ``sin(position * w_i)`` for every dimension pair ``i``; linear
scaling means ``w_i = theta ** (-2i / d) / factor`` for one factor (arXiv:2306.15595). The angle at position 1 gives
``w_i`` roughly; at every doubling of the position the turns already made are known and the error is halved.

Every ``w_i`` is known up to a bound that follows from how its cosines were rounded. The dimensions agree on a factor
when the intervals that they leave for it overlap; the fitted factor is the roundest number in that overlap. Where they
do not, scalings that are expected are tried by their formula, and then another base (NTK).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..core.rope_scaling import NTK, NTK_BY_PARTS, RopeScaling, ntk_alpha, ntk_base
from .frequencies import scale_frequencies
from .probes import Rows

#: Unit roundoff and smallest step of the formats in which tables and frequencies are kept.
ROUNDING = {torch.float32: (2.0**-24, 0.0), torch.float16: (2.0**-11, 2.0**-25), torch.bfloat16: (2.0**-8, 0.0)}
#: The formats from coarse to fine.
FORMATS = (torch.bfloat16, torch.float16, torch.float32)
#: How much more than the rounding bound is taken for rounding: sine and cosine of libraries are not exact to the bit.
SLACK = 4.0


@dataclass(frozen=True)
class AngleFit:
    """``rope_type`` "default", "linear", "ntk", "ntk_by_parts" or "other", and how far the model is from it.

    ``rope_theta`` is the base that the model runs; ``original_max_position_embeddings`` is None where the fit does not
    depend on it. ``error`` is the largest difference of a cosine or sine from the fit's; ``note`` says what does not
    fit; ``frequencies`` are the fitted frequencies: float64, shape ``(head_dim / 2,)``, None where nothing fits.
    """

    rope_type: str
    factor: float | None
    rope_theta: float
    error: float
    note: str = ""
    frequencies: Tensor | None = None
    original_max_position_embeddings: int | None = None

    def __str__(self) -> str:
        return f"{self.rope_type} ×{self.factor:g}" if self.factor is not None else f"{self.rope_type} ({self.note})"


@dataclass(frozen=True)
class _Frequencies:
    """``w``: radians per position, shape ``(head_dim / 2,)``; ``bound``: relative error bound of each."""

    w: Tensor
    bound: Tensor


def _kept_in(values: Tensor) -> torch.dtype:
    """The coarsest format in which every value can be kept exactly."""
    return next((kept for kept in FORMATS if torch.equal(values.to(kept).to(torch.float64), values)), torch.float32)


def _frequencies(rows: Rows) -> tuple[_Frequencies, Tensor]:
    """Unwrapped frequencies, and the noise bound in radians of every angle, shape ``(positions, head_dim / 2)``."""
    half = rows.cos.shape[-1] // 2
    cos, sin = rows.cos[:, :half], rows.sin[:, :half]
    angles = torch.atan2(sin, cos)
    unit, step = ROUNDING[_kept_in(torch.cat((rows.cos, rows.sin)))]
    where = {position: index for index, position in enumerate(rows.positions)}
    w, last, position = angles[where[1]], 1, 2
    while position in where:
        expected = w * position
        w = (expected + torch.remainder(angles[where[position]] - expected + math.pi, 2 * math.pi) - math.pi) / position
        last, position = position, position * 2
    positions = torch.tensor(rows.positions, dtype=torch.float64)[:, None]
    turned = positions * w.abs()
    # A rounded sine and cosine move the angle by at most 2 u |sin cos|; three float32 roundings move w by 3 * 2**-24.
    noise = SLACK * (torch.minimum(torch.full_like(turned, unit), 2 * unit * turned) + step + turned * 3 * 2.0**-24)
    noise = noise + 2.0**-40
    return _Frequencies(w, noise[where[last]] / (last * w.abs()).clamp_min(1e-300)), noise


def _with_rounded_frequencies(found: _Frequencies) -> list[tuple[str, _Frequencies]]:
    """The readings to try: exact frequencies, and those of a module whose frequencies were cast to half precision."""
    readings = [("", found)]
    if float(found.bound.max()) > 2.0**-13:  # too coarse to tell
        return readings
    for kept, name in ((torch.float16, "float16"), (torch.bfloat16, "bfloat16")):
        rounded = found.w.to(kept).to(torch.float64)
        if bool(((rounded - found.w).abs() <= found.bound * found.w.abs()).all()):
            unit, step = ROUNDING[kept]
            bound = unit + step / rounded.abs().clamp_min(1e-300) + 2.0**-22
            readings.append((f"frequencies kept in {name}", _Frequencies(rounded, bound)))
    return readings


def _overlap(values: Tensor, bounds: Tensor) -> tuple[float, float]:
    return float((values * (1 - bounds)).max()), float((values * (1 + bounds)).min())


def _roundest(low: float, high: float) -> float:
    """The number with the fewest decimals between ``low`` and ``high``."""
    middle = (low + high) / 2
    return next((value for digits in range(9) if low <= (value := round(middle, digits)) <= high), middle)


def _distance(rows: Rows, w: Tensor) -> Tensor:
    """Largest difference in cosine or sine, for every position and pair: shape ``(positions, head_dim / 2)``."""
    angles = torch.tensor(rows.positions, dtype=torch.float64)[:, None] * w
    half = rows.cos.shape[-1] // 2
    differences = [
        (part - turned).abs()
        for values, turned in ((rows.cos, angles.cos()), (rows.sin, angles.sin()))
        for part in (values[:, :half], values[:, half:])
    ]
    return torch.stack(differences).amax(dim=0)


def distance_from(rows: Rows, frequencies: Tensor) -> float:
    """The largest difference of a cosine or sine in ``rows`` from RoPE with these frequencies."""
    return float(_distance(rows, frequencies).max())


def fit_angles(rows: Rows, rope_theta: float | None, expected: Sequence[RopeScaling] = ()) -> AngleFit:
    """Fit ``rows``; ``rope_theta`` is the base that the model states (None: it states none, and the base is fitted).

    ``expected``: scalings that are recognised by their formula (by parts has no other way; NTK is then exact).
    """
    head_dim = rows.cos.shape[-1]
    exponents = torch.arange(0, head_dim, 2, dtype=torch.float64) / head_dim
    stated = 10000.0 if rope_theta is None else rope_theta
    default = stated**-exponents
    if rows.sin.shape != rows.cos.shape or head_dim % 2 or 1 not in rows.positions:
        return AngleFit("other", None, stated, math.inf, "cosines and sines of an unknown shape")
    if not bool(torch.isfinite(rows.cos).all() and torch.isfinite(rows.sin).all()):
        return AngleFit("other", None, stated, math.inf, "cosines or sines that are no numbers")
    found, noise = _frequencies(rows)
    nearest = float(torch.quantile(default / found.w, 0.5))
    error = float(_distance(rows, default / nearest if math.isfinite(nearest) else default).max())

    half = head_dim // 2
    if not (
        torch.equal(rows.cos[:, :half], rows.cos[:, half:]) and torch.equal(rows.sin[:, :half], rows.sin[:, half:])
    ):
        return AngleFit("other", None, stated, error, "the two halves of a head turn differently")
    unit, _ = ROUNDING[_kept_in(torch.cat((rows.cos, rows.sin)))]
    length = torch.hypot(rows.cos, rows.sin)
    if float((length - 1).abs().max()) > SLACK * unit:
        return AngleFit("other", None, stated, error, f"cosines and sines multiplied by {float(length.mean()):.4g}")
    if bool((found.w <= 0).any()):
        return AngleFit("other", None, stated, error, "dimensions that do not turn or turn backwards")
    turned = torch.tensor(rows.positions, dtype=torch.float64)[:, None] * found.w
    if bool((_distance(rows, found.w) > noise + turned * found.bound + SLACK * unit + 2.0**-20).any()):
        return AngleFit("other", None, stated, error, "angles that do not grow evenly with the position")

    for note, reading in _with_rounded_frequencies(found):
        low, high = _overlap(default / reading.w, reading.bound)
        if rope_theta is not None and low <= high:
            factor = _roundest(low, high)
            error = distance_from(rows, default / factor)
            return AngleFit("default" if factor == 1.0 else "linear", factor, stated, error, note, default / factor)
        for scaling in expected:
            w = scale_frequencies(scaling, default, stated).double()
            if bool(((w - reading.w).abs() <= reading.bound * reading.w).all()):
                return _as_expected(scaling, w, stated, distance_from(rows, w), note)
    return _fit_base_too(rows, found, exponents, rope_theta, stated, error)


def _as_expected(scaling: RopeScaling, w: Tensor, stated: float, error: float, note: str) -> AngleFit:
    window = scaling.original_max_position_embeddings if scaling.rope_type == NTK_BY_PARTS else None
    theta = ntk_base(stated, scaling.factor, 2 * w.numel()) if scaling.rope_type == NTK else stated
    return AngleFit(scaling.rope_type, scaling.factor, theta, error, note, w, window)


def _fit_base_too(
    rows: Rows, found: _Frequencies, exponents: Tensor, rope_theta: float | None, stated: float, error: float
) -> AngleFit:
    """``log w_i = -log factor - x_i log theta``: a weighted straight line through the logarithms."""
    if exponents.numel() < 3:
        return AngleFit("other", None, stated, error, "frequencies that fit no uniformly scaled RoPE")
    design = torch.stack((torch.ones_like(exponents), exponents), dim=1)
    weights = (found.bound.min() / found.bound)[:, None]
    line = torch.linalg.lstsq(design * weights, found.w.log()[:, None] * weights).solution.flatten()
    straight = bool(((design @ line - found.w.log()).abs() <= 2 * found.bound + 2.0**-22).all())
    factor, theta = float((-line[0]).exp()), float((-line[1]).exp())
    if not straight:
        return AngleFit("other", None, stated, error, "frequencies that fit no uniformly scaled RoPE")
    spread = float(2 * found.bound.max()) + 2.0**-20
    factor, theta = (
        _roundest(factor * (1 - spread), factor * (1 + spread)),
        _roundest(theta * (1 - spread), theta * (1 + spread)),
    )
    w = theta**-exponents / factor
    error = distance_from(rows, w)
    if rope_theta is None:
        kind = "default" if factor == 1.0 else "linear"
        return AngleFit(kind, factor, theta, error, "base fitted, none is stated", w)
    if factor == 1.0 and theta > stated:
        low, high = (ntk_alpha(stated, theta * (1 + side), 2 * w.numel()) for side in (-spread, spread))
        return AngleFit("ntk", _roundest(low, high), theta, error, f"base {theta:g} where {stated:g} is stated", w)
    return AngleFit("other", None, theta, error, f"factor {factor:g} and base {theta:g} where {stated:g} is stated")
