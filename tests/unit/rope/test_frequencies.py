"""The formulas against float64 numpy, and bit for bit against the installed library."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from extensions.airoboros_longctx.core.rope_scaling import RopeScaling
from extensions.airoboros_longctx.rope.frequencies import interpolated_angles, inverse_frequencies, scale_frequencies
from extensions.airoboros_longctx.rope.scaled_table import GROWTH, ScaledTable
from tests.unit.rope.tiny_llama import FACTORS, load, rotary_modules


@pytest.mark.parametrize("head_dim", [2, 16, 64, 128, 100])
@pytest.mark.parametrize("theta", [10000, 10000.0, 1e6, 26000.5])
def test_inverse_frequencies_are_the_papers(head_dim: int, theta: float) -> None:
    expected = float(theta) ** (-2.0 * np.arange(head_dim // 2) / head_dim)
    made = inverse_frequencies(head_dim, theta)
    assert made.dtype == torch.float32
    assert made.device.type == "cpu"
    np.testing.assert_allclose(made.double().numpy(), expected, rtol=5e-7)


def test_inverse_frequencies_are_bit_for_bit_the_librarys(checkpoint) -> None:
    for module in rotary_modules(load(checkpoint)):
        assert torch.equal(inverse_frequencies(16, 10000.0), module.inv_freq)


@pytest.mark.parametrize("factor", FACTORS)
def test_both_ways_to_interpolate_agree_with_the_reference(factor: float) -> None:
    inv_freq = inverse_frequencies(32, 10000.0)
    positions = np.arange(4096, dtype=np.float64)[:, None]
    expected = positions / factor * 10000.0 ** (-2.0 * np.arange(16) / 32)
    tables = interpolated_angles(4096, inv_freq, factor).double().numpy()
    products = positions * scale_frequencies(RopeScaling("linear", factor), inv_freq, 10000.0).double().numpy()
    np.testing.assert_allclose(tables, np.concatenate([expected, expected], axis=1), rtol=1e-6)
    np.testing.assert_allclose(products, expected, rtol=1e-6)


def test_a_table_grows_in_steps_and_keeps_its_rows() -> None:
    table = ScaledTable(inverse_frequencies(16, 10000.0), 3.0, 100)
    cos, sin = table.cos_sin(torch.device("cpu"), torch.float16)
    assert cos.shape == sin.shape == (100, 16)
    assert table.cos_sin(torch.device("cpu"), torch.float16)[0] is cos
    table.reserve(100)
    assert table.length == 100
    table.reserve(101)
    assert table.length == GROWTH
    longer, _ = table.cos_sin(torch.device("cpu"), torch.float16)
    assert longer.shape == (GROWTH, 16)
    assert torch.equal(longer[:100], cos)


def test_a_table_made_under_inference_mode_can_be_trained_with() -> None:
    with torch.inference_mode():
        table = ScaledTable(inverse_frequencies(16, 10000.0), 4.0, 8)
        cos, _ = table.cos_sin(torch.device("cpu"), torch.float32)
    queries = torch.ones(8, 16, requires_grad=True)
    (queries * cos).sum().backward()
    assert torch.equal(queries.grad, cos)
