"""TheBloke's SuperHOT folders as they are published: an extended window in config.json and code that must not run."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from extensions.airoboros_longctx.core.capabilities import Capabilities
from extensions.airoboros_longctx.core.context_plan import ContextPlan, PlanRequest
from extensions.airoboros_longctx.core.known_hosts import known_capabilities
from extensions.airoboros_longctx.core.planning.planner import plan_context
from extensions.airoboros_longctx.core.reading.model_folder import read_model_facts

from .known_models import V1_7, V4_7_3, WORKBENCH, because_of, warned

V1_5 = known_capabilities("webui-v1.5")
NO_GPU = known_capabilities("webui-v1.7", gpu=False)
CODE_FILES = ("modelling_llama.py", "llama_rope_scaled_monkey_patch.py")
CONFIG = {
    "_name_or_path": "/workspace/superhot_process/nous-hermes-13b/merged",
    "architectures": ["LlamaForCausalLM"],
    "auto_map": {
        "AutoModel": "modelling_llama.LlamaModel",
        "AutoModelForCausalLM": "modelling_llama.LlamaForCausalLM",
        "AutoModelForSequenceClassification": "modelling_llama.LlamaForSequenceClassification",
    },
    "hidden_size": 5120,
    "intermediate_size": 13824,
    "max_position_embeddings": 8192,
    "model_type": "llama",
    "num_attention_heads": 40,
    "num_hidden_layers": 40,
    "torch_dtype": "float16",
    "transformers_version": "4.30.0.dev0",
    "vocab_size": 32001,
}
QUANTIZE_CONFIG = {"bits": 4, "group_size": 128, "damp_percent": 0.01, "desc_act": False, "sym": True}
CARD = """# Nous-Hermes-13B merged with SuperHOT 8K

- In the webui: choose ExLlama, set `max_seq_len` to 8192 or 4096, and `compress_pos_emb` to 4 for 8192 tokens,
  or to 2 for 4096 tokens.
