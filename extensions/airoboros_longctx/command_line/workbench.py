"""``workbench``: chat with a local model folder in the browser, without a webui."""

from __future__ import annotations

import argparse

from .server_arguments import add_server_arguments, server_options

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
    add_server_arguments(parser)
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
