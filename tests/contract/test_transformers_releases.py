"""test-transformers sets up small environments beside the project's own, and says for every release what came of it."""

from __future__ import annotations

import re
import subprocess
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import start
from tests import transformers_releases

REPORT = '<testsuites><testsuite tests="12" skipped="2" failures="{failures}" errors="0"/></testsuites>'


class Machine:
    """Every command written down in place of run; ``fails`` names what does."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.commands: list[str] = []
        self.fails = ""
        monkeypatch.setattr(transformers_releases, "PROJECT_ENVIRONMENT", folder / ".venv")
        monkeypatch.setattr("subprocess.run", self.run)
        monkeypatch.setattr("venv.create", self.create)
        self.folder = folder

    def create(self, folder: Path, **_: Any) -> None:
        own = sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)})
        Path(own).mkdir(parents=True)

    def run(self, command: Sequence[str], **_: Any) -> subprocess.CompletedProcess[str]:
        self.commands.append(" ".join(command[1:]))
        failed = bool(self.fails) and self.fails in self.commands[-1]
        for argument in command:
            if argument.startswith("--junit-xml="):
                Path(argument.partition("=")[2]).write_text(REPORT.format(failures=3 * failed), encoding="utf-8")
        said = "4.99.0\n" if "importlib.metadata" in self.commands[-1] else "the tests' own output"
        return subprocess.CompletedProcess(command, int(failed), said, "first\nno wheel for this Python")

    @property
    def environments(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def test_the_releases_are_those_that_webuis_brought_and_each_is_pinned() -> None:
    releases = transformers_releases.releases()
    assert list(releases) == ["4.31", "4.34", "4.38", "4.41", "4.46", "4.50", "4.57", "5.3", "5.6", "newest"]
    assert releases.pop("newest") == []
    for release, packages in releases.items():
        assert packages[0].startswith(f"transformers=={release}.")
        assert all(re.fullmatch(r"[a-z_]+==[\d.]+", package) for package in packages)
        assert not any(package.startswith("torch==") for package in packages)  # the project's own


def test_a_release_is_set_up_once_and_tested(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        assert transformers_releases.main(["4.31"]) == 0
    assert machine.environments == [".venv-transformers-4.31"]
    installed = [command for command in machine.commands if "pip" in command]
    assert len(installed) == 1
    assert "install --quiet --no-deps --ignore-installed --only-binary=:all: transformers==4.31.0" in installed[0]
    assert sum("pytest tests/unit/rope" in command for command in machine.commands) == 2
    assert capsys.readouterr().out.splitlines()[-1] == "4.31     passed  Transformers 4.99.0: 10 passed, 2 skipped"


def test_every_release_gets_a_row_and_one_failure_fails_all(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.fails = "transformers==4.34.1"
    assert transformers_releases.main([]) == 0  # absent is no failure
    table = capsys.readouterr().out.splitlines()[-10:]
    assert table[1] == "4.34     absent  pip could not install it: no wheel for this Python"
    assert table[9] == "newest   passed  Transformers 4.99.0: 10 passed, 2 skipped"
    assert len(machine.environments) == 9
    machine.fails = "pytest"
    assert transformers_releases.main(["5.6", "newest"]) == 1
    said = capsys.readouterr().out
    assert "the tests' own output" in said
    assert "5.6      failed  Transformers 4.99.0: 7 passed, 3 failed, 2 skipped" in said


def test_nothing_but_absent_releases_is_no_success(machine: Machine) -> None:
    machine.fails = "pip"
    assert transformers_releases.main(["4.31"]) == 1
    machine.fails = ""
    assert transformers_releases.main(["4.31"]) == 0  # the unfinished environment is made anew


def test_a_folder_that_is_not_ours_is_left_alone(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    theirs = machine.folder / ".venv-transformers-5.3" / "file"
    theirs.parent.mkdir()
    theirs.touch()
    assert transformers_releases.main(["5.3"]) == 1
    assert theirs.exists()
    row = f"5.3      absent  {theirs.parent} exists and was not made by this command; move it away\n"
    assert capsys.readouterr().out == row


def test_an_unknown_release_is_named_with_the_known_ones(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    assert transformers_releases.main(["4.31", "3.0"]) == 2
    known = "4.31, 4.34, 4.38, 4.41, 4.46, 4.50, 4.57, 5.3, 5.6, newest"
    assert capsys.readouterr().err == f"No release '3.0' is prepared. Known: {known}.\n"
    assert machine.commands == []


def test_start_py_hands_over_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    set_up: list[str] = []
    handed: list[str] = []

    def hand_over(command: Sequence[str | Path]) -> int:
        handed.extend(str(part) for part in command[1:])
        return 0

    monkeypatch.setattr(start, "set_up", set_up.extend)
    monkeypatch.setattr(start, "hand_over", hand_over)
    assert start.main(["test-transformers", "4.31", "newest"]) == 0
    assert (set_up, handed[1:]) == (["workbench", "test"], ["4.31", "newest"])
    assert Path(handed[0]) == Path(transformers_releases.__file__)
