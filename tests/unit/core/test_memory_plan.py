"""The memory plan against published figures, real allocations of the shipped models, and ggml's own block sizes."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extensions.airoboros_longctx.core.capabilities import Capabilities
from extensions.airoboros_longctx.core.context_plan import MemoryPlan, PlanRequest, plan_as_json
from extensions.airoboros_longctx.core.explanation import explain
from extensions.airoboros_longctx.core.known_hosts import known_capabilities
from extensions.airoboros_longctx.core.model_facts import ModelFacts, WeightFile
from extensions.airoboros_longctx.core.planning.memory_plan import (
    bytes_of_value,
    gib,
    kv_cache_bytes,
    memory_reasons,
    memory_warnings,
    plan_memory,
    weights_bytes,
)
from extensions.airoboros_longctx.core.planning.planner import plan_context
from extensions.airoboros_longctx.core.reading.model_folder import read_model_facts

from .known_models import LXCTX, V1_7, WORKBENCH, warned

GIB = 1 << 30
DEMO_MODELS = sorted((Path(__file__).parents[3] / "demo" / "models").iterdir())
#: The 33B at 4 bits with a group size of 128, by its published size: 17.6 GB.
GPTQ_33B = ModelFacts(
    "",
    LXCTX,
    model=LXCTX,
    model_type="llama",
    hidden_size=6656,
    num_hidden_layers=60,
    num_attention_heads=52,
    max_position_embeddings=2048,
    weight_files=(WeightFile("gptq_model-4bit-128g.safetensors", 17_600_000_000),),
    weight_format="gptq",
)


def _memory(loader: str, tokens: int, gpus: tuple[int, ...] = (), cache_type: str = "fp16") -> MemoryPlan:
    memory = plan_memory(GPTQ_33B, replace(V1_7, gpu_bytes=gpus), loader, tokens, 16384, None, cache_type)
    assert memory is not None
    return memory


def test_the_published_figures_of_the_33b() -> None:
    assert kv_cache_bytes(GPTQ_33B, 1) == 1_597_440
    assert round(1_597_440 / (1 << 20), 2) == 1.52
    assert gib(kv_cache_bytes(GPTQ_33B, 8192) or 0) == "12.2 GiB"
    assert gib(kv_cache_bytes(GPTQ_33B, 16384) or 0) == "24.4 GiB"


def test_the_7b_and_grouped_heads() -> None:
    seven = replace(GPTQ_33B, hidden_size=4096, num_hidden_layers=32, num_attention_heads=32)
    assert kv_cache_bytes(seven, 1) == 512 * 1024
    assert kv_cache_bytes(replace(seven, num_key_value_heads=8), 1) == 128 * 1024
    assert kv_cache_bytes(replace(seven, head_dim=64), 1) == 256 * 1024
    assert kv_cache_bytes(replace(seven, num_hidden_layers=None), 1) is None


@pytest.mark.parametrize(
    ("cache_type", "bytes_"),
    [
        ("fp16", 2),
        ("FP16", 2),
        ("fp8", 1),
        ("q8", 1.0625),
        ("q6", 0.8125),
        ("q4", 0.5625),
        ("q8_0", 1.0625),
        ("q4_0", 0.5625),
        ("q8_q4", 0.8125),
        ("something new", 2),
    ],
)
def test_cache_types(cache_type: str, bytes_: float) -> None:
    assert bytes_of_value(cache_type) == bytes_
    assert kv_cache_bytes(GPTQ_33B, 1024, cache_type) == 798_720 * 1024 * bytes_


def test_ggmls_own_block_sizes() -> None:
    gguf = pytest.importorskip("gguf")
    for name, cache_type in (("Q8_0", "q8_0"), ("Q4_0", "q4_0"), ("F16", "fp16")):
        values, size = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[name]]
        assert bytes_of_value(cache_type) * values == size


@pytest.mark.parametrize("folder", DEMO_MODELS, ids=lambda folder: folder.name)
@pytest.mark.parametrize("tokens", [1, 100, 333])
def test_the_cache_of_a_shipped_model_to_the_byte(folder: Path, tokens: int) -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float16)
    with torch.no_grad():
        past = model(torch.ones((1, tokens), dtype=torch.long), use_cache=True).past_key_values
    allocated = sum(tensor.nbytes for layer in past.layers for tensor in (layer.keys, layer.values))
    facts = read_model_facts(folder)
    assert allocated == kv_cache_bytes(facts, tokens)
    # The file is the weights and a header of a few kilobytes.
    weights = sum(parameter.nbytes for parameter in model.parameters())
    assert weights <= weights_bytes(facts, "Transformers", None) <= weights + 16_384


def test_the_scores_of_eager_attention_to_the_byte() -> None:
    """A float32 model holds as much at its peak as half precision does on a GPU: eight bytes for each score."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    from torch.utils._python_dispatch import TorchDispatchMode

    tokens, folder = 300, DEMO_MODELS[0]
    facts = read_model_facts(folder)
    assert facts.num_attention_heads == 8
    scores = facts.num_attention_heads * tokens * tokens

    class PeakOfScores(TorchDispatchMode):
        def __init__(self) -> None:
            super().__init__()
            self.held: dict[int, tuple[Any, int]] = {}
            self.peak = 0

        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            made = func(*args, **(kwargs or {}))
            if isinstance(made, torch.Tensor) and made.numel() == scores:
                storage = made.untyped_storage()
                self.held[storage.data_ptr()] = (weakref.ref(storage), storage.nbytes())
            self.held = {key: value for key, value in self.held.items() if value[0]() is not None}
            self.peak = max(self.peak, sum(size for _, size in self.held.values()))
            return made

    model = transformers.AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    peak = PeakOfScores()
    with torch.no_grad(), peak:
        model(torch.ones((1, tokens), dtype=torch.long))
    eager = replace(WORKBENCH, attention_switch="turn it off")
    memory = plan_memory(facts, eager, "Transformers", tokens, 1024)
    assert memory is not None
    assert peak.peak == memory.attention_bytes == 8 * scores


