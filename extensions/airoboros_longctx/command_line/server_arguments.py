"""What is said of an OpenAI-compatible server on the command line, beside its address in ``--server``."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import AiroborosLongctxError
from .number_of_tokens import number_of_tokens

if TYPE_CHECKING:
    from ..host.served.model import ServerOptions


def add_server_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--server-model", metavar="NAME", help="the model to ask the server for (default: its first)")
    key = parser.add_mutually_exclusive_group()
    key.add_argument("--api-key-file", metavar="FILE", type=Path, help="a file that holds the server's key and no more")
    key.add_argument("--api-key-env", metavar="NAME", help="the environment variable that holds the server's key")
    parser.add_argument(
        "--context", type=number_of_tokens, metavar="N", help="the server's window in tokens (default: what it says)"
    )
    parser.add_argument(
        "--template", metavar="NAME", help="the prompt format for the server (default: by the model's name)"
    )


def server_options(arguments: argparse.Namespace) -> ServerOptions | None:
    """What was said of a server; None without ``--server``. Raises AiroborosLongctxError with a sentence."""
    names = ("server_model", "api_key_file", "api_key_env", "context", "template")
    if arguments.server is None:
        if alone := [f"--{name.replace('_', '-')}" for name in names if getattr(arguments, name) is not None]:
            raise AiroborosLongctxError(f"{', '.join(alone)} was given without --server; it is for a server only.")
        return None
    from ..core.prompts.instruction_templates import instruction_template
    from ..host.served.model import ServerOptions

    if arguments.template is not None:
        instruction_template(arguments.template)
    return ServerOptions(
        arguments.server,
        _api_key(arguments.api_key_file, arguments.api_key_env),
        arguments.server_model,
        arguments.context,
        arguments.template,
    )


def _api_key(file: Path | None, variable: str | None) -> str:
    """The key in ``file`` or the environment variable; "" where neither is named. No sentence ever shows it."""
    if file is not None:
        try:
            key, where = file.read_text(encoding="utf-8").strip(), f"The file {str(file)!r}"
        except (OSError, UnicodeDecodeError) as error:
            raise AiroborosLongctxError(
                f"The key file {str(file)!r} could not be read: {type(error).__name__}."
            ) from None
    elif variable is not None:
        key, where = os.environ.get(variable, "").strip(), f"The environment variable {variable}"
    else:
        return ""
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise AiroborosLongctxError(f"{where} holds no key; one line of printable characters without blanks is needed.")
    return key
