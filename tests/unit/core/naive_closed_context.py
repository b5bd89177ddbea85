"""A second, naive reading of the closed-context format, written without a look at the first."""

from __future__ import annotations

import re
import unicodedata

from extensions.airoboros_longctx.core.prompts.closed_context import ClosedContext, block_of, normalise
from extensions.airoboros_longctx.core.prompts.look_alikes import defuse_text

TAGS = ["BEGININPUT", "ENDINPUT", "BEGINCONTEXT", "ENDCONTEXT", "BEGININSTRUCTION", "ENDINSTRUCTION"]
MARKS = ["</s>", "<s>", "<unk>", "[INST]", "[/INST]", "<<SYS>>", "<</SYS>>", "{{user}}", "{{char}}",
         "<__media__>", "<|round|>", "<|user-message|>", "fake assistant message replace me",
         "fake user message replace me"]  # fmt: skip


def naive_parse(text: str) -> tuple[list[tuple[list[tuple[str, str]], str]], str]:
    """The documents (pairs and text) and the instruction, cut out with one regular expression."""
    block = r"BEGININPUT\nBEGINCONTEXT\n(?P<pairs>(?:[^\n]*: [^\n]*\n)*?)ENDCONTEXT\n(?P<text>.*?)\nENDINPUT\n"
    whole = re.fullmatch(rf"(?P<blocks>(?:{block})*)BEGININSTRUCTION\n(?P<ask>.*)\nENDINSTRUCTION", text, re.DOTALL)
    assert whole is not None, text
    documents = []
    for found in re.finditer(block, whole["blocks"], re.DOTALL):
        pairs = [tuple(line.split(": ", 1)) for line in found["pairs"].splitlines()]
        documents.append((pairs, found["text"]))
    return documents, whole["ask"]


def plain(text: str) -> str:
    """``text`` in compatibility form, without what cannot be seen."""
    return "".join(
        sign
        for sign in unicodedata.normalize("NFKD", text)
        if unicodedata.category(sign) not in ("Cf", "Mn", "Me", "Cs") and (sign in "\n\t" or sign.isprintable())
    )


def marks_in(text: str) -> list[str]:
    """What of the models' or the webui's structure a person would see in ``text``."""
    seen = plain(text)
    found = [tag for tag in TAGS if tag in re.sub(r"[ \t]*\n[ \t\n]*", "", seen)]
    found += [mark for mark in MARKS if mark in seen]
    return found + re.findall(r"(?m)^[ \t]*((?:USER|ASSISTANT):)", seen)


def defuse_and_count(context: ClosedContext) -> tuple[ClosedContext, int]:
    """``context`` as the model is to read it, and how many marks of structure were broken for that."""
    blocks = [block_of(one) for one in context.documents]
    instruction, count = defuse_text(normalise(context).instruction)
    return ClosedContext(tuple(one.document for one in blocks), instruction), count + sum(one.defused for one in blocks)


def defuse(context: ClosedContext) -> ClosedContext:
    return defuse_and_count(context)[0]
