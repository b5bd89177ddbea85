"""The command line. Each subcommand is a module here with NAME, HELP, DESCRIPTION, ``add_arguments`` and ``run``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from ..core.errors import AiroborosLongctxError
from . import check, documents, families, plan, prompt, workbench
from . import format as other_formats

PROGRAM = "python -m extensions.airoboros_longctx"
EXIT_USAGE = 2
EXIT_BROKEN_PIPE = 1
COMMANDS = (plan, check, prompt, other_formats, documents, families, workbench)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand. Returns its exit status; 2, with one sentence on stderr, where it cannot be done."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that lacks a sign gets a question mark
    parsed = create_parser().parse_args(arguments)
    try:
        status: int = parsed.run(parsed)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # whoever read the output had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE
    except AiroborosLongctxError as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return EXIT_USAGE


def create_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="RoPE-scaled Llama models (airoboros PI, SuperHOT, lxctx, …) at their full context.",
    )
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        subparser = subparsers.add_parser(
            command.NAME,
            help=command.HELP,
            description=command.DESCRIPTION,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_arguments(subparser)
        subparser.set_defaults(run=command.run)
    return parser
