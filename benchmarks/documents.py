"""``python -m benchmarks.documents``: what working with documents costs, as ratios against what is there without us.

Needs requirements/benchmark.txt; each row that lacks a package says so and is left out.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from .bringing_in import bringing_in_rows
from .measuring import Row
from .packing import changing_rows, packing_rows, tokenizer_folder
from .passage_choice import passage_rows

#: What each part measures where nothing else is asked for. The last one takes superboogav2's way a minute a pair.
_CHARACTERS = {"packing": 1_000_000, "changing": 1_000_000, "passages": 10_000_000, "bringing-in": 50_000}
_WIDTHS = (70, 40, 8, 15, 13, 4)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.documents", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there as well")
    parser.add_argument("--bytes", type=int, metavar="N", help="the largest text, for every part (default: its own)")
    parser.add_argument("--only", nargs="+", choices=tuple(_CHARACTERS), metavar="PART")
    arguments = parser.parse_args()
    size = {part: arguments.bytes or most for part, most in _CHARACTERS.items()}
    sizes = sorted({min(few, size["packing"]) for few in (100_000, 300_000, size["packing"])})
    parts: dict[str, Callable[[], Iterator[Row]]] = {
        "packing": lambda: packing_rows(sizes),
        "changing": lambda: changing_rows(size["changing"]),
        "passages": lambda: passage_rows(size["passages"]),
        "bringing-in": lambda: bringing_in_rows(size["bringing-in"]),
    }
    print(f"Tokenizer: {tokenizer_folder().name}. Ratio: the median of the pairs; spread: least to most.")
    _print("name", "against", "ratio", "spread", "goal", "met")
    rows = []
    for name in arguments.only or parts:
        for row in _rows(name, parts[name]):
            met = {None: "", True: "yes", False: "NO"}[row.met]
            spread = f"{row.spread[0]:.3g} to {row.spread[1]:.3g}" if row.pairs > 1 else "one run"
            _print(row.name, row.against, f"{row.ratio:.3g}", spread, row.goal, met)
            rows.append(row.as_json())
    if arguments.json:
        arguments.json.write_text(f"{json.dumps(rows, indent=1)}\n", encoding="utf-8")
    return 0


def _rows(name: str, rows: Callable[[], Iterator[Row]]) -> Iterator[Row]:
    try:
        yield from rows()
    except ModuleNotFoundError as error:
        print(
            f"The package {error.name} is not there, so {name} ends here; install requirements/benchmark.txt.",
            file=sys.stderr,
        )


def _print(*columns: str) -> None:
    print("  ".join(text.ljust(width) for text, width in zip(columns, _WIDTHS, strict=True)).rstrip(), flush=True)


if __name__ == "__main__":
    sys.exit(main())
