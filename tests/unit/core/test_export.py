"""``plan MODEL --export ENGINE``: the engines' own option names, exact values, nothing else on standard output."""

from __future__ import annotations

import argparse
import importlib
import json
import math
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from extensions.airoboros_longctx.command_line import main
from extensions.airoboros_longctx.core.capabilities import Capabilities
from extensions.airoboros_longctx.core.context_plan import ContextPlan, Reason
from extensions.airoboros_longctx.core.exporting.engine_load import ExportError
from extensions.airoboros_longctx.core.exporting.exporter import ENGINES, export_plan
from extensions.airoboros_longctx.core.mechanisms import NONE, PATCH, REMOTE_CODE
from extensions.airoboros_longctx.core.model_facts import ModelFacts
from extensions.airoboros_longctx.core.planning.planner import plan_context
from extensions.airoboros_longctx.core.prompts.instruction_templates import instruction_template
from extensions.airoboros_longctx.core.prompts.template_formats import as_jinja
from extensions.airoboros_longctx.core.reading.model_folder import read_model_facts

from .conftest import ModelFolder
from .known_models import FIRST, LINEAR_4, LXCTX, PI_8192, SEEDS

OPTIONS = yaml.safe_load(Path(__file__).with_name("engine_options.yaml").read_text(encoding="utf-8"))
EVERYTHING = Capabilities("any engine", {"Transformers": PATCH, "AutoGPTQ": PATCH, "llama.cpp": PATCH})
NTK_16384 = "airoboros-33b-gpt4-1.4.1-NTK-16384-fp16"
HOSTILE_NAMES = [
    "two words",
    'it\'s "quoted" $HOME `id` $(id)',
    "a;b & c | d > e #f *?[x] {1,2} ~ !! \\ %s",
    "ünïcødé 模型",
]


def planned(folder: Path, **changes: Any) -> tuple[ContextPlan, ModelFacts]:
    facts = read_model_facts(folder)
    return replace(plan_context(facts, EVERYTHING), **changes), facts


def ntk(folder: Path, alpha: float = 8.0) -> tuple[ContextPlan, ModelFacts]:
    """A plan with NTK scaling from 2048 to 16384 tokens, and no template."""
    window = {"max_position_embeddings": 16384, "truncation_length": 16384}
    changes = {"rope_type": "ntk", "factor": alpha, "mechanism": PATCH, "instruction_template": None, "stop": ()}
    return planned(folder, **changes, **window)