- From Python: `trust_remote_code=True`, and config.json has a sequence length of 8192.
"""


def _folder(parent: Path, kind: str, files: list[str], config: bool = True) -> Path:
    folder = parent / f"TheBloke_Nous-Hermes-13B-SuperHOT-8K-{kind}"
    folder.mkdir()
    for name in CODE_FILES:
        witness = folder / f"{name}.ran"
        (folder / name).write_text(f"open({str(witness)!r}, 'w').close()\nraise SystemExit('ran')", encoding="utf-8")
    if config:
        (folder / "config.json").write_text(json.dumps(CONFIG), encoding="utf-8")
    (folder / "README.md").write_text(CARD, encoding="utf-8")
    for file in files:
        (folder / file).write_bytes(b"\0")
    return folder


def _fp16(parent: Path) -> Path:
    return _folder(parent, "fp16", [f"pytorch_model-0000{part}-of-00003.bin" for part in (1, 2, 3)])


def _gptq(parent: Path) -> Path:
    folder = _folder(parent, "GPTQ", ["nous-hermes-13b-superhot-8k-GPTQ-4bit-128g.no-act.order.safetensors"])
    (folder / "quantize_config.json").write_text(json.dumps(QUANTIZE_CONFIG), encoding="utf-8")
    return folder


def _ggml(parent: Path) -> Path:
    quantisations = ("q2_K", "q4_K_M", "q5_1", "q8_0")
    return _folder(parent, "GGML", [f"nous-hermes-13b-superhot-8k.ggmlv3.{q}.bin" for q in quantisations], config=False)


def _plan(folder: Path, capabilities: Capabilities, trusted: bool) -> ContextPlan:
    """Linear ×4 from 2048 to 8192, whatever else; and the code in the folder was neither run nor imported."""
    plan = plan_context(read_model_facts(folder), capabilities, PlanRequest(trust_remote_code=trusted))
    assert (plan.rope_type, plan.factor) == ("linear", 4)
    assert (plan.original_max_position_embeddings, plan.max_position_embeddings) == (2048, 8192)
    assert plan.truncation_length == 8192
    assert not list(folder.glob("*.ran"))
    assert not {"modelling_llama", "llama_rope_scaled_monkey_patch"} & set(sys.modules)
    return plan


@pytest.mark.parametrize(
    ("capabilities", "trusted", "mechanism"),
    [(V1_5, False, "patch"), (V1_5, True, "remote_code"), (V4_7_3, False, "patch"), (WORKBENCH, True, "remote_code")],
)
def test_fp16(tmp_path: Path, capabilities: Capabilities, trusted: bool, mechanism: str) -> None:
    plan = _plan(_fp16(tmp_path), capabilities, trusted)
    assert (plan.loader, plan.mechanism, plan.weight_file) == ("Transformers", mechanism, None)
    said = "Left alone: the model's own code scales it, and trust_remote_code lets it run."
    if not trusted:
        said = (
            "The model brings its own scaling code (auto_map in config.json). It does not run without"
            " trust_remote_code, so the model is scaled by this extension."
        )
    assert said in plan.warnings


@pytest.mark.parametrize(
    ("capabilities", "trusted", "loader", "mechanism"),
    [
        (V1_5, False, "ExLlama", "loader_setting"),
        (V1_7, True, "ExLlama", "loader_setting"),
        (NO_GPU, False, "AutoGPTQ", "patch"),
        (NO_GPU, True, "AutoGPTQ", "remote_code"),
        (V4_7_3, False, "Transformers", "patch"),
    ],
)
def test_gptq(tmp_path: Path, capabilities: Capabilities, trusted: bool, loader: str, mechanism: str) -> None:
    folder = _gptq(tmp_path)
    plan = _plan(folder, capabilities, trusted)
    assert (plan.loader, plan.mechanism) == (loader, mechanism)
    quantization = read_model_facts(folder).quantization
    assert quantization is not None
    assert (quantization.bits, quantization.group_size, quantization.desc_act) == (4, 128, False)


def test_gptq_by_its_names_alone(tmp_path: Path) -> None:
    folder = _gptq(tmp_path)
    (folder / "quantize_config.json").unlink()
    quantization = read_model_facts(folder).quantization
    assert quantization is not None
    assert (quantization.bits, quantization.group_size, quantization.desc_act) == (4, 128, False)
    assert _plan(folder, V1_7, False).loader == "ExLlama"


@pytest.mark.parametrize("trusted", [False, True])
def test_ggml(tmp_path: Path, trusted: bool) -> None:
    folder = _ggml(tmp_path)
    plan = _plan(folder, V1_7, trusted)
    assert (plan.loader, plan.mechanism) == ("llama.cpp", "loader_setting")
    assert plan.weight_file == "nous-hermes-13b-superhot-8k.ggmlv3.q2_K.bin"
    assert warned(plan, "4 whole models")
    assert read_model_facts(folder).problems == ()


def test_one_ggml_file(tmp_path: Path) -> None:
    plan = _plan(_ggml(tmp_path) / "nous-hermes-13b-superhot-8k.ggmlv3.q4_K_M.bin", V1_7, False)
    assert (plan.loader, plan.mechanism) == ("llama.cpp", "loader_setting")


def test_the_stretched_window_is_no_base_window_without_a_card_too(tmp_path: Path) -> None:
    folder = _fp16(tmp_path)
    (folder / "README.md").unlink()
    plan = _plan(folder, V1_5, False)
    assert because_of(plan, "original_max_position_embeddings") == "window 8192 / factor 4 = 2048"


def test_a_folder_set_back_to_4096_says_so(tmp_path: Path) -> None:
    """The card invites to write 4096 into config.json, for half the window at the same factor."""
    folder = _fp16(tmp_path)
    (folder / "config.json").write_text(json.dumps({**CONFIG, "max_position_embeddings": 4096}), encoding="utf-8")
    plan = _plan(folder, V1_5, False)
    assert warned(plan, "config.json max_position_embeddings is 4096, which is neither the base window (2048)")
