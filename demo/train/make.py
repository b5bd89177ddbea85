"""Everything from nothing: `python -m demo.train.make --work DIR` makes both shipped folders again.

A step whose result is there already is skipped, and a broken-off training goes on where it was.
"""

import argparse
import pathlib
import subprocess
import sys

MODELS = pathlib.Path(__file__).resolve().parents[1] / "models"
#: folder -> (factor, steps of the fine-tune)
SHIPPED = {"airoboros-tiny-1.4.1-PI-1024": (4, 250), "airoboros-tiny-1.4.1-lxctx-PI-2048": (8, 250)}
SHAPE = "256,4,8,512"  # hidden, layers, heads, intermediate
BASE_SEED, STRETCH_SEED = 2, 1
RATE = "1e-3"  # learning rate of both runs


def _run(module: str, *arguments: object) -> None:
    subprocess.run([sys.executable, "-m", f"demo.train.{module}", *map(str, arguments)], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=pathlib.Path, required=True, help="folder for checkpoints and logs")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    work = options.work
    pieces = work / "tokenizer" / "tokenizer.model"
    if not pieces.exists():
        _run("tokenizer", pieces.parent)
    common = ("--tokenizer", pieces, "--threads", options.threads, "--autocast", "--resume")
    _run("train", "base", "--run", work / "base", "--shape", SHAPE, "--seed", BASE_SEED, "--rate", RATE, *common)
    for name, (factor, steps) in SHIPPED.items():
        run = work / f"x{factor}"
        scaled = ("--factor", factor, "--steps", steps, "--seed", STRETCH_SEED, "--rate", RATE)
        _run("train", "stretch", "--run", run, "--start", work / "base" / "checkpoint.pt", *scaled, *common)
        _run("export", run / "checkpoint.pt", pieces, MODELS / name, "--window", 256 * factor)
        _run("evaluate", MODELS / name, "--factor", factor, "--count", 20, "--threads", options.threads)


if __name__ == "__main__":
    main()
