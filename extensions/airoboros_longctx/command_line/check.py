"""``check MODEL_FOLDER``: measure how far a model reads, and whether its scaling is the right one."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..core.checking.check_options import CheckError, CheckOptions
from ..core.checking.check_result import OTHER_FACTOR, RIGHT, SHORT, UNCLEAR, CheckProgress, CheckResult
from ..core.checking.pace import spoken_time
from ..core.checking.result_file import as_json
from ..core.checking.tables import as_csv, as_markdown
from ..core.errors import AiroborosLongctxError
from ..documents.reading import read_document
from .number_of_tokens import number_of_tokens

NAME = "check"
HELP = "measure how far a model reads, and whether its scaling is the right one"
DESCRIPTION = """\
Load a model folder as the workbench does, scaled as planned, and measure it: perplexity by context length from 64
tokens to its window, and the answers it finds at different depths of the prompt (pass keys and closed-context
questions). Half and double its factor are tried too, on the loaded model, which is restored. Then say in words
whether the factor is right and how far the model reads.

  python -m extensions.airoboros_longctx check demo/models/airoboros-tiny-1.4.1-PI-1024
  python -m extensions.airoboros_longctx check MODEL_FOLDER --text book.txt --compare-unscaled --out checked

Ctrl+C ends it after the forward pass that runs; what was measured until then is shown and written.

exit status: 0 the scaling is right and the whole window is read; 1 another factor reads better, or the window is not
read to its end; 2 the check could not be made; 3 what was measured does not tell
"""
STATUS = {RIGHT: 0, OTHER_FACTOR: 1, SHORT: 1, UNCLEAR: 3}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model_folder", metavar="MODEL_FOLDER", help="a folder with a model in Hugging Face format")
    parser.add_argument(
        "--text",
        nargs="+",
        default=[],
        metavar="FILE",
        help="measure perplexity on these (default: the documentation that comes with Python)",
    )
    parser.add_argument(
        "--contexts", type=_lengths, default=(), metavar="64,128,…", help="context lengths (default: 64, 128, … window)"
    )
    parser.add_argument(
        "--compare-unscaled", action="store_true", help="measure the model unscaled too, at all lengths"
    )
    parser.add_argument(
        "--factors", type=_factors, default=(), metavar="2,8", help="measure it at these factors too, at all lengths"
    )
    parser.add_argument("--no-trial", action="store_true", help="do not try half and double the factor")
    parser.add_argument(
        "--windows", type=number_of_tokens, default=16, metavar="N", help="pieces of text per length (default: 16)"
    )
    parser.add_argument(
        "--prompts", type=number_of_tokens, default=2, metavar="N", help="prompts per kind, length, depth (default: 2)"
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="write table.md, table.csv, result.json and plots there"
    )


def run(arguments: argparse.Namespace) -> int:
    texts = tuple(_text(name) for name in arguments.text)
    if arguments.out is not None:
        _make_folder(arguments.out)
    from ..check_service import CheckService
    from ..checking.measured_model import LogitsModel
    from ..core.checking.checked_model import checked_model
    from ..rope.engine import RopeEngine
    from ..workbench import Workbench

    workbench = Workbench()
    workbench.load(arguments.model_folder)
    loaded = workbench.host.loaded_model()
    if loaded is None:
        raise CheckError("No model is loaded; a folder with a model in Hugging Face format is needed.")
    options = CheckOptions(
        contexts=arguments.contexts,
        texts=texts,
        compare_unscaled=arguments.compare_unscaled,
        factors=arguments.factors,
        trial=not arguments.no_trial,
        windows=arguments.windows,
        prompts=arguments.prompts,
    )
    subject = checked_model(workbench.service.status(), loaded, LogitsModel(loaded.model, workbench.host.tokenizer))
    show = _Progress()
    with _stopped_by_ctrl_c() as stopping:
        result = CheckService(RopeEngine()).check(subject, options, show, stopping.is_set)
    show.end()
    print(as_markdown(result), end="")
    if arguments.out is not None:
        _write(result, arguments.out)
    return STATUS[result.verdict.kind]


class _Progress:
    """One line on standard error: rewritten on a terminal, a new one for every tenth elsewhere."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._tenth = -1

    def __call__(self, progress: CheckProgress) -> None:
        left = "" if progress.seconds_left is None else f", about {spoken_time(progress.seconds_left)} left"
        line = f"{progress.share:4.0%}{left}: {progress.doing}"
        if self._live:
            print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)
        elif int(progress.share * 10) > self._tenth:
            self._tenth = int(progress.share * 10)
            print(line, file=sys.stderr, flush=True)

    def end(self) -> None:
        if self._live:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


@contextmanager
def _stopped_by_ctrl_c() -> Iterator[threading.Event]:
    """The event is set by the first Ctrl+C; the second ends the program as ever."""
    stopping = threading.Event()

    def stop(number: int, frame: object) -> None:
        signal.signal(signal.SIGINT, before)
        print("\nStopping after this forward pass …", file=sys.stderr, flush=True)
        stopping.set()

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield stopping
    finally:
        signal.signal(signal.SIGINT, before)


def _write(result: CheckResult, folder: Path) -> None:
    try:
        for name, text in (
            ("table.md", as_markdown(result)),
            ("table.csv", as_csv(result)),
            ("result.json", as_json(result)),
        ):
            (folder / name).write_text(text, encoding="utf-8")
            print(f"wrote {folder / name}", file=sys.stderr)
    except OSError as error:
        raise CheckError(f"The result could not be written to {folder}: {error.strerror}.") from error
    try:
        from ..plots.files import write_plots

        for path in write_plots(result, folder):
            print(f"wrote {path}", file=sys.stderr)
    except (ImportError, AiroborosLongctxError) as error:
        print(f"No plots were drawn. {error}", file=sys.stderr)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CheckError(f"--out {folder} is no folder that can be written to: {error.strerror}.") from error


def _text(name: str) -> tuple[str, str]:
    path = Path(name)
    read = read_document(path, path.name)
    for note in read.notes:
        print(f"{read.title}: {note}", file=sys.stderr)
    return path.name, read.text


def _lengths(text: str) -> tuple[int, ...]:
    return tuple(number_of_tokens(part) for part in text.split(","))


def _factors(text: str) -> tuple[float, ...]:
    try:
        factors = tuple(float(part) for part in text.split(","))
    except ValueError:
        factors = (0.0,)
    if not all(1 <= factor <= 1000 for factor in factors):
        raise argparse.ArgumentTypeError(f"{text!r} found; factors of 1 or more are needed, such as 2,8")
    return factors
