"""Closed-context questions in the models' own format: normalise, validate, render harmless; and parse.

The format is the model cards': one block BEGININPUT … ENDINPUT per document, with its metadata between BEGINCONTEXT
and ENDCONTEXT, then one block BEGININSTRUCTION … ENDINSTRUCTION (https://huggingface.co/jondurbin/airoboros-33b-gpt4-1.4).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..errors import AiroborosLongctxError
from ..foreign_text import quoted, whole_characters

BEGIN_INPUT, END_INPUT = "BEGININPUT", "ENDINPUT"
BEGIN_CONTEXT, END_CONTEXT = "BEGINCONTEXT", "ENDCONTEXT"
BEGIN_INSTRUCTION, END_INSTRUCTION = "BEGININSTRUCTION", "ENDINSTRUCTION"
DELIMITERS = (BEGIN_INPUT, END_INPUT, BEGIN_CONTEXT, END_CONTEXT, BEGIN_INSTRUCTION, END_INSTRUCTION)

#: Line ends that are not ``\n``.
_OTHER_LINE_ENDS = "\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
_LINE_ENDS = re.compile(f"\r\n|[{_OTHER_LINE_ENDS}]")


class ClosedContextError(AiroborosLongctxError):
    """Documents or an instruction that cannot be put into the format, or a text that is not in it."""


@dataclass(frozen=True)
class Document:
    """One input block. ``metadata`` are its pairs, in order; the model may name them as the source."""

    text: str
    metadata: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class ClosedContext:
    """The documents, and the instruction about all of them; several instructions are lines of it."""

    documents: tuple[Document, ...]
    instruction: str


def normalise(context: ClosedContext) -> ClosedContext:
    """Line ends are ``\\n``, a pair is one line, no text has blanks around it. The instruction keeps its blanks."""
    return ClosedContext(tuple(map(normalise_document, context.documents)), _clean(context.instruction))


def normalise_document(document: Document) -> Document:
    """One document as ``normalise`` makes it."""
    pairs = tuple((_key(key), _line(value)) for key, value in document.metadata)
    return Document(_clean(document.text).strip(), pairs)


def _clean(text: str) -> str:
    if any(sign in text for sign in _OTHER_LINE_ENDS):
        text = _LINE_ENDS.sub("\n", text)
    return whole_characters(text).replace("\0", "")


def _line(text: str) -> str:
    return " ".join(_clean(text).split())


def _key(key: str) -> str:
    return _line(key.replace(":", " "))


def validate(context: ClosedContext) -> None:
    """Raise ClosedContextError with a sentence where a block would not say what its owner means."""
    if not context.documents:
        raise ClosedContextError("There is no document; a closed-context question needs at least one.")
    validate_documents(context.documents)
    if not _clean(context.instruction).strip():
        raise ClosedContextError("The instruction is empty; a question or a task is needed.")


def validate_documents(documents: Sequence[Document]) -> None:
    """Raise ClosedContextError with a sentence for the first document that has no text or a name that is none."""
    for number, document in enumerate(documents, 1):
        if not normalise_document(document).text:
            raise ClosedContextError(f"Document {number} has no text; add some, or leave the document out.")
        for key, _ in document.metadata:
            if not _line(key) or ":" in key or "\n" in _clean(key.strip()):
                raise ClosedContextError(
                    f"Document {number} has the metadata name {quoted(key, 60)!r}; a name without a colon or a line "
                    "end is needed, such as url."
                )


@dataclass(frozen=True)
class Block:
    """A document made harmless, and its ``text`` in a message. Only ``block_of`` makes one: none is ever raw."""

    document: Document
    text: str
    defused: int


def block_of(document: Document) -> Block:
    """``document`` normalised, with every mark of structure in it broken; ``defused`` says how many there were."""
    from .look_alikes import defuse_text, looks_like_a_turn  # here, so that a webui starts without it

    document = normalise_document(document)
    text, total = defuse_text(document.text)
    pairs = []
    for raw_key, raw_value in document.metadata:
        key, in_key = defuse_text(raw_key)
        value, in_value = defuse_text(raw_value, starts_line=False)
        is_turn = looks_like_a_turn(key)
        pairs.append((f"{key}-" if is_turn else key, value))
        total += in_key + in_value + is_turn
    lines = [BEGIN_INPUT, BEGIN_CONTEXT, *(f"{key}: {value}" for key, value in pairs), END_CONTEXT, text, END_INPUT]
    return Block(Document(text, tuple(pairs)), "\n".join(lines), total)


def message_of(blocks: Iterable[Block], instruction: str) -> str:
    """The blocks, then the instruction, as the models were trained on them, without a line end after the last."""
    from .look_alikes import defuse_text

    harmless, _ = defuse_text(_clean(instruction))
    return "\n".join([*(block.text for block in blocks), BEGIN_INSTRUCTION, harmless, END_INSTRUCTION])


def render(context: ClosedContext) -> str:
    """The whole message of ``context``. Always defused."""
    return message_of(map(block_of, context.documents), context.instruction)


def parse(text: str) -> ClosedContext:
    """The blocks of a rendered text. Raises ClosedContextError that names the line which is not as it should be."""
    lines = enumerate(text.split("\n"), 1)
    documents: list[Document] = []
    while True:
        number, line = next(lines, (0, ""))
        if line == BEGIN_INSTRUCTION:
            break
        if line != BEGIN_INPUT:
            raise _unexpected(number, line, f"{BEGIN_INPUT} or {BEGIN_INSTRUCTION}")
        number, line = next(lines, (0, ""))
        if line != BEGIN_CONTEXT:
            raise _unexpected(number, line, BEGIN_CONTEXT)
        pairs = []
        for number, line in _until(END_CONTEXT, lines):
            key, separator, value = line.partition(": ")
            if not separator:
                raise _unexpected(number, line, "a pair such as url: https://web.site, or " + END_CONTEXT)
            pairs.append((key, value))
        documents.append(Document("\n".join(line for _, line in _until(END_INPUT, lines)), tuple(pairs)))
    instruction = "\n".join(line for _, line in _until(END_INSTRUCTION, lines))
    number, line = next(lines, (0, ""))
    if number:
        raise _unexpected(number, line, f"nothing after {END_INSTRUCTION}")
    return ClosedContext(tuple(documents), instruction)


def _until(delimiter: str, lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    for number, line in lines:
        if line == delimiter:
            return
        if line in DELIMITERS:
            raise _unexpected(number, line, delimiter)
        yield number, line
    raise _unexpected(0, "", delimiter)


def _unexpected(number: int, line: str, needed: str) -> ClosedContextError:
    found = f"Line {number} is {quoted(line, 60)!r}" if number else "The text ends"
    return ClosedContextError(f"{found}; {needed} is needed there.")
