"""The verdict on the shipped models at the right, half, missing and doubled factor, measured for real."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from extensions.airoboros_longctx.check_service import CheckService
from extensions.airoboros_longctx.checking.measured_model import LogitsModel
from extensions.airoboros_longctx.core.checking.check_options import CheckOptions
from extensions.airoboros_longctx.core.checking.check_result import CheckResult
from extensions.airoboros_longctx.core.checking.checked_model import checked_model
from extensions.airoboros_longctx.core.ports import Undo
from extensions.airoboros_longctx.core.rope_scaling import NO_SCALING, RopeReading, RopeScaling
from extensions.airoboros_longctx.core.user_rules import UserRule, add_user_rule
from extensions.airoboros_longctx.rope.engine import RopeEngine
from extensions.airoboros_longctx.workbench import DEMO_MODELS, Workbench

LENGTHS = (64, 256, 1024, 2048)
BRIEF = CheckOptions(windows=12, prompts=1, depths=(0.0, 0.5, 1.0))
MODELS = {"airoboros-tiny-1.4.1-PI-1024": 4.0, "airoboros-tiny-1.4.1-lxctx-PI-2048": 8.0}


def check_loaded_with(factor: float, model: str, data_folder: Path) -> CheckResult:
    """A brief check of a shipped model that its user loads with ``factor``, whatever its card says."""
    workbench = Workbench(data_folder)
    add_user_rule(workbench.host.rules_file(), UserRule(model, "linear", factor, 256))
    workbench.load(str(DEMO_MODELS / model))
    loaded = workbench.host.loaded_model()
    assert loaded is not None
    measured = LogitsModel(loaded.model, workbench.host.tokenizer)
    subject = checked_model(workbench.service.status(), loaded, measured)
    assert subject.scaling.factor == factor
    right = MODELS[model]
    reads = right if factor == right else min(factor, right / 2)  # the whole window only where it is to be judged
    lengths = tuple(length for length in LENGTHS if length <= 256 * reads)
    return CheckService(RopeEngine()).check(subject, replace(BRIEF, contexts=lengths))


@pytest.mark.slow
@pytest.mark.parametrize("share", [1.0, 0.5, 0.0, 2.0], ids=["right", "half", "missing", "doubled"])
@pytest.mark.parametrize("model", MODELS)
def test_no_factor_is_misjudged(model: str, share: float, tmp_path: Path) -> None:
    right = MODELS[model]
    loaded = max(1.0, right * share)
    result = check_loaded_with(loaded, model, tmp_path)
    assert result.verdict.kind == ("right" if loaded == right else "other_factor")
    assert result.verdict.looks_like_factor == right
    if loaded == right:
        assert result.verdict.reads_to == 256 * right
    assert result.notes == ()


class FourTimes:
    """The rope of a plain model: what is right at ×4 with a base window of 256 is so unscaled with one of 1024."""

    def __init__(self) -> None:
        self._rope = RopeEngine()

    def patch_classes(self, scaling: RopeScaling) -> Undo:
        raise NotImplementedError

    def scale_live(self, model: Any, scaling: RopeScaling) -> Undo:
        return self._rope.scale_live(model, RopeScaling("linear", 4 * scaling.factor, 256))

    def read(self, model: Any, planned: RopeScaling | None = None) -> RopeReading:
        reading = self._rope.read(model)
        return replace(reading, rope_type=NO_SCALING, factor=(reading.factor or 0.0) / 4)


@pytest.mark.slow
def test_plain_base_model_is_right_without_scaling(tmp_path: Path) -> None:
    workbench = Workbench(tmp_path)
    workbench.load(str(DEMO_MODELS / "airoboros-tiny-1.4.1-PI-1024"))
    loaded = workbench.host.loaded_model()
    assert loaded is not None
    subject = checked_model(workbench.service.status(), loaded, LogitsModel(loaded.model, workbench.host.tokenizer))
    plain = replace(subject, scaling=RopeScaling(NO_SCALING, 1.0, 1024))
    result = CheckService(FourTimes()).check(plain, replace(BRIEF, contexts=(64, 512)))
    assert (result.verdict.kind, result.verdict.looks_like_factor) == ("right", 1)
    assert result.verdict.sentence.startswith("Unscaled is right. It reads well to 512 tokens, the longest ")
    assert result.notes == ()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_random_weights_are_never_called_right(seed: int, tmp_path: Path) -> None:
    shipped, folder = DEMO_MODELS / "airoboros-tiny-1.4.1-PI-1024", tmp_path / "random-PI-1024"
    shutil.copytree(shipped, folder)
    torch.manual_seed(seed)
    transformers.LlamaForCausalLM(transformers.AutoConfig.from_pretrained(shipped)).save_pretrained(folder)
    workbench = Workbench(tmp_path / "data")
    workbench.load(str(folder))
    loaded = workbench.host.loaded_model()
    assert loaded is not None
    subject = checked_model(workbench.service.status(), loaded, LogitsModel(loaded.model, workbench.host.tokenizer))
    assert subject.scaling.factor == 4
    result = CheckService(RopeEngine()).check(subject, replace(BRIEF, contexts=(64, 512)))
    assert result.verdict.kind == "unclear"
    untold = "whether it reads 512 tokens better than with ×2 or ×8 cannot be told"
    assert untold in result.verdict.sentence
