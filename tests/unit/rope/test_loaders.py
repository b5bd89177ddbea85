"""Models as loaders hand them over: wrapped, fused, hooked; and ExLlama's tables."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from extensions.airoboros_longctx.core.errors import RopeScalingError
from extensions.airoboros_longctx.core.rope_scaling import RopeScaling
from extensions.airoboros_longctx.rope.class_patch import replace_llama_rope_with_scaled_rope
from extensions.airoboros_longctx.rope.live_patch import apply_rope_scaling
from extensions.airoboros_longctx.rope.read_back import read_rope_scaling
from tests.unit.rope.tiny_llama import BASE_WINDOW, KEEPS_TABLES, LAYERS, load, logits, rotary_modules, state_of

LONG = 5 * BASE_WINDOW
LINEAR_4 = RopeScaling("linear", 4, BASE_WINDOW)


class Wrapped(torch.nn.Module):
    """As AutoGPTQ keeps a model: ``.model`` is the whole ``LlamaForCausalLM``."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model


@pytest.mark.parametrize(
    "wrap",
    [
        Wrapped,
        lambda model: Wrapped(Wrapped(model)),
        lambda model: SimpleNamespace(base_model=SimpleNamespace(model=model)),
        lambda model: SimpleNamespace(module=model),
        lambda model: model.model,
    ],
    ids=["AutoGPTQ", "twice", "peft", "DataParallel", "the decoder itself"],
)
def test_a_wrapped_model_is_scaled_and_read(checkpoint: Path, wrap: Any) -> None:
    model = load(checkpoint)
    wrapped, before = wrap(model), logits(model, LONG)
    patch = apply_rope_scaling(wrapped, LINEAR_4)
    assert read_rope_scaling(wrapped).factor == 4
    assert torch.equal(logits(model, LONG), logits(load(checkpoint, 4), LONG))
    patch.revert()
    assert torch.equal(logits(model, LONG), before)


@pytest.mark.skipif(not KEEPS_TABLES, reason="AutoGPTQ's fused attention is made for Transformers that keep tables")
@pytest.mark.parametrize("way", ["class", "live"])
def test_fused_attention_keeps_its_rotary_module(tmp_path: Path, way: str) -> None:
    """AutoGPTQ 0.4.2 fuses q, k, v and hands the very rotary module on."""
    fused_module = pytest.importorskip("auto_gptq.nn_modules.fused_llama_attn", reason="AutoGPTQ is not installed")
    from tests.unit.rope.tiny_llama import save_tiny_llama

    folder = save_tiny_llama(tmp_path, kv_heads=4)

    def fused(model: Any) -> Any:
        for layer in model.model.layers:
            old = layer.self_attn
            qkv = torch.nn.Linear(64, 192, bias=False)
            qkv.weight.data = torch.cat([old.q_proj.weight, old.k_proj.weight, old.v_proj.weight]).data
            layer.self_attn = fused_module.FusedLlamaAttentionForQuantizedModel(64, 4, qkv, old.o_proj, old.rotary_emb)
        return Wrapped(model)

    native = logits(fused(load(folder, 4)).model, LONG)
    if way == "class":
        patch: Any = replace_llama_rope_with_scaled_rope(4, 4 * BASE_WINDOW)
        model = fused(load(folder))
    else:
        model = fused(load(folder))
        patch = apply_rope_scaling(model, LINEAR_4)
    reading = read_rope_scaling(model)
    assert (reading.factor, reading.modules) == (4, LAYERS)
    assert torch.equal(logits(model.model, LONG), native)
    patch.revert()
    if way == "live":
        assert torch.equal(logits(model.model, LONG), logits(fused(load(folder)).model, LONG))


@pytest.mark.parametrize("when", ["before", "after"])
def test_modules_that_accelerate_hooked(checkpoint: Path, when: str) -> None:
    hooks = pytest.importorskip("accelerate.hooks", reason="accelerate is not installed")

    def hook(model: Any) -> None:
        for module in rotary_modules(model):
            hooks.add_hook_to_module(module, hooks.AlignDevicesHook(execution_device="cpu", io_same_device=True))

    model, before = load(checkpoint), logits(load(checkpoint), LONG)
    if when == "before":
        hook(model)
    patch = apply_rope_scaling(model, LINEAR_4)
    if when == "after":
        hook(model)
    assert read_rope_scaling(model).factor == 4
    assert torch.equal(logits(model, LONG), logits(load(checkpoint, 4), LONG))
    patch.revert()
    assert read_rope_scaling(model).factor == 1
    assert torch.equal(logits(model, LONG), before)
    for module in rotary_modules(model):
        hooks.remove_hook_from_module(module)
    assert torch.equal(logits(model, 2 * LONG), logits(load(checkpoint), 2 * LONG))


