"""``format``: the models' other formats and the recipes; print what is asked, and read what was answered."""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import sys
from pathlib import Path
from typing import Any

from ..core.errors import AiroborosLongctxError
from ..core.foreign_text import UnreadableFileError, quoted, read_bytes
from ..core.formats import Format, format_named, formats
from ..core.formats.errors import FormatError
from ..core.formats.form_field import DOCUMENT
from ..core.formats.yaml_data import plain_data, read_yaml
from ..core.prompts.instruction_templates import instruction_template, instruction_templates, render_conversation
from ..core.recipes.filling import fill
from ..core.recipes.recipe_files import load_recipes, recipe_named
from ..documents.reading import read_document
from .run_plan import add_run_plan

NAME = "format"
HELP = "print a prompt in one of the models' other formats, and read the reply"
DESCRIPTION = """\
The models' formats beside questions and documents. A request is a YAML file; "-" is standard input.

  python -m extensions.airoboros_longctx format render function_calling --request request.yaml
  python -m extensions.airoboros_longctx format parse function_calling --request request.yaml --reply reply.txt
  python -m extensions.airoboros_longctx format recipe letter_in_a_style --set "style=a pirate captain"

"render" and "recipe" print the exact message and nothing else, with --template NAME the whole prompt; no line end is
added. "parse" prints what the reply says as JSON; nothing of it is executed. docs/formats.md has the fields.

exit status: 0; 1 the reply is not in its format; 2 the request or the recipe cannot be used
"""
NOT_IN_FORMAT = 1
_MOST_BYTES = 16 << 20
#: JSON leaves these signs as they are, and they would steer a terminal.
_CONTROLS = re.compile("[\x7f-\x9f]")


class FormatCommandError(AiroborosLongctxError):
    """Something on the command line that cannot be used."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(title="actions", metavar="ACTION", dest="action", required=True)
    for name, text in (("render", "print the message of a request"), ("parse", "read a reply, print it as JSON")):
        action = actions.add_parser(name, help=text)
        action.add_argument("format", metavar="NAME", help=", ".join(formats()))
        action.add_argument("--request", required=True, metavar="FILE", help="the request as YAML")
        if name == "render":
            _add_template(action)
        else:
            action.add_argument("--reply", required=True, metavar="FILE", help="the model's reply")
    recipe = actions.add_parser("recipe", help="print the message of a recipe; without a name, list the recipes")
    recipe.add_argument("recipe", metavar="NAME", nargs="?", help="which one")
    recipe.add_argument(
        "--set", action="append", default=[], metavar="FIELD=VALUE", help="a field's value; may be repeated"
    )
    recipe.add_argument(
        "--read", action="append", default=[], metavar="FIELD=FILE", help="a field's value from a file; may be repeated"
    )
    recipe.add_argument("--recipes", type=Path, metavar="FOLDER", help="a folder with recipes of your own")
    _add_template(recipe)
    add_run_plan(actions)


def _add_template(action: argparse.ArgumentParser) -> None:
    action.add_argument("--template", metavar="NAME", help=", ".join(instruction_templates()))


def run(arguments: argparse.Namespace) -> int:
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        raise FormatCommandError("It was stopped.") from None


def _run(arguments: argparse.Namespace) -> int:
    if arguments.action == "recipe":
        return _recipe(arguments)
    if arguments.action == "parse" and arguments.request == arguments.reply == "-":
        raise FormatCommandError("--request and --reply are both standard input; one of them has to be a file.")
    one = format_named(arguments.format)
    request = one.request_from(plain_data(read_yaml(_text(arguments.request), "The request")))
    if arguments.action == "render":
        return _print_message(one.render(request), arguments.template)
    return _parse(one, _text(arguments.reply), request)


def _parse(one: Format, reply: str, request: Any) -> int:
    try:
        result = one.parse(reply, request)
    except FormatError as error:
        print(error, file=sys.stderr)
        return NOT_IN_FORMAT
    shown = json.dumps(dataclasses.asdict(result), ensure_ascii=False, indent=2)
    print(_CONTROLS.sub(lambda sign: f"\\u{ord(sign[0]):04x}", shown))
    return 0


def _recipe(arguments: argparse.Namespace) -> int:
    if arguments.recipes is not None and not arguments.recipes.is_dir():
        raise FormatCommandError(
            f"--recipes {quoted(arguments.recipes)} is no folder; a folder with recipes is needed."
        )
    recipes, problems = load_recipes(arguments.recipes)
    for problem in problems:
        print(problem, file=sys.stderr)
    if arguments.recipe is None:
        for one in recipes.values():
            print(f"{one.name}: {one.title} ({', '.join(field.name for field in one.fields)})")
        return 0
    recipe = recipe_named(arguments.recipe, recipes)
    documents = [field.name for field in recipe.fields if field.kind == DOCUMENT]
    values = dict(_pair("--set", given) for given in arguments.set)
    for given in arguments.read:
        name, file = _pair("--read", given)
        values[name] = read_document(Path(file), Path(file).name).text if name in documents else _text(file)
    return _print_message(fill(recipe, values), arguments.template)


def _pair(option: str, given: str) -> tuple[str, str]:
    name, equals, value = given.partition("=")
    if not equals or not name.strip():
        raise FormatCommandError(f"{option} {given!r} found; FIELD=VALUE is needed, such as {option} topic=bananas.")
    return name.strip(), value


def _print_message(message: str, template: str | None) -> int:
    if template is not None:
        message = render_conversation(instruction_template(template), message)
    sys.stdout.flush()
    sys.stdout.buffer.write(message.encode("utf-8", "replace"))
    return 0


def _text(file: str) -> str:
    if file == "-":
        return sys.stdin.buffer.read(_MOST_BYTES).decode("utf-8-sig", "replace")
    try:
        content, more = read_bytes(Path(file), _MOST_BYTES)
    except UnreadableFileError as error:
        raise FormatCommandError(f"{quoted(file)} {error}; a text file is needed.") from error
    if more:
        raise FormatCommandError(f"{quoted(file)} is larger than {_MOST_BYTES >> 20} MiB; a smaller file is needed.")
    return content.decode("utf-8-sig", "replace")
