"""v1.7's own GPTQ loaders without a GPU: AutoGPTQ with every score, ExLlama and ExLlama_HF up to the forward pass.

What needs CUDA is stood in for in these processes alone (``cpu_stand_ins``); the webui and the extension are as ever.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.host.conftest import BASE, DEMO, FACTOR, WINDOW
from tests.host.running_host import RunningHost
from tests.real_hosts import RealHost

pytestmark = [pytest.mark.host, pytest.mark.slow]
HERE = Path(__file__).parent
STAND_INS, PROBE_COMMANDS = HERE / "cpu_stand_ins", HERE / "loader_probe.py"
FIND_PACKAGES = "import importlib.util, sys; sys.exit(not all(map(importlib.util.find_spec, ('auto_gptq', 'exllama'))))"
LONG = "The color of the harbor is teal. The code of Alda is 4417. " * 24


def card(window: int, factor: int) -> str:
    return f"You'll need to set max_seq_len to {window} and compress_pos_emb to {factor}.\n"


def confirmed(loader: str) -> str:
    return f"linear ×{FACTOR} · {WINDOW} tokens · {loader} · confirmed on the live model"


@pytest.fixture(scope="module")
def gptq_host(host: RealHost) -> RealHost:
    if "def AutoGPTQ_loader" not in (host.webui / "modules" / "models.py").read_text():
        pytest.skip(f"{host.name} has no AutoGPTQ loader")
    if subprocess.run([str(host.python), "-c", FIND_PACKAGES], check=False, timeout=120).returncode:
        pytest.skip(f"{host.name} has not both auto_gptq and exllama")
    return host


@dataclass(frozen=True)
class GptqModels:
    """The same weights four times: a card with a factor, no card, and two larger windows that are never loaded."""

    scaled: Path
    plain: Path
    up_to_8192: Path
    above_8192: Path

    def all(self) -> tuple[Path, ...]:
        return (self.scaled, self.plain, self.up_to_8192, self.above_8192)


@pytest.fixture(scope="module")
def gptq_models(gptq_host: RealHost, tmp_path_factory: pytest.TempPathFactory) -> GptqModels:
    folder = tmp_path_factory.mktemp("gptq")
    plain = folder / "plain-llama-GPTQ"
    command = [str(gptq_host.python), str(HERE / "make_gptq_model.py"), str(DEMO), str(plain)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)

    def stating(name: str, base: int, factor: int) -> Path:
        model = folder / name
        shutil.copytree(plain, model)
        config = json.loads((model / "config.json").read_text())
        (model / "config.json").write_text(json.dumps({**config, "max_position_embeddings": base}))
        (model / "README.md").write_text(card(base * factor, factor))
        return model

    return GptqModels(
        stating("tiny-PI-1024-GPTQ", BASE, FACTOR),
        plain,
        stating("larger-PI-GPTQ", 2048, 4),
        stating("largest-PI-GPTQ", 2048, 8),
    )


class HostOnCpu(RunningHost):
    """A webui process with the stand-ins and the probe's further commands."""

    def _environment(self) -> dict[str, str]:
        more = {"PYTHONPATH": str(STAND_INS), "LONGCTX_PROBE_MORE": str(PROBE_COMMANDS)}
        return {**super()._environment(), **more}


@contextmanager
def serving(host: RealHost, folder: Path, models: GptqModels, *arguments: str) -> Iterator[RunningHost]:
    server = HostOnCpu(host, folder, models.all(), arguments=arguments, page=False)
    try:
        yield server.wait_until_ready()
    finally:
        server.stop()


@dataclass(frozen=True)
class AutoGptqServer:
    server: RunningHost
    fused_attention: bool


