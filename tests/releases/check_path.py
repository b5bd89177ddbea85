"""The check of a model's context in a release's own page, beside the same check in the workbench."""

from __future__ import annotations

import base64
import functools
import math
import tempfile
from pathlib import Path
from typing import Any

from extensions.airoboros_longctx.check_service import CheckService
from extensions.airoboros_longctx.checking.measured_model import LogitsModel
from extensions.airoboros_longctx.core.checking.check_options import CheckOptions
from extensions.airoboros_longctx.core.checking.check_result import CheckResult, PerplexityPoint, RetrievalCell
from extensions.airoboros_longctx.core.checking.checked_model import checked_model
from extensions.airoboros_longctx.core.checking.result_file import read_result
from extensions.airoboros_longctx.rope.engine import RopeEngine
from extensions.airoboros_longctx.workbench import Workbench
from tests.browser import checking
from tests.host.models import DEMO

CONTEXTS = (64, 512)
#: Of perplexity, relative: one release of Transformers adds up in another order than the next. Seen: 5e-8.
TOLERANCE = 1e-6


def checked_in_page(page: Any, contexts: tuple[int, ...] = CONTEXTS, seconds: int = 240) -> tuple[str, CheckResult]:
    """Press Start and wait so long: the verdict as it is shown, and the result as it is downloaded."""
    checking.open_panel(page)
    checking.start(page, ", ".join(map(str, contexts)))
    said = checking.verdict(page, seconds)
    link = page.locator(f"{checking.RESULT} a", has_text="result.json").get_attribute("href")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "result.json"
        file.write_bytes(base64.b64decode(link.partition(",")[2]))
        return said, read_result(file)


@functools.cache
def checked_in_workbench(contexts: tuple[int, ...] = CONTEXTS) -> CheckResult:
    """What the workbench finds for the same model."""
    with tempfile.TemporaryDirectory() as folder:
        workbench = Workbench(Path(folder))
        workbench.load(str(DEMO))
        loaded = workbench.host.loaded_model()
        assert loaded is not None
        measured = LogitsModel(loaded.model, workbench.host.tokenizer)
        subject = checked_model(workbench.service.status(), loaded, measured)
        return CheckService(RopeEngine()).check(subject, CheckOptions(contexts=contexts))


def difference(found: CheckResult, expected: CheckResult) -> float:
    """The largest relative difference between two perplexities. All else must be the same: what was measured, with
    which factors, and every answer."""
    assert _answers(found) == _answers(expected)
    ours, theirs = _perplexities(found), _perplexities(expected)
    assert [key for key, _ in ours] == [key for key, _ in theirs]
    return max(
        abs(math.log(one.perplexity / other.perplexity)) for (_, one), (_, other) in zip(ours, theirs, strict=True)
    )


def _answers(result: CheckResult) -> list[tuple[float, tuple[RetrievalCell, ...]]]:
    return [(one.scaling.factor, one.retrieval) for one in result.measured]


def _perplexities(result: CheckResult) -> list[tuple[tuple[float, int], PerplexityPoint]]:
    return [((one.scaling.factor, point.context_tokens), point) for one in result.measured for point in one.perplexity]
