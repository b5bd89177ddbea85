"""A check's result as JSON, and back."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..foreign_text import UnreadableFileError, quoted, read_json_object
from ..rope_scaling import RopeScaling
from .check_options import CheckError
from .check_result import CheckResult, CheckVerdict, PerplexityPoint, RetrievalCell, ScalingMeasured

#: Raised when a reader of the old form could misread the new one.
FORMAT = 1


def as_json(result: CheckResult) -> str:
    """All of ``result``; the keys are the names of its fields. A perplexity too large for a number is null."""
    return json.dumps({"format": FORMAT, **_finite(asdict(result))}, indent=1, ensure_ascii=False) + "\n"


def read_result(path: str | Path) -> CheckResult:
    """The result that was written to ``path``. Raises CheckError with a sentence where none can be read there."""
    try:
        data = read_json_object(Path(path))
    except UnreadableFileError as error:
        raise CheckError(f"The result {quoted(path)!r} {error}; a result.json of a check is needed.") from error
    try:
        if data.pop("format") != FORMAT:
            raise ValueError("it is of another version")
        measured = tuple(_measured(one) for one in data.pop("measured"))
        verdict = CheckVerdict(**data.pop("verdict"))
        return CheckResult(**{**data, "measured": measured, "verdict": verdict, "notes": tuple(data["notes"])})
    except (KeyError, TypeError, ValueError) as error:
        raise CheckError(
            f"The result {quoted(path)!r} is not one of a check ({quoted(error, 80)}); a result.json is needed."
        ) from error


def _measured(data: dict[str, Any]) -> ScalingMeasured:
    points = [
        PerplexityPoint(
            **{
                **point,
                "perplexity": math.inf if point["perplexity"] is None else point["perplexity"],
                "log_losses": tuple(math.inf if loss is None else loss for loss in point["log_losses"]),
            }
        )
        for point in data["perplexity"]
    ]
    cells = [RetrievalCell(**cell) for cell in data["retrieval"]]
    return ScalingMeasured(RopeScaling(**data["scaling"]), tuple(points), tuple(cells))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