def test_reading_a_hooked_model_leaves_no_trace(checkpoint: Path) -> None:
    hooks = pytest.importorskip("accelerate.hooks", reason="accelerate is not installed")
    model = load(checkpoint, 2.0, rope_type="dynamic")
    logits(model, 2 * BASE_WINDOW + 3)
    for module in rotary_modules(model):
        hooks.add_hook_to_module(module, hooks.AlignDevicesHook(execution_device="cpu"))
    state = state_of(model)
    assert read_rope_scaling(model).rope_type == "dynamic"
    assert state_of(model) == state


@pytest.mark.parametrize("stated", [None, 4])
def test_device_map_loads(checkpoint: Path, stated: float | None) -> None:
    pytest.importorskip("accelerate", reason="accelerate is not installed")
    from transformers import LlamaForCausalLM

    from tests.unit.rope.tiny_llama import llama_config, widened

    def load_mapped() -> Any:
        model = LlamaForCausalLM.from_pretrained(
            checkpoint, config=llama_config(stated), device_map={"": "cpu"}, low_cpu_mem_usage=True
        )
        return widened(model.eval())

    native = logits(load(checkpoint, 4), LONG)
    patch = replace_llama_rope_with_scaled_rope(4, 4 * BASE_WINDOW)
    model = load_mapped()
    patch.revert()
    assert (patch.modules_built == 0) is (stated is not None)
    assert torch.equal(logits(model, LONG), native)
    live = load_mapped()
    assert apply_rope_scaling(live, LINEAR_4).changed is (stated is None)
    assert torch.equal(logits(live, LONG), native)


# ----------------------------------------------------------------------------------------------------- ExLlama


def exllama(factor: float = 1.0, alpha: float = 1.0, length: int = 2048, layers: int = 2) -> Any:
    """An object of the shape of ExLlama 0.1.0: half-precision tables made with its formula, shared by all layers."""
    base = 10000.0 * alpha ** (128 / 126)
    inv_freq = 1.0 / (base ** (torch.arange(0, 128, 2).float() / 128))
    angles = torch.outer(torch.arange(length, dtype=torch.float32) / factor, inv_freq).repeat(1, 2)
    sin, cos = angles.sin()[None, None].half(), angles.cos()[None, None].half()
    attention = [SimpleNamespace(self_attn=SimpleNamespace(sin=sin, cos=cos)) for _ in range(layers)]
    config = SimpleNamespace(
        rotary_embedding_base=base, alpha_value=alpha, head_dim=128, compress_pos_emb=factor, max_seq_len=length
    )
    return SimpleNamespace(sincos={"cuda:0": (sin, cos)}, layers=attention, config=config)


@pytest.mark.parametrize("host", ["model", "ex_model"], ids=["ExLlama", "ExLlama_HF"])
@pytest.mark.parametrize(("length", "factor"), [(2048, 1), (8192, 4), (16384, 8), (4096, 1.7)])
def test_exllamas_tables_are_read(host: str, length: int, factor: float) -> None:
    inner = exllama(factor, length=length)
    reading = read_rope_scaling(SimpleNamespace(**{host: inner}, config=SimpleNamespace(), tokenizer=None))
    assert reading.rope_type == ("default" if factor == 1 else "linear")
    assert (reading.factor, reading.modules, reading.rope_theta) == (factor, 1, 10000.0)
    assert reading.error < 1e-3


def test_exllamas_knob_is_not_believed() -> None:
    inner = exllama(1.0)
    inner.config.compress_pos_emb = 4.0
    assert read_rope_scaling(SimpleNamespace(model=inner)).factor == 1.0


def test_exllamas_alpha_is_another_base() -> None:
    reading = read_rope_scaling(SimpleNamespace(model=exllama(alpha=8.0)))
    assert (reading.rope_type, reading.factor) == ("ntk", 8)
    assert reading.rope_theta == pytest.approx(10000 * 8 ** (128 / 126), rel=1e-2)


def test_exllama_layers_with_tables_of_their_own_are_compared() -> None:
    inner = exllama(4.0)
    inner.layers[1].self_attn = exllama(2.0).layers[0].self_attn
    reading = read_rope_scaling(SimpleNamespace(model=inner))
    assert (reading.factor, reading.modules) == (None, 2)
    assert reading.note == "the layers differ: 1 run linear ×4, 1 run linear ×2"


def test_exllama_is_not_scaled_in_place() -> None:
    with pytest.raises(RopeScalingError, match=r"ExLlama scales by itself: set compress_pos_emb and load the model"):
        apply_rope_scaling(SimpleNamespace(model=exllama()), LINEAR_4)