def exported(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    status = main(["plan", *map(str, arguments)])
    return status, *capsys.readouterr()


def without_template(words: tuple[str, ...] | list[str]) -> list[str]:
    """The words up to the chat template, which comes last."""
    words = list(words)
    end = words.index("--chat-template") if "--chat-template" in words else len(words)
    return words[:end]


# The three kinds of plan, value by value


def test_pi_8192(model_folder: ModelFolder, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(model_folder(PI_8192, **SEEDS[PI_8192]))
    fragment = {
        "max_position_embeddings": 2048,
        "rope_theta": 10000.0,
        "rope_scaling": {"type": "linear", "factor": 4.0},
        "rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 10000.0},
    }
    expected = {
        "vllm": [
            folder,
            "--max-model-len",
            "8192",
            "--hf-overrides",
            json.dumps(fragment),
        ],
        "llama.cpp": [
            *["--ctx-size", "8192", "--rope-scaling", "linear", "--rope-scale", "4.0"],
            *["--override-kv", "llama.context_length=int:8192"],
            *["--reverse-prompt", "USER:", "--reverse-prompt", "ASSISTANT:", "--jinja"],
        ],
        "koboldcpp": ["--ropeconfig", "0.25", "10000.0", "--contextsize", "8192"],
        "exllamav2": ["--model_dir", folder, "--length", "8192", "--rope_scale", "4.0"],
        "tgi": [
            *["--model-id", folder, "--max-input-tokens", "8191", "--max-total-tokens", "8192"],
            *["--rope-scaling", "linear", "--rope-factor", "4.0"],
        ],
    }
    for engine, words in expected.items():
        status, printed, _ = exported(capsys, folder, "--export", engine)
        assert (status, without_template(shlex.split(printed))) == (0, words)
        assert printed.count("\n") == 1
    status, printed, notes = exported(capsys, folder, "--export", "transformers")
    assert (status, json.loads(printed)) == (0, fragment)
    assert notes == "".join(f"note: {warning}\n" for warning in planned(Path(folder))[0].warnings)


def test_lxctx_cut_to_a_context(model_folder: ModelFolder, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(model_folder(LXCTX, **SEEDS[LXCTX]))
    for engine, option in {"vllm": "--max-model-len", "llama.cpp": "--ctx-size", "exllamav2": "--length"}.items():
        _, printed, _ = exported(capsys, folder, "--export", engine, "--context", 12288)
        words = shlex.split(printed)
        assert words[words.index(option) + 1] == "12288"
    _, printed, notes = exported(capsys, folder, "--export", "transformers", "--context", 12288)
    assert json.loads(printed)["rope_scaling"] == {"type": "linear", "factor": 8.0}
    assert "note: config.json cannot say it: keep a prompt and its reply within 12288 tokens.\n" in notes


def test_ntk_16384(model_folder: ModelFolder) -> None:
    plan, facts = ntk(model_folder(NTK_16384))
    base = 10000.0 * math.exp(math.log(8) * 128 / 126)  # head_dim is 6656 / 52 = 128
    words = export_plan(plan, facts, "vllm").words
    overrides = json.loads(words[-1])
    assert words[:-1] == (facts.path, "--max-model-len", "16384", "--hf-overrides")
    assert overrides["rope_theta"] == pytest.approx(base, rel=1e-12)
    raised = repr(overrides["rope_theta"])
    assert raised.startswith("82684.6")
    assert export_plan(plan, facts, "llama.cpp").words == (
        *["--ctx-size", "16384", "--rope-scaling", "none", "--rope-freq-base", raised],
        *["--override-kv", "llama.context_length=int:16384"],
    )
    assert export_plan(plan, facts, "koboldcpp").words == ("--ropeconfig", "1.0", raised, "--contextsize", "16384")
    assert export_plan(plan, facts, "exllamav2").words == (
        *["--model_dir", facts.path, "--length", "16384"],
        *["--rope_scale", "1.0", "--rope_alpha", "8.0"],
    )
    export = export_plan(plan, facts, "transformers")
    assert export.fragment == overrides
    assert overrides == {
        "max_position_embeddings": 16384,
        "rope_theta": float(raised),
        "rope_scaling": None,
        "rope_parameters": {"rope_type": "default", "rope_theta": float(raised)},
    }
    assert export.notes == ("Transformers before 4.33 does not read rope_theta and would run the model unscaled.",)


def test_an_unscaled_model_is_told_its_window_only(
    model_folder: ModelFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(model_folder(FIRST))
    _, printed, _ = exported(capsys, folder, "--export", "vllm")
    assert without_template(shlex.split(printed)) == [folder, "--max-model-len", "2048"]
    _, printed, _ = exported(capsys, folder, "--export", "koboldcpp")
    assert printed == "--contextsize 2048\n"
    assert exported(capsys, folder, "--export", "transformers")[1] == "{}\n"


def test_a_stretched_number_in_config_json_is_overridden_with_the_base(model_folder: ModelFolder) -> None:
    plan, facts = planned(model_folder(PI_8192, {"max_position_embeddings": 8192}, **SEEDS[PI_8192]))
    overrides = json.loads(export_plan(plan, facts, "vllm").words[4])
    assert overrides["max_position_embeddings"] == 2048  # vLLM multiplies it by the factor
    fragment = export_plan(plan, facts, "transformers").fragment
    assert fragment is not None
    assert fragment["max_position_embeddings"] == 2048


def test_a_plan_that_overrules_config_json_says_so_aloud(model_folder: ModelFolder) -> None:
    plan, facts = planned(model_folder("model", LINEAR_4), rope_type="default", factor=1.0)
    assert "--rope-scale 1.0" in export_plan(plan, facts, "llama.cpp").text
    fragment = export_plan(plan, facts, "transformers").fragment
    assert fragment is not None
    assert fragment["rope_scaling"] is None
    assert fragment["rope_parameters"] == {"rope_type": "default", "rope_theta": 10000.0}


def test_a_method_that_config_json_states_is_left_to_the_engine(model_folder: ModelFolder) -> None:
    yarn = {"rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 2048}}
    plan, facts = planned(model_folder("model", {**yarn, "max_position_embeddings": 8192}))
    export = export_plan(plan, facts, "vllm")
    assert without_template(export.words) == [facts.path, "--max-model-len", str(plan.truncation_length)]
    assert export.notes[0] == (
        "The model's files state yarn scaling: vllm reads it there, and no option is given for it."
    )
    assert "--ropeconfig" not in export_plan(plan, facts, "koboldcpp").words


def test_gguf(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "airoboros 33b PI-8192"
    folder.mkdir()
    file = folder / "airoboros-33b-gpt4-1.4.1-PI-8192.Q4_K_M.gguf"
    file.write_bytes(b"GGUF")
    for model in (file, folder):
        for engine in ("llama.cpp", "koboldcpp"):
            status, printed, notes = exported(capsys, model, "--export", engine)
            assert (status, shlex.split(printed)[:2]) == (0, ["--model", str(file)])
            assert "convert it" not in notes
    status, printed, said = exported(capsys, file, "--export", "vllm")
    assert (status, printed) == (2, "")
    assert said == (
        "python -m extensions.airoboros_longctx: airoboros-33b-gpt4-1.4.1-PI-8192.Q4_K_M is a GGUF file,"
        " and vllm needs the model's folder in Transformers' format.\n"
    )


# Several GPUs and machines


def test_vllm_on_several_machines(model_folder: ModelFolder, capsys: pytest.CaptureFixture[str]) -> None:
    folder = model_folder(PI_8192, **SEEDS[PI_8192])
    _, printed, notes = exported(capsys, folder, "--export", "vllm", "--gpus", 4, "--nodes", 2)
    assert without_template(shlex.split(printed))[5:] == [
        *["--tensor-parallel-size", "4", "--pipeline-parallel-size", "2", "--distributed-executor-backend", "ray"]
    ]
    assert "note: Start Ray on all 2 machines first, with the same model path on each of them.\n" in notes
    _, printed, _ = exported(capsys, folder, "--export", "vllm", "--gpus", 2)
    assert without_template(shlex.split(printed))[5:] == ["--tensor-parallel-size", "2"]
    _, printed, _ = exported(capsys, folder, "--export", "tgi", "--gpus", 2)
    assert printed.endswith(" --num-shard 2\n")


def test_tgi_says_which_releases_ignore_its_options(
    model_folder: ModelFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    _, _, notes = exported(capsys, model_folder(PI_8192, **SEEDS[PI_8192]), "--export", "tgi")
    assert (
        "note: text-generation-inference applies linear scaling in releases up to 2.0.2; 2.0.3 to 3.3.7 take the same"
        " options and run the model unscaled. Use 2.0.2 or another engine.\n"
    ) in notes


@pytest.mark.parametrize(
    ("engine", "counts", "sentence"),
    [
        (
            "vllm",
            ["--gpus", "8"],
            "The model's 52 attention heads cannot be split over 8 GPUs; use 1, 2, 4, 13, 26, 52.",
        ),
        ("vllm", ["--nodes", "61"], "The model's 60 layers cannot be split over 61 machines."),
        ("tgi", ["--nodes", "2"], "tgi runs on one machine; export for vllm to use 2."),
        (
            "llama.cpp",
            ["--gpus", "2"],
            "llama.cpp has no option for a number of GPUs; leave out --gpus, or export for vllm or tgi.",
        ),
    ],
)
def test_machines_that_do_not_fit(
    engine: str, counts: list[str], sentence: str, model_folder: ModelFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    status, printed, said = exported(capsys, model_folder(FIRST), "--export", engine, *counts)
    assert (status, printed, said) == (2, "", f"python -m extensions.airoboros_longctx: {sentence}\n")


@pytest.mark.parametrize("count", ["0", "-1", "1.5", "many", "²", ""])
def test_a_count_is_a_whole_number(count: str, model_folder: ModelFolder, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as usage:
        main(["plan", str(model_folder(FIRST)), "--export", "vllm", f"--gpus={count}"])
    assert usage.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert f"{count!r} is no count; a whole number such as 2 is needed" in printed.err


# What an engine cannot do


@pytest.mark.parametrize("engine", ENGINES)
def test_partial_ntk_is_refused_everywhere(engine: str, model_folder: ModelFolder) -> None:
    plan, facts = planned(model_folder("airophin-13b-pntk-16k-fp16"), rope_type="ntk_by_parts", factor=4.0)
    with pytest.raises(ExportError) as refused:
        export_plan(plan, facts, engine)
    assert str(refused.value) == (
        "The model needs partial NTK scaling, and no engine has an option that computes it as the model was trained."
    )


def test_a_refusal_is_one_sentence_and_exit_2(model_folder: ModelFolder, capsys: pytest.CaptureFixture[str]) -> None:
    status, printed, said = exported(capsys, model_folder("airophin-13b-pntk-16k-fp16"), "--export", "vllm")
    assert (status, printed) == (2, "")
    assert said == (
        "python -m extensions.airoboros_longctx: The model needs partial NTK scaling, and no engine has an option that"
        " computes it as the model was trained.\n"
    )


def test_tgi_cannot_run_ntk(model_folder: ModelFolder) -> None:
    with pytest.raises(ExportError, match=r"^text-generation-inference has no option for another base frequency, "):
        export_plan(*ntk(model_folder(NTK_16384)), "tgi")


def test_ntk_without_a_head_dim_is_refused(model_folder: ModelFolder) -> None:
    plan, facts = ntk(model_folder(NTK_16384, {"num_attention_heads": None}))
    with pytest.raises(ExportError, match=r"^NTK's base frequency needs the model's head_dim, "):
        export_plan(plan, facts, "llama.cpp")


def test_ntk_that_a_plan_does_not_apply_is_refused(model_folder: ModelFolder) -> None:
    plan, facts = ntk(model_folder(NTK_16384))
    because = (Reason("mechanism", "nothing here applies it", "a test"),)
    with pytest.raises(ExportError) as refused:
        export_plan(replace(plan, mechanism=NONE, reasons=because), facts, "vllm")
    assert str(refused.value) == "The model needs NTK scaling, and its plan has none: nothing here applies it."


@pytest.mark.parametrize("factor", [math.nan, math.inf, 0.5, -4.0])
def test_a_factor_that_is_none_is_refused(factor: float, model_folder: ModelFolder) -> None:
    plan, facts = planned(model_folder(PI_8192, **SEEDS[PI_8192]), factor=factor)
    with pytest.raises(ExportError, match=r"a finite number of 1 or more is needed\.$"):
        export_plan(plan, facts, "vllm")


def test_an_alpha_beyond_every_number_is_refused(model_folder: ModelFolder) -> None:
    with pytest.raises(ExportError, match="beyond every number"):
        export_plan(*ntk(model_folder(NTK_16384), alpha=1e308), "vllm")


def test_a_model_that_is_no_llama_or_runs_its_own_code_is_refused(model_folder: ModelFolder) -> None:
    plan, facts = planned(model_folder(PI_8192, **SEEDS[PI_8192]))
    with pytest.raises(ExportError, match=r"^This is a falcon model, no Llama: its scaling is not exported\.$"):
        export_plan(plan, replace(facts, model_type="falcon"), "vllm")
    with pytest.raises(ExportError, match=r"^The model's own code scales it "):
        export_plan(replace(plan, mechanism=REMOTE_CODE), facts, "transformers")


def test_windows_that_an_engine_does_not_take(model_folder: ModelFolder, capsys: pytest.CaptureFixture[str]) -> None:
    folder = model_folder(FIRST)
    status, printed, said = exported(capsys, folder, "--export", "koboldcpp", "--context", 100)
    assert (status, printed) == (2, "")
    assert said.endswith("koboldcpp takes a --contextsize from 256 to 262144; 100 was planned.\n")
    status, printed, said = exported(capsys, folder, "--export", "tgi", "--context", 1)
    assert (status, printed) == (2, "")


# Names


@pytest.mark.skipif(not (shutil.which("sh") and shutil.which("xargs")), reason="there is no POSIX shell")
@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_shell_and_xargs_read_back_what_was_meant(
    name: str, model_folder: ModelFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    plan, facts = planned(model_folder(name, LINEAR_4))
    for engine in ("vllm", "exllamav2", "tgi"):
        export = export_plan(plan, facts, engine)
        assert facts.path in export.words
        script = f"for word in {export.text}; do printf '%s\\0' \"$word\"; done"
        for command, given in ((["sh", "-c", script], ""), (["xargs", "printf", "%s\\0"], export.text)):
            read = subprocess.run(command, input=given.encode(), capture_output=True, check=True).stdout.decode()
            assert tuple(read.split("\0")[:-1]) == export.words


def test_a_name_is_never_an_option_or_a_control_character(model_folder: ModelFolder, tmp_path: Path) -> None:
    plan, facts = planned(model_folder(PI_8192, **SEEDS[PI_8192]))
    assert export_plan(plan, replace(facts, path="--trust-remote-code"), "vllm").words[0] == "./--trust-remote-code"
    for hostile in ("a\nb", "a\x1b[2Jb", "a\udcffb"):
        with pytest.raises(ExportError, match="holds characters that cannot be printed; rename it, then export"):
            export_plan(plan, replace(facts, path=str(tmp_path / hostile)), "vllm")


# The engines' own names


def every_export(model_folder: ModelFolder, engine: str) -> Iterator[Any]:
    linear = planned(model_folder(f"{PI_8192}-{engine}", **SEEDS[PI_8192]))
    raised = ntk(model_folder(f"{NTK_16384}-{engine}"))
    file = replace(linear[1], weight_format="gguf")
    plans = {"llama.cpp": (linear[0], file), "koboldcpp": (linear[0], file)}
    several = {"vllm": (4, 2), "tgi": (2, 1)}
    for plan in (plans.get(engine, linear), raised):
        try:
            yield export_plan(*plan, engine, *several.get(engine, (1, 1)))
        except ExportError:
            assert engine == "tgi"


@pytest.mark.parametrize("engine", ENGINES)
def test_every_exported_name_is_the_engines_own(engine: str, model_folder: ModelFolder) -> None:
    used: set[str] = set()
    for export in every_export(model_folder, engine):
        used |= set(export.fragment or ()) | {word for word in export.words if word.startswith("--")}
    assert used == set(OPTIONS[engine]["options"])
    assert not used & set(OPTIONS[engine].get("removed", ()))


#: Where an engine that is installed keeps the function that adds its options to a parser.
PARSERS = {
    "vllm": ("vllm.engine.arg_utils", "EngineArgs.add_cli_args"),
    "exllamav2": ("exllamav2.model_init", "add_args"),
}


@pytest.mark.parametrize("engine", PARSERS)
def test_an_installed_engine_parses_its_export(engine: str, model_folder: ModelFolder) -> None:
    module, function = PARSERS[engine]
    pytest.importorskip(engine)
    add_arguments: Any = importlib.import_module(module)
    for name in function.split("."):
        add_arguments = getattr(add_arguments, name)
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    for export in every_export(model_folder, engine):
        words = without_template(export.words)
        assert parser.parse_args(words[1:] if engine == "vllm" else words)


@pytest.mark.parametrize("begins_with_bos", [True, False])
def test_the_template_on_one_line_prints_the_same(begins_with_bos: bool, model_folder: ModelFolder) -> None:
    sandbox = pytest.importorskip("jinja2.sandbox")
    plan, facts = planned(model_folder(PI_8192, **SEEDS[PI_8192]))
    line = export_plan(plan, facts, "vllm" if begins_with_bos else "llama.cpp").words[-1]
    whole = as_jinja(instruction_template("Airoboros-1.4"), begins_with_bos)
    assert "\n" not in line
    turns = [("user", " a\n b "), ("assistant", "c"), ("user", "d")]
    messages = [{"role": role, "content": text} for role, text in turns]
    environment = sandbox.ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    values = {"messages": messages, "add_generation_prompt": True, "bos_token": "<s>"}
    rendered = environment.from_string(line).render(values)
    assert rendered == environment.from_string(whole).render(values)
    assert rendered.startswith("<s>A chat") is begins_with_bos
    assert rendered.endswith("USER: d ASSISTANT: ")


# What Transformers computes with the fragment


@pytest.fixture
def tiny_llama(tmp_path: Path) -> Path:
    """A random Llama of 64 tokens whose config says nothing about scaling, in a spelling that every release reads."""
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    torch.manual_seed(7)
    sizes = {"vocab_size": 97, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2}
    config = transformers.LlamaConfig(**sizes, num_attention_heads=4, max_position_embeddings=64, initializer_range=0.2)
    folder = tmp_path / "tiny"
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    stated = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    for key in ("rope_parameters", "rope_scaling", "rope_theta"):
        stated.pop(key, None)
    (folder / "config.json").write_text(json.dumps(stated), encoding="utf-8")
    return folder


def logits(folder: Path, fragment: dict[str, Any] | None = None, live: Any = None) -> Any:
    """The logits of 300 tokens, with ``fragment`` merged into config.json, or with ``live`` applied to the model."""
    import torch
    import transformers

    file = folder / "config.json"
    stated = file.read_text(encoding="utf-8")
    file.write_text(json.dumps({**json.loads(stated), **(fragment or {})}), encoding="utf-8")
    try:
        model = transformers.AutoModelForCausalLM.from_pretrained(folder).eval()
    finally:
        file.write_text(stated, encoding="utf-8")
    if live is not None:
        live(model)
    with torch.no_grad():
        return model(torch.arange(300)[None] % 97).logits


@pytest.mark.parametrize("factor", [4.0, 3.0])
def test_transformers_computes_the_same_with_the_linear_fragment_as_with_our_patches(
    factor: float, tiny_llama: Path
) -> None:
    import torch

    from extensions.airoboros_longctx.core.rope_scaling import RopeScaling
    from extensions.airoboros_longctx.rope.class_patch import replace_llama_rope_with_scaled_rope
    from extensions.airoboros_longctx.rope.live_patch import apply_rope_scaling

    plan, facts = planned(tiny_llama, rope_type="linear", factor=factor, original_max_position_embeddings=64)
    native = logits(tiny_llama, export_plan(plan, facts, "transformers").fragment)
    assert not torch.equal(native, logits(tiny_llama))
    patch = replace_llama_rope_with_scaled_rope(factor, round(64 * factor))
    try:
        patched = logits(tiny_llama)
    finally:
        patch.revert()
    assert torch.equal(patched, native)
    scaling = RopeScaling("linear", factor, 64)
    assert torch.equal(logits(tiny_llama, live=lambda model: apply_rope_scaling(model, scaling)), native)


def test_transformers_computes_ntk_with_the_fragment(tiny_llama: Path) -> None:
    transformers, torch = pytest.importorskip("transformers"), pytest.importorskip("torch")
    if tuple(map(int, transformers.__version__.split(".")[:2])) < (4, 33):
        pytest.skip("Transformers before 4.33 does not read rope_theta")
    plan, facts = ntk(tiny_llama, alpha=4.0)
    fragment = export_plan(plan, facts, "transformers").fragment
    assert fragment is not None
    raised = 10000.0 * 4.0 ** (16 / 14)
    assert fragment["rope_theta"] == pytest.approx(raised, rel=1e-12)
    native = logits(tiny_llama, fragment)
    assert not torch.equal(native, logits(tiny_llama))

    def with_raised_base(model: Any) -> None:
        """The formula itself in place of what the configuration computed (head_dim is 64 / 4 = 16)."""
        exponents = torch.arange(0, 16, 2, dtype=torch.float64) / 16
        for module in model.modules():
            if hasattr(module, "inv_freq"):
                module.inv_freq.copy_((raised**-exponents).float())
                if hasattr(module, "_set_cos_sin_cache"):
                    module._set_cos_sin_cache(64, module.inv_freq.device, torch.get_default_dtype())

    assert torch.allclose(logits(tiny_llama, live=with_raised_base), native, rtol=0, atol=1e-4)


def test_only_the_plan_or_its_export_is_printed(model_folder: ModelFolder) -> None:
    with pytest.raises(SystemExit) as usage:
        main(["plan", str(model_folder(FIRST)), "--json", "--export", "vllm"])
    assert usage.value.code == 2
