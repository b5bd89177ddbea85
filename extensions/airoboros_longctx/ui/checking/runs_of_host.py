"""The checks of one program, put together."""

from __future__ import annotations

from collections.abc import Callable

from ...check_service import CheckService
from ...core.ports import Rope
from ...service import LongContextService
from .checked_host import CheckedHost, model_mark, model_to_check
from .running import CheckRuns, KeptChecks


def check_runs(
    host: CheckedHost, service: LongContextService, rope: Rope, kept: KeptChecks | None, say: Callable[[str], None]
) -> CheckRuns:
    """``kept`` is where results outlive the program, None: nowhere. ``say`` writes to its log."""
    return CheckRuns(
        host,
        CheckService(rope, service.drop_kept_prompts),
        lambda: model_to_check(host, service),
        lambda: model_mark(host, service),
        kept,
        say,
    )