@pytest.fixture(scope="module", params=[True, False], ids=["fused attention", "plain attention"])
def autogptq(
    request: pytest.FixtureRequest,
    gptq_host: RealHost,
    gptq_models: GptqModels,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[AutoGptqServer]:
    """A scaled model named on the command line: loaded before any extension is imported."""
    arguments = ["--model", gptq_models.scaled.name, "--loader", "AutoGPTQ"]
    arguments += [] if request.param else ["--no_inject_fused_attention"]
    with serving(gptq_host, tmp_path_factory.mktemp("run"), gptq_models, *arguments) as server:
        yield AutoGptqServer(server, request.param)


def test_autogptq_reads_only_what_is_new_of_the_next_question(autogptq):
    """Whole passes of 512 tokens, as its numbers are float16; nothing but that changes in what it says."""
    server = autogptq.server
    text = "The color of the harbor is teal. The code of Alda is 4417. " * 40
    replies = []
    for question in ("What is the color of the harbor?", "What is the code of Alda?"):
        server.ask("forget_prompts")
        prompt = f"{text}\n{question} ASSISTANT:"
        read_whole = server.complete(prompt, 8, WINDOW)
        assert server.ask("kept")["last"][0] == 0
        server.complete(f"{text}\nNothing. ASSISTANT:", 1, WINDOW)
        replies.append((read_whole, server.complete(prompt, 8, WINDOW)))
        found = server.ask("kept")
        assert found["last"][0] == 512
        assert found["left_alone"] == {}
    assert all(whole == kept for whole, kept in replies)


@pytest.fixture
def gptq_scores(gptq_host: RealHost, tmp_path: Path) -> Any:
    """Scores of auto_gptq alone in a fresh process, scaled by Transformers' own linear scaling or not at all."""

    def scores(model: Path, factor: int, fused_attention: bool, input_ids: Any) -> Any:
        folder = tmp_path / f"{model.name}-{factor}"
        shutil.copytree(model, folder)
        if factor != 1:
            config = json.loads((folder / "config.json").read_text())
            config["rope_scaling"] = {"type": "linear", "factor": float(factor)}
            (folder / "config.json").write_text(json.dumps(config))
        source, target = tmp_path / "in.npz", tmp_path / "out.npz"
        np.savez(source, input_ids=input_ids)
        command = [str(gptq_host.python), str(HERE / "offline_gptq_scores.py"), str(folder)]
        subprocess.run(
            [*command, str(int(fused_attention)), str(source), str(target)],
            check=True,
            capture_output=True,
            timeout=300,
            env={"PYTHONPATH": str(STAND_INS), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
        )
        shutil.rmtree(folder)
        return np.load(target)["scores"]

    return scores


def expect_window(server: RunningHost, loader: str) -> None:
    window = server.ask("window")
    assert (window["truncation_length"], window["max_seq_len"], window["loader"]) == (WINDOW, WINDOW, loader)


def expect_scaled_scores(autogptq: AutoGptqServer, gptq_models: GptqModels, gptq_scores: Any) -> None:
    found = autogptq.server.first_scores(LONG)
    ids, fused = found["input_ids"], autogptq.fused_attention
    assert BASE < len(ids) < WINDOW
    assert found["truncation_length"] == WINDOW
    assert np.isfinite(found["scores"]).all()
    assert np.array_equal(found["scores"], gptq_scores(gptq_models.scaled, FACTOR, fused, ids))
    assert not np.array_equal(found["scores"], gptq_scores(gptq_models.scaled, 1, fused, ids))


def test_autogptq_model_loaded_before_us_is_scaled_in_place(autogptq, gptq_models, gptq_scores):
    server = autogptq.server
    assert confirmed("AutoGPTQ") in server.said()
    assert "loading it again" not in server.said()
    assert server.ask("attention")["attention"].startswith("Fused") is autogptq.fused_attention
    expect_window(server, "AutoGPTQ")
    expect_scaled_scores(autogptq, gptq_models, gptq_scores)


def test_autogptq_plain_after_scaled_and_scaled_after_plain(autogptq, gptq_models, gptq_scores):
    server = autogptq.server
    server.load(gptq_models.plain.name)
    window = server.ask("window")
    assert (window["truncation_length"], window["max_seq_len"]) == (BASE, BASE)
    found = server.first_scores(LONG[:300])
    expected = gptq_scores(gptq_models.plain, 1, autogptq.fused_attention, found["input_ids"])
    assert np.array_equal(found["scores"], expected)
    confirmations = server.said().count(confirmed("AutoGPTQ"))
    server.load(gptq_models.scaled.name)
    assert server.said().count(confirmed("AutoGPTQ")) == confirmations + 1
    assert server.ask("attention")["rotary"] == "ScaledLlamaRotaryEmbedding"
    expect_window(server, "AutoGPTQ")
    expect_scaled_scores(autogptq, gptq_models, gptq_scores)


def test_nothing_named_loads_with_autogptq_and_the_model_tab_leaves_exllama_above_8192(
    gptq_host, gptq_models, tmp_path
):
    with serving(gptq_host, tmp_path, gptq_models) as server:
        chosen = server.ask("model_tab")
        server.load(gptq_models.scaled.name)
        assert confirmed("AutoGPTQ") in server.said()
        expect_window(server, "AutoGPTQ")
    above, below, plain = (model.name for model in (gptq_models.above_8192, gptq_models.up_to_8192, gptq_models.plain))
    for gpu in ("without", "with"):
        state = chosen[gpu][above]
        assert (state["loader"], state["max_seq_len"], state["truncation_length"]) == ("AutoGPTQ", 16384, 16384)
        assert chosen[gpu][plain]["loader"] == "ExLlama"  # as the webui has it: the user's choice sticks
    assert chosen["without"][below]["loader"] == "AutoGPTQ"  # ExLlama needs a GPU
    state = chosen["with"][below]
    assert (state["loader"], state["max_seq_len"], state["compress_pos_emb"]) == ("ExLlama", 8192, 4)


# -- ExLlama -------------------------------------------------------------------------------------------------------

EXLLAMA = {"ExLlama": "ExllamaModel", "ExLlama_HF": "ExllamaHF"}


def expect_tables(server: RunningHost, loader: str, factor: int, window: int) -> None:
    """What the loader was told, and its real sin and cos tables bit for bit."""
    assert server.ask("exllama") == {
        "max_seq_len": window,
        "compress_pos_emb": factor,
        "table_length": window,
        "factors": [factor],
        "tables": 1,
        "class": EXLLAMA[loader],
        "device": "cpu",
    }


def window_of_a_plain_model(host: RealHost) -> int:
    """From config.json; up to v1.5 the webui never reads that, and its default stays."""
    reads = "max_position_embeddings" in (host.webui / "modules" / "models_settings.py").read_text()
    return BASE if reads else 2048


@pytest.mark.parametrize("loader", EXLLAMA)
def test_exllama_is_told_and_its_tables_are_right(loader, gptq_host, gptq_models, tmp_path):
    """Loaded before us with the stock values: loaded again with the plan's. Then plain, scaled, and the other one."""
    other = next(name for name in EXLLAMA if name != loader)
    arguments = ["--model", gptq_models.scaled.name, "--loader", loader]
    with serving(gptq_host, tmp_path, gptq_models, *arguments) as server:
        said = server.said()
        assert "loaded before this extension, without its scaling; loading it again" in said
        assert confirmed(loader) in said
        expect_tables(server, loader, FACTOR, WINDOW)
        expect_window(server, loader)
        assert server.ask("window")["compress_pos_emb"] == 1

        own = window_of_a_plain_model(gptq_host)
        server.load(gptq_models.plain.name)
        expect_tables(server, loader, 1, own)
        window = server.ask("window")
        assert (window["truncation_length"], window["compress_pos_emb"]) == (own, 1)

        for name in (loader, other):
            server.load(gptq_models.scaled.name, loader=name)
            expect_tables(server, name, FACTOR, WINDOW)
            expect_window(server, name)
        assert server.said().count(confirmed(loader)) == 2
        assert confirmed(other) in server.said()

        server.load(gptq_models.plain.name)
        expect_tables(server, other, 1, own)
        assert server.ask("window")["compress_pos_emb"] == 1
        # Loaded again or loaded after another: never two in memory.
        assert server.said().count("ExLlama built beside") == 6
        assert server.said().count("ExLlama built beside 0 others") == 6


@pytest.mark.thorough
def test_exllama_given_the_factor_alone_gets_tables_for_the_whole_window(gptq_host, gptq_models, tmp_path):
    """The user's factor is right, but the tables were made for the base window and ExLlama would read past them."""
    if window_of_a_plain_model(gptq_host) >= WINDOW:
        pytest.skip(f"{gptq_host.name} makes tables of 2048 positions by default, and this model's window is smaller")
    arguments = ["--model", gptq_models.scaled.name, "--loader", "ExLlama", "--compress_pos_emb", str(FACTOR)]
    with serving(gptq_host, tmp_path, gptq_models, *arguments) as server:
        said = server.said()
        assert f"loaded before this extension, without room for {WINDOW} tokens; loading it again" in said
        assert confirmed("ExLlama") in said
        expect_tables(server, "ExLlama", FACTOR, WINDOW)
        expect_window(server, "ExLlama")


@pytest.mark.thorough
@pytest.mark.parametrize("loader", EXLLAMA)
def test_exllama_builds_from_the_planned_file_of_two(loader, gptq_host, gptq_models, tmp_path):
    """quantize_config.json says desc_act false; the loader alone takes the last file that it happens to find."""
    model = tmp_path / "two-files-PI-1024-GPTQ"
    shutil.copytree(gptq_models.scaled, model)
    weights = next(model.glob("*.safetensors"))
    for order in ("act.order", "no-act-order"):
        shutil.copy(weights, model / f"tiny-4bit-128g.{order}.safetensors")
    weights.unlink()
    arguments = ["--loader", loader]
    server = HostOnCpu(gptq_host, tmp_path / "run", [model], arguments=arguments, page=False)
    try:
        server.wait_until_ready()
        server.load(model.name, loader=loader)
        assert server.ask("exllama_file")["file"] == "tiny-4bit-128g.no-act-order.safetensors"
        assert confirmed(loader) in server.said()
        assert "The folder holds 2 whole models" in server.said()
        assert "tiny-4bit-128g.no-act-order.safetensors is planned, because" in server.said()
    finally:
        server.stop()


@pytest.mark.thorough
@pytest.mark.parametrize("loader", EXLLAMA)
def test_exllama_runs_ntk_also_where_config_json_states_a_base(loader, gptq_host, gptq_models, tmp_path):
    """v1.7 hands ExLlama the base of config.json, which makes alpha_value void: it is not handed over for this load."""
    model = tmp_path / "stating-its-base-GPTQ"
    shutil.copytree(gptq_models.plain, model)
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps({**config, "rope_theta": 10000.0}))
    rule = 'airoboros_longctx-model_rules:\n- {pattern: "*", rope_type: ntk, factor: 4}\n'
    server = HostOnCpu(gptq_host, tmp_path, [model], arguments=["--loader", loader], settings=rule, page=False)
    try:
        server.wait_until_ready().load(model.name, loader=loader)
        assert f"ntk ×4 · {WINDOW} tokens · {loader} · confirmed on the live model" in server.said()
        found = server.ask("exllama")
        assert (found["max_seq_len"], found["compress_pos_emb"]) == (WINDOW, 1)
        assert server.ask("exllama_file")["base"] == pytest.approx(10000 * 4 ** (32 / 30))  # heads of 32
        assert server.ask("arguments")["alpha_value"] == 1
    finally:
        server.stop()
