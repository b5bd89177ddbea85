"""The shipped model, really quantised to 4 bits, answers past its base window through the AutoGPTQ loader.

What needs CUDA is stood in for in these processes alone (``cpu_stand_ins``).
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.host.conftest import BASE, DEMO, FACTOR, WINDOW
from tests.host.running_host import RunningHost
from tests.host.test_v17_loaders import HostOnCpu, confirmed, gptq_host
from tests.real_hosts import RealHost

__all__ = ["gptq_host"]
pytestmark = [pytest.mark.host, pytest.mark.slow, pytest.mark.thorough]
HERE = Path(__file__).parent
EXAMPLES, QUESTIONS, REPLY_TOKENS = 12, 8, 12
FIND_PACKAGE = "import importlib.util, sys; sys.exit(importlib.util.find_spec('auto_gptq') is None)"
ORDERS = {"no act-order": False, "act-order": True}


def need_auto_gptq(host: RealHost) -> None:
    """Skip where the webui has no AutoGPTQ loader, or its Python no auto_gptq."""
    if "def AutoGPTQ_loader" not in (host.webui / "modules" / "models.py").read_text():
        pytest.skip(f"{host.name} has no AutoGPTQ loader")
    if subprocess.run([str(host.python), "-c", FIND_PACKAGE], check=False, timeout=120).returncode:
        pytest.skip(f"{host.name} has no auto_gptq")


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return pytest.importorskip("transformers").AutoTokenizer.from_pretrained(DEMO)


@pytest.fixture(scope="module")
def questions(tokenizer: Any) -> list[Any]:
    from demo.train.data import keyed_question

    length = WINDOW - REPLY_TOKENS
    return [keyed_question(7000 + seed, length, 0.0, tokenizer, ask_source=False) for seed in range(QUESTIONS)]


@pytest.fixture(scope="module")
def quantised(gptq_host: RealHost, tokenizer: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The shipped model in 4 bits with groups of 128, with and without act-order, its card beside it."""
    from demo.train.data import keyed_question

    folder = tmp_path_factory.mktemp("quantised")
    length = WINDOW - 2 * REPLY_TOKENS
    asked = [keyed_question(100 + seed, length, seed / EXAMPLES, tokenizer) for seed in range(EXAMPLES)]
    rows = [tokenizer(f"{question.prompt} {question.value}")["input_ids"] for question in asked]
    (folder / "examples.json").write_text(json.dumps(rows))
    models = {}
    for order, desc_act in ORDERS.items():
        out = folder / f"airoboros-tiny-PI-1024-GPTQ-{order.replace(' ', '-')}"
        command = [str(gptq_host.python), str(HERE / "quantise_model.py"), str(DEMO), str(FACTOR), str(int(desc_act))]
        subprocess.run(
            [*command, str(folder / "examples.json"), str(out)],
            check=True,
            capture_output=True,
            timeout=600,
            env={"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
        )
        shutil.copy(DEMO / "README.md", out)
        models[order] = out
    return models


@contextmanager
def serving(host: RealHost, folder: Path, models: list[Path], *arguments: str, **options: Any) -> Iterator[RunningHost]:
    server = HostOnCpu(host, folder, models, arguments=arguments, page=False, **options)
    try:
        yield server.wait_until_ready()
    finally:
        server.stop()


def right(server: RunningHost, questions: list[Any]) -> int:
    replies = [server.complete(question.prompt, REPLY_TOKENS, WINDOW) for question in questions]
    said = [reply.strip().split("\n")[0].rstrip(".").split(" ")[-1] for reply in replies]
    return sum(word == question.value for word, question in zip(said, questions, strict=True))


@pytest.mark.parametrize("order", ORDERS)
def test_answers_past_the_base_window_only_with_us(gptq_host, quantised, questions, order, tmp_path):
    model = quantised[order]
    arguments = ["--model", model.name, "--loader", "AutoGPTQ"]
    found = {}
    for arm, options in {"with us": {}, "without us": {"extensions": ()}}.items():
        with serving(gptq_host, tmp_path / arm.replace(" ", "-"), [model], *arguments, **options) as server:
            ids = server.first_scores(questions[0].prompt, WINDOW)["input_ids"]
            assert len(ids) > 3 * BASE
            found[arm] = right(server, questions)
            assert (confirmed("AutoGPTQ") in server.said()) is (arm == "with us")
    print(f"{gptq_host.name}, AutoGPTQ 4-bit/128g, {order}, right of {QUESTIONS}: {found}")
    assert found["with us"] >= QUESTIONS - 2
    assert found["without us"] <= 1


@pytest.mark.parametrize("order", ORDERS)
def test_the_planned_file_of_two_is_loaded(gptq_host, quantised, order, tmp_path):
    """quantize_config.json says the order, the file names say which is which; the loader alone takes the last found."""
    other = next(name for name in ORDERS if name != order)
    model = tmp_path / "two-files-GPTQ"
    shutil.copytree(quantised[order], model)
    names = {
        "no act-order": "tiny-GPTQ-4bit-128g.no-act-order.safetensors",
        "act-order": "tiny-GPTQ-4bit-128g.act.order.safetensors",
    }
    (model / "gptq_model-4bit-128g.safetensors").rename(model / names[order])
    shutil.copy(quantised[other] / "gptq_model-4bit-128g.safetensors", model / names[other])
    with serving(gptq_host, tmp_path / "run", [model]) as server:
        server.load(model.name, loader="AutoGPTQ")
        assert f"'model_basename': '{names[order].removesuffix('.safetensors')}'" in server.said()
        assert "The folder holds 2 whole models" in server.said()
        assert confirmed("AutoGPTQ") in server.said()
        assert server.ask("arguments")["checkpoint"] is None


def test_the_users_own_checkpoint_wins(gptq_host, quantised, tmp_path):
    model = tmp_path / "two-files-GPTQ"
    shutil.copytree(quantised["no act-order"], model)
    chosen = model / "zz-4bit-128g.no-act-order.safetensors"
    (model / "gptq_model-4bit-128g.safetensors").rename(model / "aa-4bit-128g.no-act-order.safetensors")
    shutil.copy(model / "aa-4bit-128g.no-act-order.safetensors", chosen)
    with serving(gptq_host, tmp_path / "run", [model], "--checkpoint", str(chosen)) as server:
        server.load(model.name, loader="AutoGPTQ")
        assert "'model_basename': 'zz-4bit-128g.no-act-order'" in server.said()
        assert server.ask("arguments")["checkpoint"] == str(chosen)


def test_a_rounded_model_in_every_release_that_has_the_loader(host, questions, tmp_path):
    """Without fused attention, which later versions of Transformers do not fit."""
    need_auto_gptq(host)
    model = tmp_path / "airoboros-tiny-PI-1024-GPTQ"
    command = [str(host.python), str(HERE / "round_model.py"), str(DEMO), str(model)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    with serving(host, tmp_path / "run", [model], "--loader", "AutoGPTQ", "--no_inject_fused_attention") as server:
        server.load(model.name)
        assert confirmed("AutoGPTQ") in server.said()
        found = right(server, questions)
    print(f"{host.name}, AutoGPTQ, rounded to 4-bit/128g, right of {QUESTIONS}: {found}")
    assert found >= QUESTIONS - 2
