"""``python -m benchmarks.results``: write docs/results.md from the checks that are kept in docs/checks/.

With --measure the shipped models are checked first, on the English that was held out of their training, and the
results are kept. That takes a quarter of an hour on one core.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import tempfile
from collections import Counter
from pathlib import Path

from extensions.airoboros_longctx.command_line import main as command_line
from extensions.airoboros_longctx.core.checking.check_result import CheckResult, PerplexityPoint, shown_perplexity
from extensions.airoboros_longctx.core.checking.result_file import read_result
from extensions.airoboros_longctx.core.checking.tables import (
    KINDS,
    markdown_table,
    perplexity_markdown,
    retrieval_markdown,
)

from .published import LXCTX_7B, PI_8192, Published

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "docs" / "checks"
PAGE = ROOT / "docs" / "results.md"
#: Each shipped model beside the published figures of the same factor.
BESIDE = {"airoboros-tiny-1.4.1-PI-1024": PI_8192, "airoboros-tiny-1.4.1-lxctx-PI-2048": LXCTX_7B}
VERDICTS = KEPT / "verdicts.json"
VERDICTS_HEAD = """\
## How often the verdict is right

`python -m benchmarks.verdicts` loads each model with its right factor, half of it, none and double, and checks it with
the options that `check` has when none is given, on several parts of Python's documentation and on other texts. A
verdict is right where it says "right" of the right factor and reads the whole window, and names the right factor
otherwise.
"""
HEAD = """\
# How the shipped models read their window

Written by `python -m benchmarks.results` from the checks in `docs/checks/`; nothing here is edited by hand. Every check
is `python -m extensions.airoboros_longctx check MODEL --compare-unscaled --factors …` on English that the models were
not trained on. The shipped models are small (1.4 million parameters), so their perplexities are higher than those of
published ones; what is to be compared is the shape: scaled, perplexity falls or stays (within 5 %) to the end of the
window; unscaled, it is worse from the beginning or explodes past the base window.
"""


def measure(model: str, factor: int) -> None:
    """Check a shipped model at its factor, at none and at half, and keep the result."""
    held_out = importlib.import_module("demo.train.english").topics()[1]
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for number, text in enumerate(held_out):
            path = Path(folder) / f"held-out-{number}.txt"
            path.write_text(text, encoding="utf-8")
            files.append(str(path))
        out = Path(folder) / "out"
        given = ["check", str(ROOT / "demo" / "models" / model), "--text", *files, "--out", str(out)]
        command_line([*given, "--compare-unscaled", "--factors", f"{factor // 2}", "--windows", "32"])
        (KEPT / f"{model}.json").write_bytes((out / "result.json").read_bytes())


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for model, published in BESIDE.items():
        result = read_result(KEPT / f"{model}.json")
        parts += [f"## {model}", result.verdict.sentence, perplexity_markdown(result)]
        parts += [f"Beside {published.source}, by context in base windows:", _beside(result, published)]
        for kind, title in KINDS.items():
            parts += [f"{title}, by context length and depth (0: the beginning of the prompt), as loaded:"]
            parts.append(retrieval_markdown(result.measured[0], kind))
        parts.append(f"{result.method} Checked in {result.seconds:.0f} s.")
    parts += [VERDICTS_HEAD, _verdicts()]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _verdicts() -> str:
    """A row for each model and case: how many texts, and how many of the verdicts are right; then the texts."""
    rows = json.loads(VERDICTS.read_text(encoding="utf-8"))
    right = Counter((row["model"], row["case"]) for row in rows if row["right"])
    asked = Counter((row["model"], row["case"]) for row in rows)
    lines = [[model, case, f"{right[model, case]} of {count}"] for (model, case), count in asked.items()]
    texts = "; ".join(sorted({row["text"] for row in rows}))
    return markdown_table(["model", "loaded with", "verdicts right"], lines) + f"\n\nTexts: {texts}."


def _beside(result: CheckResult, published: Published) -> str:
    """Rows by the context length as a share of the base window: the windows differ, the shape should not."""
    curves = {one.scaling.factor: one.perplexity for one in result.measured}
    ours = [_by_share(curves[result.measured[0].scaling.factor], result), _by_share(curves[1.0], result)]
    theirs = [
        {length / published.base_window: value for length, value in curve.items()}
        for curve in (published.scaled, published.unscaled)
    ]
    shares = sorted({share for curve in (*ours, *theirs) for share in curve})
    rows = [[_spoken(share), *(curve.get(share, "") for curve in (*ours, *theirs))] for share in shares]
    return markdown_table(["context", "shipped", "shipped, unscaled", "published", "published, unscaled"], rows)


def _by_share(points: tuple[PerplexityPoint, ...], result: CheckResult) -> dict[float, str]:
    base = result.original_max_position_embeddings
    return {point.context_tokens / base: shown_perplexity(point.perplexity) for point in points}


def _spoken(share: float) -> str:
    return f"× {share:g}" if share >= 1 else f"× 1/{1 / share:g}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.results", description=__doc__)
    parser.add_argument("--measure", action="store_true", help="check the shipped models again first")
    arguments = parser.parse_args()
    if arguments.measure:
        measure("airoboros-tiny-1.4.1-PI-1024", 4)
        measure("airoboros-tiny-1.4.1-lxctx-PI-2048", 8)
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
