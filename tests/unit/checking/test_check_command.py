"""``check`` on the command line, with the shipped model."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from extensions.airoboros_longctx.command_line import check, main
from extensions.airoboros_longctx.core.checking.check_result import CheckProgress
from extensions.airoboros_longctx.core.checking.result_file import read_result
from extensions.airoboros_longctx.workbench import DEMO_MODELS

MODEL = str(DEMO_MODELS / "airoboros-tiny-1.4.1-PI-1024")
QUICK = ["--contexts", "64,256", "--windows", "4", "--prompts", "1"]


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("extensions.airoboros_longctx.workbench.DATA_FOLDER", tmp_path / "data")


def test_a_check_prints_the_verdict_and_writes_its_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "made" / "here"
    assert main(["check", MODEL, *QUICK, "--out", str(out)]) == 0
    printed, told = capsys.readouterr()
    assert printed.startswith(
        "# Context check of airoboros-tiny-1.4.1-PI-1024\n\nScaled ×4 is right. It reads well to 256"
    )
    assert "| 64 | " in printed
    assert "perplexity at 64 tokens, linear ×4" in told
    assert (out / "table.md").read_text(encoding="utf-8") == printed
    assert (out / "table.csv").read_text(encoding="utf-8").startswith("context_tokens,×4 (as loaded): perplexity,")
    assert read_result(out / "result.json").verdict.kind == "right"


def test_texts_of_ones_own_and_whole_curves(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = tmp_path / "card.md"
    text.write_text((Path(MODEL) / "README.md").read_text(encoding="utf-8"), encoding="utf-8")
    given = ["--contexts", "64,128", "--windows", "8", "--text", str(text), "--compare-unscaled", "--no-trial"]
    assert main(["check", MODEL, *given]) == 0
    printed = capsys.readouterr().out
    assert "| context | ×4 (as loaded) | no scaling |\n" in printed
    assert printed.endswith("Text: card.md.\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["/nowhere"],
            "'/nowhere' has no config.json; a folder with a model in Hugging Face format is needed.",
        ),
        (
            [MODEL, "--contexts", "64,2048"],
            "A context of 2048 tokens was asked for, and the model's window has 1024; ask for lengths up to 1024.",
        ),
    ],
)
def test_what_cannot_be_checked_is_said_in_a_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", *arguments]) == 2
    assert capsys.readouterr().err.endswith(f"python -m extensions.airoboros_longctx: {sentence}\n")


def test_a_text_that_is_too_short_or_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    short = tmp_path / "short.txt"
    short.write_text("Nothing much.", encoding="utf-8")
    assert main(["check", MODEL, "--text", str(short)]) == 2
    assert "The text short.txt has " in capsys.readouterr().err
    assert main(["check", MODEL, "--text", str(tmp_path / "none.txt")]) == 2
    assert "none.txt" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [["--contexts", "64,many"], ["--factors", "0.5"], ["--factors", "two"]])
def test_numbers_that_are_none_are_usage_errors(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["check", MODEL, *wrong])
    assert ended.value.code == 2
    assert "needed" in capsys.readouterr().err


def test_ctrl_c_keeps_what_was_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[CheckProgress] = []
    before = signal.getsignal(signal.SIGINT)

    def interrupt(self: Any, progress: CheckProgress) -> None:
        shown.append(progress)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(check._Progress, "__call__", interrupt)
    assert main(["check", MODEL, *QUICK, "--out", str(tmp_path)]) == 3
    assert len(shown) == 1
    assert signal.getsignal(signal.SIGINT) is before
    printed, told = capsys.readouterr()
    assert "Stopping after this forward pass" in told
    assert "The check was stopped: what was measured until then is shown." in printed
    kept = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert [point["context_tokens"] for point in kept["measured"][0]["perplexity"]] == [64]