def test_where_the_bytes_of_the_33b_go() -> None:
    memory = _memory("ExLlama", 8192)
    assert (memory.weights_bytes, memory.cache_bytes) == (17_600_000_000, 13_086_228_480)
    assert (memory.attention_bytes, memory.fits, memory.largest_tokens) == (0, None, None)
    assert memory_reasons(memory, "ExLlama")[0].because == (
        "weights 16.4 GiB, key-value cache 12.2 GiB (fp16, 1.52 MiB a token, reserved whole at the load), working space"
        " about 1.0 GiB (an estimate)"
    )
    assert "growing with the context" in memory_reasons(memory, "AutoGPTQ")[0].because
    assert list(memory_warnings(memory)) == [
        "At 8192 tokens the key-value cache takes 12.2 GiB (fp16), beside 16.4 GiB of weights."
    ]


def test_a_small_cache_is_said_in_kib_and_no_gpu_is_counted_where_none_is() -> None:
    facts = read_model_facts(DEMO_MODELS[0])
    memory = plan_memory(facts, replace(WORKBENCH, gpu=False), "Transformers", 1024, 1024)
    assert memory is not None
    assert memory.working_bytes == 10 * 256 * 2 * 1024
    assert memory_reasons(memory, "Transformers")[0].because == (
        "weights 7.0 MiB, key-value cache 4.0 MiB (fp16, 4.0 KiB a token, growing with the context), working space"
        " about 5.0 MiB (an estimate)"
    )


def test_the_largest_window_that_fits_is_said_and_not_applied() -> None:
    plan = plan_context(GPTQ_33B, replace(V1_7, gpu_bytes=(24 * GIB,)), PlanRequest(loader="ExLlama"))
    memory = plan.memory
    assert memory is not None
    assert (plan.truncation_length, memory.tokens, memory.fits, memory.largest_tokens) == (16384, 16384, False, 4352)
    assert (
        "16384 tokens need about 41.8 GiB, of which the weights are 16.4 GiB and the key-value cache 24.4 GiB (fp16),"
        " but the GPU has 24.0 GiB. 4352 tokens would fit; nothing was changed."
    ) in plan.warnings
    assert warned(plan, "key-value cache")
    again = _memory("ExLlama", 4352, (24 * GIB,))
    assert again.fits
    assert list(memory_warnings(again)) == []
    assert not _memory("ExLlama", 4352 + 256, (24 * GIB,)).fits


def test_several_gpus_count_together() -> None:
    memory = _memory("ExLlama", 16384, (24 * GIB, 24 * GIB))
    assert (memory.fits, memory.largest_tokens) == (True, 16384)
    assert memory_reasons(memory, "ExLlama")[0].because.endswith("; the 2 GPUs have 48.0 GiB together")


def test_a_smaller_cache_type_makes_room() -> None:
    sizes = {kind: _memory("ExLlamav2", 16384, (24 * GIB,), kind).largest_tokens for kind in ("fp16", "fp8", "q4")}
    assert sizes == {"fp16": 4352, "fp8": 8704, "q4": 14848}


def test_weights_that_do_not_fit_at_all() -> None:
    memory = _memory("ExLlama", 8192, (12 * GIB,))
    assert memory.largest_tokens is None
    assert next(memory_warnings(memory)).endswith(
        "but the GPU has 12.0 GiB. No context fits beside the weights: a smaller quantisation, or more GPUs, would be"
        " needed."
    )


