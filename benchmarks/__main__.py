"""What this extension costs and saves, as ratios measured side by side in one run: a table, and JSON.

The ratio is the median of the pairs, the spread their least and most. Everything runs on one thread. With
--json docs/benchmarks.json the README's table is written as well.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from .readme import KEPT, write_readme
from .rows import Options, Row, Skipped, write_json
from .table import HEADINGS, columns

#: The modules that measure, in the order of the table.
BENCHMARKS: tuple[str, ...] = (
    "extension_cost",
    "scaled_load",
    "check",
    "follow_up",
    "kept_rounding",
    "packing",
    "changes",
    "passages",
    "bringing_in",
)
_WIDTHS = (66, 44, 7, 16, 14, 4)


def main(arguments: list[str]) -> int:
    benchmarks = {str(module.NAME): module for module in map(_module, BENCHMARKS)}
    parser = _parser(benchmarks)
    asked = parser.parse_args(arguments)
    kept = asked.json is not None and asked.json.resolve() == KEPT
    if kept and (asked.only or asked.quick):
        parser.error(f"{asked.json} is what the README's table is made from, and takes a whole run.")
    if asked.list:
        for name, module in benchmarks.items():
            print(f"{name:<16} {(module.__doc__ or '').splitlines()[0]}")
        return 0
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
    os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
    os.environ.update(TRANSFORMERS_VERBOSITY="error", TQDM_DISABLE="1")  # nothing between the rows
    _print(HEADINGS)
    rows: list[Row] = []
    failed = []
    for name in asked.only or benchmarks:
        try:
            for row in _rows(name, benchmarks[name], Options(quick=asked.quick)):
                _print(columns(row))
                rows.append(row)
        except Exception:
            traceback.print_exc()
            failed.append(name)
    if asked.json is not None and not (kept and failed):
        write_json(rows, asked.json)
    if kept and not failed:
        write_readme(rows)
    if failed:
        print(f"Not measured, for the errors above: {', '.join(failed)}.", file=sys.stderr)
    return int(bool(failed))


def _parser(benchmarks: dict[str, ModuleType]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="start.py bench", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=tuple(benchmarks), metavar="NAME", help="these alone")
    parser.add_argument("--list", action="store_true", help="say what there is to measure, and measure nothing")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows to FILE as well")
    parser.add_argument("--quick", action="store_true", help="small texts, two pairs: shows that it runs, no figures")
    return parser


def _module(name: str) -> ModuleType:
    return importlib.import_module(f".{name}", __package__)


def _rows(name: str, module: ModuleType, options: Options) -> Iterator[Row]:
    try:
        yield from module.rows(options)
    except Skipped as reason:
        print(f"{name}: {reason}", file=sys.stderr, flush=True)
    except ModuleNotFoundError as error:
        print(
            f"{name}: the package {error.name} is not installed; requirements/benchmark.txt names it.", file=sys.stderr
        )


def _print(texts: tuple[str, ...]) -> None:
    print("  ".join(text.ljust(width) for text, width in zip(texts, _WIDTHS, strict=True)).rstrip(), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
