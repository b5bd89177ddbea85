"""NTK and NTK by parts as frequencies: against float64 formulas and the training code's own numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from extensions.airoboros_longctx.core.errors import RopeScalingError
from extensions.airoboros_longctx.core.rope_scaling import RopeScaling
from extensions.airoboros_longctx.rope.frequencies import inverse_frequencies, scale_frequencies
from tests.unit.rope import ntk_reference
from tests.unit.rope.scaled_models import NTK_8

#: Of the training code itself (LlamaPartNTKScaledRotaryEmbedding(128): window 4096, factor 4), pair by pair.
AIROPHIN = {
    0: 1.0,
    10: 0.23713736236095428,
    22: 0.04216964915394783,
    25: 0.0273841954767704,
    30: 0.011321509256958961,
    36: 0.0035081240348517895,
    40: 0.0014270927058532834,
    44: 0.0006291750469245017,
    47: 0.00031306224991567433,
    48: 0.0002500000118743628,
    63: 2.8869548259535804e-05,
}


@pytest.mark.parametrize("rope_type", ["ntk", "ntk_by_parts"])
@pytest.mark.parametrize("factor", [1.7, 2, 4, 8, 32])
@pytest.mark.parametrize(("head_dim", "window"), [(16, 64), (64, 2048), (100, 2048), (128, 2048), (128, 4096)])
@pytest.mark.parametrize("theta", [10000.0, 1e6])
def test_the_frequencies_are_the_formulas(
    rope_type: str, factor: float, head_dim: int, window: int, theta: float
) -> None:
    scaling = RopeScaling(rope_type, factor, window)
    made = scale_frequencies(scaling, inverse_frequencies(head_dim, theta), theta)
    assert made.dtype == torch.float32
    np.testing.assert_allclose(made.double(), ntk_reference.frequencies(scaling, head_dim, theta), rtol=2e-6)


def test_by_parts_is_what_airophin_was_trained_with() -> None:
    made = scale_frequencies(RopeScaling("ntk_by_parts", 4, 4096), inverse_frequencies(128, 10000.0), 10000.0)
    assert {pair: float(made[pair]) for pair in AIROPHIN} == AIROPHIN


def test_ntk_keeps_the_quickest_pair_and_slows_the_slowest_by_alpha() -> None:
    own = inverse_frequencies(128, 10000.0)
    made = scale_frequencies(RopeScaling("ntk", 8), own, 10000.0)
    assert float(made[0]) == float(own[0]) == 1.0
    assert float(own[-1] / made[-1]) == pytest.approx(8, rel=1e-6)


def test_a_factor_of_one_and_a_head_of_one_pair_change_nothing() -> None:
    for rope_type in ("linear", "ntk", "ntk_by_parts"):
        own = inverse_frequencies(64, 10000.0)
        assert torch.equal(scale_frequencies(RopeScaling(rope_type, 1), own, 10000.0), own)
    assert torch.equal(scale_frequencies(NTK_8, inverse_frequencies(2, 10000.0), 10000.0), torch.ones(1))


def test_a_method_without_a_formula_is_an_error() -> None:
    with pytest.raises(RopeScalingError, match="rope_type 'yarn' found; linear, ntk or ntk_by_parts is needed"):
        scale_frequencies(RopeScaling("yarn", 4), inverse_frequencies(64, 10000.0), 10000.0)
