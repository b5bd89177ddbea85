"""``python -m benchmarks.verdicts``: how often the verdict of a check is right, on the shipped models.

Each model is loaded with its right factor, half of it, none and double, as a user may load it, and checked with the
options that ``check`` has when none is given, up to the window that is the right one; once for every seed (other parts
of Python's documentation, other prompts) and every ``--text``. What several cases measure alike is computed once. Exit
status 1 if one is misjudged.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from extensions.airoboros_longctx.check_service import CheckService
from extensions.airoboros_longctx.checking.measured_model import LogitsModel
from extensions.airoboros_longctx.core.checking.check_options import CheckOptions
from extensions.airoboros_longctx.core.checking.check_result import OTHER_FACTOR, RIGHT, CheckVerdict
from extensions.airoboros_longctx.core.checking.checked_model import CheckedModel
from extensions.airoboros_longctx.core.checking.context_lengths import context_lengths
from extensions.airoboros_longctx.core.ports import LoadedModel, MeasuredModel
from extensions.airoboros_longctx.core.prompts.instruction_templates import DEFAULT_TEMPLATE, instruction_template
from extensions.airoboros_longctx.core.rope_scaling import LINEAR, NO_SCALING, RopeScaling
from extensions.airoboros_longctx.core.user_rules import UserRule, add_user_rule
from extensions.airoboros_longctx.rope.engine import RopeEngine
from extensions.airoboros_longctx.workbench import DEMO_MODELS, Workbench

MODELS = {"airoboros-tiny-1.4.1-PI-1024": 4.0, "airoboros-tiny-1.4.1-lxctx-PI-2048": 8.0}
BASE = 256
CASES = {"right": 1.0, "half": 0.5, "missing": 0.0, "doubled": 2.0}


@dataclass(frozen=True)
class Judged:
    """One verdict. ``right`` is whether it is that of the model's right factor, ``said`` its sentence."""

    model: str
    case: str
    text: str
    seed: int
    kind: str
    right: bool
    said: str


class Remembering:
    """A MeasuredModel that computes the same thing only once: each case puts some of the same factors on the model."""

    def __init__(self, inner: MeasuredModel, factor: Any) -> None:
        self._inner, self._factor = inner, factor
        self._known: dict[Hashable, Any] = {}
        self.gives_logits = inner.gives_logits
        self.start_ids, self.most_rows_tokens = inner.start_ids, inner.most_rows_tokens
        self.token_ids, self.count_tokens = inner.token_ids, inner.count_tokens

    def mean_losses(self, rows: Sequence[Sequence[int]], scored: int) -> list[float]:
        key = (self._factor(), hash(tuple(map(tuple, rows))), scored)
        if key not in self._known:
            self._known[key] = self._inner.mean_losses(rows, scored)
        return list(self._known[key])

    def replies_begin_with(self, prompts: Sequence[tuple[str, str]]) -> list[bool]:
        key = (self._factor(), hash(tuple(prompts)))
        if key not in self._known:
            self._known[key] = self._inner.replies_begin_with(prompts)
        return list(self._known[key])


def load_unscaled(model: str, folder: Path) -> tuple[Workbench, LoadedModel]:
    workbench = Workbench(folder)
    add_user_rule(workbench.host.rules_file(), UserRule(model, LINEAR, 1.0, BASE))
    workbench.load(str(DEMO_MODELS / model))
    loaded = workbench.host.loaded_model()
    assert loaded is not None
    return workbench, loaded


def verdicts(model: str, options: CheckOptions) -> Iterator[tuple[str, CheckVerdict, tuple[str, ...]]]:
    """(case, verdict, notes) of ``model`` with ``options``."""
    rope = RopeEngine()
    with tempfile.TemporaryDirectory() as folder:
        workbench, loaded = load_unscaled(model, Path(folder))
        reading = RopeScaling(NO_SCALING, 1.0, BASE)
        measured = Remembering(
            LogitsModel(loaded.model, workbench.host.tokenizer), lambda: rope.read(loaded.model, reading).factor
        )
        for case, share in CASES.items():
            factor = max(1.0, MODELS[model] * share)
            scaling = RopeScaling(LINEAR if factor > 1 else NO_SCALING, factor, BASE)
            undo = rope.scale_live(loaded.model, scaling)
            try:
                window, template = round(BASE * factor), instruction_template(DEFAULT_TEMPLATE)
                subject = CheckedModel(model, "Transformers", measured, scaling, window, template, loaded.model)
                # What is beyond the right window takes longest, and no factor is judged by it.
                lengths = context_lengths(min(window, round(BASE * MODELS[model])))
                result = CheckService(rope).check(subject, replace(options, contexts=lengths))
            finally:
                undo()
            yield case, result.verdict, result.notes


def is_right(model: str, case: str, verdict: CheckVerdict) -> bool:
    """The whole window where it is loaded right; else the right factor is named."""
    if verdict.looks_like_factor != MODELS[model]:
        return False
    if case == "right":
        return verdict.kind == RIGHT and verdict.reads_to == round(BASE * MODELS[model])
    return verdict.kind == OTHER_FACTOR


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verdicts", description=__doc__)
    parser.add_argument("--model", choices=MODELS, nargs="+", default=list(MODELS))
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2], help="parts of Python's documentation")
    parser.add_argument("--text", type=Path, nargs="*", default=[], help="files to measure on, each by itself")
    parser.add_argument("--windows", type=int, default=CheckOptions.windows)
    parser.add_argument("--prompts", type=int, default=CheckOptions.prompts)
    parser.add_argument("--json", type=Path, help="write the verdicts there, after each one")
    arguments = parser.parse_args()
    plain = CheckOptions(windows=arguments.windows, prompts=arguments.prompts)
    asked = [(f"Python's documentation, seed {seed}", replace(plain, seed=seed)) for seed in arguments.seeds]
    for number, path in enumerate(arguments.text):
        text = (path.name, path.read_text(encoding="utf-8", errors="replace"))
        asked.append((path.name, replace(plain, texts=(text,), seed=100 + number)))
    judged = []
    for model in arguments.model:
        for name, options in asked:
            for case, verdict, notes in verdicts(model, options):
                right = is_right(model, case, verdict)
                judged.append(Judged(model, case, name, options.seed, verdict.kind, right, verdict.sentence))
                print(f"{'ok ' if right else 'BAD'} {model} {case:8} {name}: {verdict.sentence} {' '.join(notes)}")
                sys.stdout.flush()
                if arguments.json:
                    rows = json.dumps([asdict(one) for one in judged], indent=1, ensure_ascii=False)
                    arguments.json.write_text(rows + "\n", encoding="utf-8")
    wrong = [one for one in judged if not one.right]
    print(f"{len(wrong)} of {len(judged)} misjudged")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
