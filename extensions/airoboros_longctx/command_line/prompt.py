"""``prompt``: the exact prompt of a question, alone or over documents, and nothing else."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..core.errors import AiroborosLongctxError
from ..core.families import generations
from ..core.packing.left_out_sentences import left_out_sentences
from ..core.prompts.closed_context import ClosedContext, Document, validate
from ..core.prompts.document_options import PASSAGES, WHEN_TOO_LONG, DocumentOptions
from ..core.prompts.instruction_templates import (
    DEFAULT_TEMPLATE,
    InstructionTemplate,
    instruction_template,
    instruction_templates,
    render_conversation,
)
from ..core.prompts.plainformat import with_plainformat
from ..core.token_estimate import ESTIMATE_ID, estimate_tokens
from ..documents.reading import read_document
from ..prompt_service import PromptService
from .number_of_tokens import number_of_tokens

NAME = "prompt"
HELP = "print the exact prompt of a question, alone or over documents"
DESCRIPTION = f"""\
Print the exact prompt of a question in a model's own format, and nothing else: no line end is added.
With documents it is a closed-context question; --meta belongs to the document before it. What a file says about itself
(title, author) is not put into the prompt: --meta alone is.

  python -m extensions.airoboros_longctx prompt --document story.txt --meta url=https://web.site/123 \\
      --question "What color are blueberries?  Source?"

--max-tokens bounds the prompt; what --when-too-long leaves out of the documents is marked in them and said on standard
error. Tokens are estimated without a tokenizer: one for every three letters and for every other byte, which is more
than Llama's tokenizer takes.
Default template: {DEFAULT_TEMPLATE}.
"""
#: The question is printed as it is given; the sentences of the panel's ticks are the caller's to write.
_AS_GIVEN = DocumentOptions(only_from_documents=False, name_sources=False)
_WHEN_TOO_LONG = (
    "passages: the passages that matter for the question are kept (the default); whole: documents that do not "
    "fit are left out, the first ones are kept first; shorten: each keeps its beginning"
)


class PromptCommandError(AiroborosLongctxError):
    """Something on the command line that cannot be used."""


class _AddDocument(argparse.Action):
    def __call__(self, parser: Any, namespace: Any, value: Any, option: str | None = None) -> None:
        namespace.documents = [*(namespace.documents or []), (value, [])]


class _AddPair(argparse.Action):
    def __call__(self, parser: Any, namespace: Any, value: Any, option: str | None = None) -> None:
        key, equals, text = value.partition("=")
        if not namespace.documents:
            parser.error(f"--meta {value!r} stands before any --document; put it after the document it belongs to")
        if not equals or not key.strip():
            parser.error(f"--meta {value!r} found; key=value is needed, such as --meta url=https://web.site")
        namespace.documents[-1][1].append((key, text))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(documents=[])
    parser.add_argument(
        "--document", action=_AddDocument, metavar="FILE", help="text, PDF, Word and more; may be repeated"
    )
    parser.add_argument("--meta", action=_AddPair, metavar="KEY=VALUE", help="metadata of the document before it")
    parser.add_argument("--question", required=True, metavar="TEXT", help="the question or instruction, kept as it is")
    parser.add_argument("--plainformat", action="store_true", help="ask for bare code; not together with documents")
    parser.add_argument("--template", default=DEFAULT_TEMPLATE, metavar="NAME", help=", ".join(instruction_templates()))
    parser.add_argument(
        "--max-tokens", type=number_of_tokens, metavar="N", help="the longest prompt, in estimated tokens"
    )
    parser.add_argument("--when-too-long", choices=WHEN_TOO_LONG, default=PASSAGES, help=_WHEN_TOO_LONG)


def run(arguments: argparse.Namespace) -> int:
    template = instruction_template(arguments.template)
    if arguments.documents and arguments.plainformat:
        raise PromptCommandError(
            "--plainformat was given with --document; PLAINFORMAT has no meaning in a closed-context question: "
            "leave one of them out."
        )
    if not arguments.question.strip():
        raise PromptCommandError("--question is empty; a question or an instruction is needed.")
    prompt = _prompt(arguments, template)
    sys.stdout.flush()
    sys.stdout.buffer.write(prompt.encode("utf-8", "replace"))
    return 0


def _prompt(arguments: argparse.Namespace, template: InstructionTemplate) -> str:
    turn = _PlainTurn(template, arguments.max_tokens)
    if not arguments.documents:
        question = arguments.question
        if arguments.plainformat:
            question = with_plainformat(question, _separator(template))
        prompt = turn.render(question, 0)
        if turn.count_tokens(prompt) > turn.limit_tokens:
            raise PromptCommandError(
                f"The question takes {turn.count_tokens(prompt)} tokens with its template (estimated); --max-tokens "
                f"allows {turn.limit_tokens}. Shorten the question or raise --max-tokens."
            )
        return prompt
    documents = tuple(Document(_text(name), tuple(pairs)) for name, pairs in arguments.documents)
    validate(ClosedContext(documents, arguments.question))
    options = replace(_AS_GIVEN, when_too_long=arguments.when_too_long)
    built = PromptService().build(documents, arguments.question, options, turn)
    for sentence in left_out_sentences(built, [Path(name).name for name, _ in arguments.documents]):
        print(sentence, file=sys.stderr)
    return built.text


class _PlainTurn:
    """The first turn of a chat in a template, its tokens estimated."""

    turns = 0
    tokenizer_id = ESTIMATE_ID

    def __init__(self, template: InstructionTemplate, most_tokens: int | None) -> None:
        self._template = template
        self.limit_tokens = sys.maxsize if most_tokens is None else most_tokens

    def render(self, message: str, turns: int) -> str:
        return render_conversation(self._template, message)

    def count_tokens(self, text: str) -> int:
        return estimate_tokens(text)


def _separator(template: InstructionTemplate) -> str:
    """PLAINFORMAT's separator, as the first of the template's generations that knows the term was trained."""
    known: Sequence[Any] = [one for one in generations() if one.template == template.name]
    separators = [one.plainformat_separator for one in known if one.plainformat_separator is not None]
    if not separators:
        raise PromptCommandError(f"The models of {template.name} are not known to have learned PLAINFORMAT.")
    return str(separators[0])


def _text(name: str) -> str:
    path = Path(name)
    read = read_document(path, path.name)
    for note in read.notes:
        print(f"{read.title}: {note}", file=sys.stderr)
    return read.text
