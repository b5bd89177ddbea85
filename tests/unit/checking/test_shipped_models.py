"""The verdict on the shipped models at the right, half, missing and doubled factor, measured for real."""

from __future__ import annotations

from pathlib import Path

import pytest

from extensions.airoboros_longctx.check_service import CheckService
from extensions.airoboros_longctx.checking.measured_model import LogitsModel
from extensions.airoboros_longctx.core.checking.check_options import CheckOptions
from extensions.airoboros_longctx.core.checking.check_result import CheckResult
from extensions.airoboros_longctx.core.checking.checked_model import checked_model
from extensions.airoboros_longctx.core.context_plan import UserRule
from extensions.airoboros_longctx.core.user_rules import add_user_rule
from extensions.airoboros_longctx.rope.engine import RopeEngine
from extensions.airoboros_longctx.workbench import DEMO_MODELS, Workbench

LENGTHS = (64, 256, 1024, 2048)
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
    brief = CheckOptions(contexts=lengths, windows=12, prompts=1, depths=(0.0, 0.5, 1.0))
    return CheckService(RopeEngine()).check(subject, brief)


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
