"""start.py takes only a finished setup for a setup, and touches no folder that is not its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import start


class Setup:
    """start.py with a folder of its own, and every command written down in place of run."""

    def __init__(self, venv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.venv = venv
        self.commands: list[str] = []
        self.fails_at = "nothing"
        self.offered = "torch (2.13.0)\nAvailable versions: 2.15.0, 2.13.0+cpu, 2.13.0"
        monkeypatch.setattr(start, "VENV", venv)
        monkeypatch.setattr(start, "VENV_PYTHON", venv / "bin" / "python")
        monkeypatch.setattr(start, "STAMP", venv / "stamp.json")
        monkeypatch.setattr(start, "run", self.run)
        monkeypatch.setattr(start, "hand_over", self.run)
        monkeypatch.setattr(start, "has_nvidia_gpu", lambda: False)
        monkeypatch.setattr(start, "answer_of", lambda *_, **__: self.offered)
        monkeypatch.setattr("sys.platform", "linux")

    def run(self, command: list[str | Path]) -> int:
        line = " ".join(str(part) for part in command[1:])
        self.commands.append(line)
        if self.fails_at in line:
            return 1
        if line.startswith("-m venv"):
            (self.venv / "bin").mkdir(parents=True)
            (self.venv / "bin" / "python").touch()
        return 0

    def said_to_pip(self) -> list[str]:
        return [line.partition("--no-input ")[2] for line in self.commands if line.startswith("-m pip")]


@pytest.fixture
def setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Setup:
    monkeypatch.chdir(tmp_path)
    return Setup(tmp_path / "venv", monkeypatch)


def test_the_first_start_sets_up_and_the_second_goes_straight_on(setup: Setup) -> None:
    assert start.main(["test", "-k", "rope"]) == 0
    assert setup.commands[0].startswith("-m venv")
    assert setup.commands[-1] == "-m pytest -n 2 -k rope"
    setup.commands.clear()
    assert start.main(["test"]) == 0
    assert setup.commands == ["-m pytest -n 2"]


def test_the_workbench_is_what_opens_without_a_command(setup: Setup) -> None:
    start.main(["--port", "7861"])
    assert setup.commands[-1].endswith("workbench --port 7861")
    assert [name for name in ("documents.txt", "test.txt") if any(name in line for line in setup.commands)] == [
        "documents.txt"
    ]


def test_the_tests_add_to_a_finished_workbench(setup: Setup) -> None:
    start.main([])
    setup.commands.clear()
    start.main(["test"])
    assert [line.split()[2].rpartition("/")[2] for line in setup.said_to_pip()] == ["test.txt"]
    setup.commands.clear()
    start.main([])
    assert len(setup.commands) == 1


@pytest.mark.parametrize("step", ["-m venv", "torch==", "workbench.txt", "import torch", "documents.txt", "test.txt"])
def test_an_interrupted_setup_starts_afresh(setup: Setup, step: str) -> None:
    setup.fails_at = step
    with pytest.raises(SystemExit, match=r"starts afresh|could not make"):
        start.main(["test"])
    (setup.venv / "half_installed").mkdir()
    setup.fails_at = "nothing"
    setup.commands.clear()
    assert start.main(["test"]) == 0
    assert setup.commands[0].startswith("-m venv")
    assert not (setup.venv / "half_installed").exists()


def test_changed_requirements_and_another_python_are_noticed(setup: Setup) -> None:
    start.main([])
    stamp = json.loads(start.STAMP.read_text(encoding="utf-8"))
    for changed, begins_with in (({"workbench": "of yesterday"}, "-m pip"), ({"python": "3.9"}, "-m venv")):
        start.STAMP.write_text(json.dumps({**stamp, **changed}), encoding="utf-8")
        setup.commands.clear()
        start.main([])
        assert setup.commands[0].startswith(begins_with)
        assert json.loads(start.STAMP.read_text(encoding="utf-8")) == stamp


def test_a_folder_of_somebody_else_is_left_alone(setup: Setup) -> None:
    setup.venv.mkdir()
    (setup.venv / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(SystemExit, match=r"was not made by this script\. Move it away, or set AIROBOROS_LONGCTX_VENV"):
        start.main([])
    assert (setup.venv / "thesis.txt").exists()
    assert setup.commands == []


def test_the_cpu_build_of_pytorch_is_taken_where_one_is_offered(setup: Setup) -> None:
    start.main([])
    assert setup.said_to_pip()[0] == "install --no-deps torch==2.13.0+cpu"


def test_pytorch_as_it_comes_is_taken_where_no_cpu_build_is_offered(
    setup: Setup, capsys: pytest.CaptureFixture[str]
) -> None:
    setup.offered = "torch (2.13.0)\nAvailable versions: 2.13.0"
    start.main([])
    assert setup.said_to_pip()[0].startswith("install torch==2.13.0 -c ")
    assert "with CUDA instead: about 3 GB to download" in capsys.readouterr().out


def test_a_python_without_ensurepip_is_told_what_to_install(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(SystemExit, match="sudo apt install python3-venv"):
        start.main([])


def test_an_unknown_command_names_the_known_ones(setup: Setup) -> None:
    with pytest.raises(SystemExit, match=r"(?s)There is no command 'tset'\..*python start.py test"):
        start.main(["tset"])
    assert setup.commands == []
