"""A model folder is read once while nothing in it changes, and again after anything does."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from extensions.airoboros_longctx.core.errors import ModelFolderError
from extensions.airoboros_longctx.core.reading import remembered_facts
from extensions.airoboros_longctx.core.reading.remembered_facts import RememberedFacts

AN_HOUR = 3_600 * 10**9


class Counted:
    """``facts`` asks as a load does; ``times`` counts how often the folder was really read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.remembered, self.times = RememberedFacts(), 0
        read = remembered_facts.read_model_facts

        def counted(path: Path) -> Any:
            self.times += 1
            return read(path)

        monkeypatch.setattr(remembered_facts, "read_model_facts", counted)

    def facts(self, path: Path) -> Any:
        return self.remembered.of(path)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    now = time.time_ns
    monkeypatch.setattr(remembered_facts.time, "time_ns", lambda: now() + AN_HOUR)  # what the tests write is old
    return Counted(monkeypatch)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    model = tmp_path / "llama"
    model.mkdir()
    (model / "config.json").write_text(json.dumps({"model_type": "llama", "max_position_embeddings": 2048}))
    (model / "model.safetensors").write_bytes(b"\0")
    return model


def test_an_unchanged_folder_is_read_once(counted: Counted, folder: Path) -> None:
    assert counted.facts(folder) is counted.facts(folder)
    assert counted.times == 1


def _same_size_and_time(folder: Path) -> None:
    file = folder / "config.json"
    before = file.stat()
    file.write_text(file.read_text().replace("2048", "4096"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def _replaced(folder: Path) -> None:
    other = folder.parent / "other.json"
    other.write_text(json.dumps({"model_type": "llama", "max_position_embeddings": 4096}))
    other.replace(folder / "config.json")


@pytest.mark.parametrize("change", [_same_size_and_time, _replaced])
def test_a_changed_file_is_read_again(counted: Counted, folder: Path, change: Callable[[Path], None]) -> None:
    assert counted.facts(folder).max_position_embeddings == 2048
    time.sleep(0.02)  # longer than a tick of the file system's clock
    change(folder)
    assert counted.facts(folder).max_position_embeddings == 4096


def test_a_card_that_comes_and_goes_is_seen(counted: Counted, folder: Path) -> None:
    assert counted.facts(folder).card_text == ""
    (folder / "README.md").write_text("scaled")
    assert counted.facts(folder).card_text == "scaled"
    (folder / "README.md").unlink()
    assert counted.facts(folder).card_text == ""


def test_another_folder_is_another_model(counted: Counted, folder: Path, tmp_path: Path) -> None:
    counted.facts(folder)
    twin = tmp_path / "twin"
    twin.mkdir()
    for file in folder.iterdir():
        os.link(file, twin / file.name)
    assert counted.facts(twin).name == "twin"


def test_what_was_just_written_is_not_remembered(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    counted = Counted(monkeypatch)
    counted.facts(folder)
    counted.facts(folder)
    assert counted.times == 2


def test_a_folder_that_went_is_an_error_again(counted: Counted, folder: Path) -> None:
    counted.facts(folder)
    folder.rename(folder.with_name("elsewhere"))
    with pytest.raises(ModelFolderError):
        counted.facts(folder)


def test_a_gguf_file_alone(counted: Counted, tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(b"no gguf")
    assert counted.facts(file) is counted.facts(file)
    file.write_bytes(b"longer, and still no gguf")
    assert counted.facts(file).weight_files[0].size_bytes == 25
