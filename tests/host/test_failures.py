"""One step of ours broken at a time, inside real webuis: they load and chat, and one line says what did not happen.

Models that cannot be read, or that are no Llama, are loaded as without us too.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import urllib.error
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from extensions.airoboros_longctx.host.webui.failure_points import (
    CHAT,
    CLICK,
    DRAW,
    FAILURE_POINTS,
    LOAD,
    PAGE,
    PICK,
    RELOAD,
    REQUEST,
    START,
    TOOLS,
    FailurePoint,
)
from tests.host.conftest import CONFIRMED, FACTOR
from tests.host.running_host import EXTENSION
from tests.real_hosts import deep_hosts, every_host_is_deep

pytestmark = pytest.mark.host
PROMPT = "The color of the harbor is teal. The code of Alda is 4417. "

#: Steps that run only when another one has failed, or that another one makes up for.
ROPE, HOST = "rope.engine.RopeEngine", "host.webui.webui_host.WebuiHost"
TOGETHER_WITH = {
    f"{ROPE}.scale_live": [f"{ROPE}.patch_classes"],
    f"{HOST}.withdraw_window": [f"{ROPE}.read"],
    f"{HOST}.log": [f"{ROPE}.read", "core.planning.planner.plan_context"],
}
#: Rows whose step a load with Transformers does not reach: those of loaders that scale by themselves, a click on a
#: suggestion that this model does not have, a model that was put away; nor those that only a browser reaches. The
#: webui in miniature of tests/unit/host reaches them; requests with tools are test_api_tools.py's.
NOT_REACHED = {point.step for point in FAILURE_POINTS if point.when in (RELOAD, DRAW, CLICK, TOOLS)} | {
    "core.user_rules.add_user_rule",
    "host.webui.webui_host.WebuiHost.is_asleep",
    "host.webui.webui_host.WebuiHost.read_loader",
}

NEOX = """
import shutil, sys
from pathlib import Path
import torch
from transformers import GPTNeoXConfig, GPTNeoXForCausalLM
torch.manual_seed(1)
llama, folder = Path(sys.argv[1]), Path(sys.argv[2])
config = GPTNeoXConfig(vocab_size=int(sys.argv[3]), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
                       intermediate_size=64, max_position_embeddings=256, bos_token_id=1, eos_token_id=2)
GPTNeoXForCausalLM(config).save_pretrained(folder)
for file in llama.glob("*token*"):
    shutil.copy(file, folder)
"""


def squeezed(text: str) -> str:
    """Without white space: the webuis' logs break lines at the width of a terminal, also within words."""
    return "".join(text.split())


@pytest.fixture(scope="module", autouse=True)
def newest_alone(host) -> None:
    """The same steps run in every release: each time, the newest one is enough."""
    if not every_host_is_deep() and host != deep_hosts()[-1]:
        pytest.skip(f"{host.name}: tried with TEXTGEN_DEEP=all; each time in {deep_hosts()[-1].name} alone")


@pytest.fixture(scope="module")
def folders(host, models, tmp_path_factory) -> dict[str, Path]:
    """Models with a card that cannot be read, one that is no Llama, and one whose config.json is broken."""
    root = tmp_path_factory.mktemp("odd-models")
    found = {name: root / name for name in ("binary-card", "folder-card", "neox", "broken-config")}
    for name in ("binary-card", "folder-card", "broken-config"):
        shutil.copytree(models.plain, found[name])
    (found["binary-card"] / "README.md").write_bytes(bytes(range(256)) * 64)
    (found["folder-card"] / "README.md").mkdir()
    (found["broken-config"] / "config.json").write_text('{"architectures": ["LlamaForCausalLM"], ')
    vocabulary = json.loads((models.plain / "config.json").read_text())["vocab_size"]
    arguments = [str(models.plain), str(found["neox"]), str(vocabulary)]
    subprocess.run([str(host.python), "-c", NEOX, *arguments], check=True, capture_output=True, timeout=300)
    shutil.copy(models.scaled / "README.md", found["neox"])
    return found


@pytest.fixture(scope="module")
def server(start, models, folders):
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("LONGCTX_PROBE_MORE", str(Path(__file__).with_name("sabotage_probe.py")))
        return start((*models.all(), *folders.values()), arguments=["--loader", "Transformers"])


@pytest.fixture(scope="module")
def expected(server, models, offline_scores):
    """Scores of the prompt by factor, computed without us."""
    server.load(models.plain.name)
    ids = server.first_scores(PROMPT)["input_ids"]
    return {factor: offline_scores(models.plain, factor, ids) for factor in (1, FACTOR)}


@pytest.fixture(scope="module")
def covered() -> dict[str, set[str]]:
    return defaultdict(set)


def factor_run(server, expected) -> int | None:
    """The factor whose scores the loaded model gives through the API; None where it is neither."""
    scores = server.first_scores(PROMPT)["scores"]
    return next((factor for factor, right in expected.items() if np.array_equal(scores, right)), None)


def expect_scaled(server, models, expected) -> None:
    before = len(server.said())
    server.load(models.scaled.name)
    assert CONFIRMED in server.said()[before:]
    assert factor_run(server, expected) == FACTOR