def test_2023s_eager_attention_at_16384_tokens() -> None:
    memory = _memory("Transformers", 16384)
    assert memory.attention_bytes == 8 * 52 * 16384**2
    assert "attention scores 104.0 GiB" in memory_reasons(memory, "Transformers")[0].because
    assert {loader: _memory(loader, 16384).attention_bytes for loader in ("ExLlama", "AutoGPTQ", "llama.cpp")} == {
        "ExLlama": 0,
        "AutoGPTQ": 0,
        "llama.cpp": 0,
    }
    without = plan_memory(GPTQ_33B, replace(V1_7, attention_switch=""), "Transformers", 16384, 16384)
    assert without is not None
    assert without.attention_bytes == 0


@pytest.mark.parametrize("host", ["webui-v1.3.1", "webui-v1.5", "webui-v1.7"])
def test_the_releases_with_eager_attention(host: str) -> None:
    assert known_capabilities(host).attention_switch == "start the webui with --sdp-attention"
    assert known_capabilities("webui-snapshot-2023-12-31").attention_switch == ""


@pytest.mark.parametrize(
    ("files", "chosen", "loader", "dtype", "size"),
    [
        ({"a.safetensors": 5}, None, "Transformers", None, 5),
        ({"m-00001-of-00002.safetensors": 5, "m-00002-of-00002.safetensors": 6}, None, "Transformers", None, 11),
        ({"m.safetensors": 5, "pytorch_model.bin": 6}, None, "Transformers", None, 5),
        ({"m.safetensors": 10}, None, "Transformers", "float32", 5),
        ({"m.safetensors": 10}, None, "ExLlama", "float32", 10),
        ({"a.gguf": 5, "b.gguf": 6}, "b.gguf", "llama.cpp", None, 6),
        (
            {"a-00001-of-00002.gguf": 5, "a-00002-of-00002.gguf": 6, "b.gguf": 7},
            "a-00001-of-00002.gguf",
            "llama.cpp",
            None,
            11,
        ),
        ({}, None, "Transformers", None, 0),
    ],
)
def test_the_files_that_count(
    files: dict[str, int], chosen: str | None, loader: str, dtype: str | None, size: int
) -> None:
    weights = tuple(WeightFile(name, bytes_) for name, bytes_ in files.items())
    facts = replace(GPTQ_33B, weight_files=weights, torch_dtype=dtype)
    assert weights_bytes(facts, loader, chosen) == size


def test_the_plan_shows_its_memory() -> None:
    plan = plan_context(
        GPTQ_33B, replace(V1_7, gpu_bytes=(48 * GIB,)), PlanRequest(context_tokens=8192, loader="ExLlama")
    )
    memory = plan_as_json(plan)["memory"]
    assert (memory["tokens"], memory["cache_bytes"], memory["gpu_bytes"]) == (8192, 13_086_228_480, (48 * GIB,))
    assert (memory["fits"], memory["largest_tokens"]) == (True, 16384)
    assert memory["total_bytes"] == memory["weights_bytes"] + memory["cache_bytes"] + memory["working_bytes"]
    assert "memory             29.6 GiB at 8192 tokens" in explain(plan)
    unknown = plan_context(replace(GPTQ_33B, hidden_size=None), V1_7)
    assert (unknown.memory, plan_as_json(unknown)["memory"], unknown.reason_for("memory")) == (None, None, None)


SIZES = st.none() | st.integers(1, 2**31 - 1)


@settings(deadline=None)
@given(
    shape=st.fixed_dictionaries(
        dict.fromkeys(["hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads"], SIZES)
    ),
    gpus=st.lists(st.integers(0, 200 * GIB), max_size=3),
    tokens=st.integers(1, 2**31 - 1),
    loader=st.sampled_from(["ExLlama", "ExLlamav2", "Transformers", "llama.cpp", "nonsense"]),
    cache_type=st.sampled_from(["fp16", "q4", "q8_0", ""]) | st.text(max_size=5),
    eager=st.sampled_from(["", "turn it off"]),
)
def test_any_shape_has_a_memory_plan_that_keeps_its_word(
    shape: dict[str, int | None], gpus: list[int], tokens: int, loader: str, cache_type: str, eager: str
) -> None:
    capabilities = Capabilities("any", gpu_bytes=tuple(gpus), attention_switch=eager)
    facts = ModelFacts("", "any", **shape)  # type: ignore[arg-type]
    memory = plan_memory(facts, capabilities, loader, tokens, tokens, None, cache_type)
    if memory is None:
        return
    largest = memory.largest_tokens
    assert memory.fits is (largest == tokens if gpus else None)
    for beyond in _next_windows(largest or 0, tokens) if gpus else ():
        more = plan_memory(facts, capabilities, loader, beyond, tokens, None, cache_type)
        assert more is not None
        assert not more.fits
    if gpus:
        assert bool(list(memory_warnings(memory))) is not memory.fits
    assert memory_reasons(memory, loader)


def _next_windows(largest: int, tokens: int) -> Iterator[int]:
    if largest < tokens:
        yield min(tokens, largest + 256)
