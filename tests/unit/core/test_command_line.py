"""``python -m extensions.airoboros_longctx plan``, in a Python that has nothing but PyYAML."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from extensions.airoboros_longctx.command_line import COMMANDS, main
from extensions.airoboros_longctx.core.known_hosts import known_hosts

from .conftest import ModelFolder
from .known_models import LXCTX, SEEDS

ROOT = Path(__file__).parents[3]
#: Runs the command line where every import beyond the standard library, PyYAML and ourselves fails.
ISOLATED = """
import runpy, sys
class OnlyPyYAML:
    def find_spec(self, name, path=None, target=None):
        room = name.partition(".")[0]
        if room not in sys.stdlib_module_names and room not in ("yaml", "_yaml", "extensions"):
            raise ImportError(f"{name} was imported, and it need not be installed")
sys.meta_path.insert(0, OnlyPyYAML())
sys.path.insert(0, sys.argv.pop(1))
runpy.run_module("extensions.airoboros_longctx", run_name="__main__", alter_sys=True)
"""


def _run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-X", "utf8", "-c", ISOLATED, str(ROOT), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60, check=False)


def test_the_plan_needs_nothing_but_pyyaml(model_folder: ModelFolder) -> None:
    done = _run("plan", model_folder(LXCTX, **SEEDS[LXCTX]), "--capabilities", "webui-v1.7")
    assert (done.returncode, done.stderr) == (0, "")
    assert "linear ×8 · 16384 tokens · AutoGPTQ" in done.stdout


def test_the_block_on_other_packages_works() -> None:
    blocked = ISOLATED.replace('runpy.run_module("extensions.airoboros_longctx"', 'runpy.run_module("torch"')
    done = subprocess.run([sys.executable, "-c", blocked, str(ROOT)], capture_output=True, text=True, check=False)
    assert "torch was imported, and it need not be installed" in done.stderr


def test_a_folder_that_is_not_there() -> None:
    done = _run("plan", "no-such-model")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "python -m extensions.airoboros_longctx: No model at 'no-such-model': nothing is there."
        " A model folder (with a config.json) or a GGUF file was expected; check the path.\n"
    )


def test_json(model_folder: ModelFolder, capsys: pytest.CaptureFixture[str]) -> None:
    folder = model_folder(LXCTX, **SEEDS[LXCTX])
    assert main(["plan", str(folder), "--json", "--context", "8192", "--capabilities", "v1.7"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert (plan["factor"], plan["loader"], plan["truncation_length"]) == (8, "ExLlama", 8192)
    assert main(["plan", str(folder), "--json", "--capabilities", "v1.7", "--no-gpu", "--context", "8192"]) == 0
    assert json.loads(capsys.readouterr().out)["loader"] == "AutoGPTQ"
    assert main(["plan", str(folder), "--json", "--capabilities", "v1.7", "--loader", "exllama"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["loader"] == "ExLlama"
    assert any("do not use ExLlama, use AutoGPTQ" in warning for warning in plan["warnings"])


def test_the_newest_webui_is_the_default(model_folder: ModelFolder, capsys: pytest.CaptureFixture[str]) -> None:
    main(["plan", str(model_folder(LXCTX, **SEEDS[LXCTX]))])
    assert "linear ×8 · 16384 tokens · Transformers" in capsys.readouterr().out


def test_an_unknown_host_names_the_known_ones(model_folder: ModelFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(model_folder()), "--capabilities", "webui-v9"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "No capabilities named 'webui-v9' are known" in said
    assert all(name in said for name in known_hosts())


@pytest.mark.parametrize("tokens", ["0", "-1", "8k", "", "1e4"])
def test_a_context_that_is_no_number(tokens: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["plan", "folder", f"--context={tokens}"])
    assert ended.value.code == 2
    assert "is no number of tokens; a whole number such as 8192 is needed" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], *([command.NAME, "--help"] for command in COMMANDS)])
def test_help(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0
    assert "python -m extensions.airoboros_longctx" in capsys.readouterr().out


def test_no_command_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 2
    assert "COMMAND" in capsys.readouterr().err