#: The steps of a load run alike in the webui in miniature: in a real one they are broken on demand.
STEPS = [
    pytest.param(point, id=point.step, marks=[pytest.mark.thorough] if point.when == LOAD else [])
    for point in FAILURE_POINTS
]


@pytest.mark.parametrize("point", STEPS)
def test_one_broken_step(host, server, models, expected, covered, point: FailurePoint):
    said_before = len(server.log())
    steps = [*TOGETHER_WITH.get(point.step, []), point.step]
    (server.probe_folder / "sabotage.names").write_text(json.dumps(steps))
    server.ask("sabotage")
    shown = ""
    try:
        if point.when == START:
            server.ask("start")
        server.load(models.scaled.name)
        assert server.ask("window")["loaded"]
        if point.when == PAGE:
            shown = json.dumps(server.ask("page"))
        if point.when == CHAT:
            assert len(server.ask("chat")["answers"]) == 2
        if point.when == PICK:
            assert server.ask("pick")["loader"] == "Transformers"
        assert factor_run(server, expected) in (1, FACTOR)
    finally:
        server.ask("repair")
    if point.step not in NOT_REACHED:
        said = squeezed(server.log()[said_before:])
        assert f"injected:{point.step}" in said + squeezed(shown)
        assert "[airoboros_longctx]" in said
    if point.when == START:
        server.ask("start")
    expect_scaled(server, models, expected)
    covered[host.name].add(point.step)


def test_every_step_was_broken(host, covered):
    asked = [point for point in FAILURE_POINTS if every_host_is_deep() or point.when != LOAD]
    assert covered[host.name] == {point.step for point in asked}
    assert {point.when for point in FAILURE_POINTS} == {
        START, LOAD, PICK, REQUEST, CHAT, TOOLS, PAGE, DRAW, CLICK, RELOAD,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("binary-card", "unscaled"),
        ("folder-card", "unscaled"),
        ("neox", "not applied: this is a gpt_neox model, no Llama: it is left alone"),
    ],
)
def test_a_model_that_we_cannot_read_or_scale(server, models, folders, offline_scores, expected, name, line):
    before = len(server.said())
    server.load(name)
    assert server.ask("window")["loaded"]
    found = server.first_scores(PROMPT)
    assert np.array_equal(found["scores"], offline_scores(folders[name], 1, found["input_ids"]))
    said = server.said()[before:]
    assert line in said[said.index(f"[airoboros_longctx] {name}: ") :]
    expect_scaled(server, models, expected)


def test_a_config_that_the_webui_cannot_read_fails_as_without_us(server, models, expected):
    def attempt() -> tuple[str, bool]:
        try:
            answer = str(server.post(*request))
        except urllib.error.HTTPError as error:
            answer = f"{error.code} {error.read().decode(errors='replace')}"
        return answer, server.ask("window")["loaded"]

    path = "/v1/internal/model/load" if server.modern else "/api/v1/model"
    request = (path, {"action": "load", "model_name": "broken-config", "args": {}})
    with_us = attempt()
    server.ask("switch")
    without_us = attempt()
    server.ask("switch")
    assert with_us == without_us
    expect_scaled(server, models, expected)


def broken_copy(folder: Path, replacements: dict[str, tuple[str, str]]) -> Path:
    copy = folder / "airoboros_longctx"
    shutil.copytree(EXTENSION, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for name, (old, new) in replacements.items():
        text = (copy / name).read_text(encoding="utf-8")
        assert old in text, name
        (copy / name).write_text(text.replace(old, new, 1), encoding="utf-8")
    return copy


def test_a_start_at_which_everything_fails(start, models, offline_scores, tmp_path):
    fail = '    raise RuntimeError("injected at {}")\n'
    hooks = ("setup", "ui", "state_modifier", "custom_css", "custom_js")
    copy = broken_copy(tmp_path, {})
    text = (copy / "extension.py").read_text(encoding="utf-8")
    text += "".join(f"\n\ndef {hook}(*given):\n{fail.format(hook)}" for hook in hooks)
    (copy / "extension.py").write_text(text, encoding="utf-8")
    server = start(models.all(), arguments=["--model", models.scaled.name], extension_folder=copy)
    expect_unscaled(server, models, offline_scores)
    for hook in hooks:
        assert f"[airoboros_longctx] {hook} failed: RuntimeError: injected at {hook}" in server.said()


def test_a_start_without_a_package_that_we_need(start, models, offline_scores, tmp_path):
    missing = {"core/shipped_yaml.py": ("import yaml", "import a_package_that_is_not_here as yaml")}
    copy = broken_copy(tmp_path, missing)
    server = start(models.all(), arguments=["--model", models.scaled.name], extension_folder=copy, page=False)
    expect_unscaled(server, models, offline_scores)
    assert (
        "[airoboros_longctx] The extension could not start: ModuleNotFoundError: No module named "
        "'a_package_that_is_not_here'. Models load and chat as without it."
    ) in server.said()


def expect_unscaled(server, models, offline_scores) -> None:
    found = server.first_scores(PROMPT)
    assert np.array_equal(found["scores"], offline_scores(models.scaled, 1, found["input_ids"]))
