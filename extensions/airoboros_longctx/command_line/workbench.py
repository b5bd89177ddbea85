"""``workbench``: chat with a local model folder in the browser, without a webui."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import AiroborosLongctxError
from .number_of_tokens import number_of_tokens

if TYPE_CHECKING:
    from ..host.served_model import ServerOptions

NAME = "workbench"
HELP = "chat with a local model folder in the browser, without a webui"
DESCRIPTION = """\
Open the workbench: chat with a model folder over Transformers. The model is scaled and confirmed as in a webui.
Without --model, a small model that ships with the repository is loaded.

With --server, a model that an OpenAI-compatible server holds is asked instead: exact prompts go to its text completion
endpoint (/v1/completions). Nothing is scaled then, and nobody can see from here what that server runs.
"""
LOOPBACK = "127.0.0.1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    model = parser.add_mutually_exclusive_group()
    model.add_argument("--model", metavar="FOLDER", help="the model folder to load first")
    model.add_argument("--server", metavar="URL", help="an OpenAI-compatible server, e.g. http://127.0.0.1:5000/v1")
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
    parser.add_argument(
        "--listen", metavar="ADDRESS", default=LOOPBACK, help=f"address to serve on (default: {LOOPBACK}, this machine)"
    )
    parser.add_argument("--port", type=int, default=7860, metavar="N", help="port to serve on (default: 7860)")
    parser.add_argument(
        "--documents-from-web",
        action="store_true",
        help="let people add web pages to their documents; they are fetched from public addresses only",
    )
    parser.add_argument(
        "--plans-from-web",
        action="store_true",
        help="let plans read the web pages that they name; they are fetched from public addresses only",
    )
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")


def run(arguments: argparse.Namespace) -> int:
    server = server_options(arguments)
    from .. import workbench

    settings = {"documents_from_web": arguments.documents_from_web, "plans_from_web": arguments.plans_from_web}
    workbench.run(arguments.model, arguments.listen, arguments.port, not arguments.no_browser, settings, server)
    return 0


def server_options(arguments: argparse.Namespace) -> ServerOptions | None:
    """What was said of a server; None without ``--server``. Raises AiroborosLongctxError with a sentence."""
    names = ("server_model", "api_key_file", "api_key_env", "context", "template")
    if arguments.server is None:
        if alone := [f"--{name.replace('_', '-')}" for name in names if getattr(arguments, name) is not None]:
            raise AiroborosLongctxError(f"{', '.join(alone)} was given without --server; it is for a server only.")
        return None
    from ..core.prompts.instruction_templates import instruction_template
    from ..host.served_model import ServerOptions

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
