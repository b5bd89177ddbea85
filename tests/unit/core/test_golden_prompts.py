"""The golden prompts: exact text, and exact ids with the shipped tokenizer and, where it is, the Llama one."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from extensions.airoboros_longctx.core.prompts.closed_context import ClosedContext, Document, parse, render
from extensions.airoboros_longctx.core.prompts.instruction_templates import (
    instruction_template,
    instruction_templates,
    render_conversation,
)

ROOT = Path(__file__).parents[3]
CASES = sorted(path.parent for path in (ROOT / "tests" / "golden").glob("*/case.json"))
SHIPPED = ROOT / "demo" / "models" / "airoboros-tiny-1.4.1-PI-1024"
LLAMA = ROOT.parent / "shared" / "data" / "llama-tokenizer" / "tokenizer.model"


@pytest.fixture(params=CASES, ids=lambda folder: folder.name)
def case(request: pytest.FixtureRequest) -> Path:
    return request.param


def prompt_of(folder: Path) -> str:
    return (folder / "prompt.txt").read_bytes().decode()


def tokens_of(folder: Path) -> dict[str, list[int]]:
    return dict(json.loads((folder / "tokens.json").read_text()))


def message_of(data: dict[str, Any]) -> str:
    if "documents" not in data:
        return str(data["question"])
    blocks = (Document(one["text"], tuple((key, value) for key, value in one["metadata"])) for one in data["documents"])
    context = ClosedContext(tuple(blocks), data["question"])
    assert parse(render(context)) == context
    return render(context)


def test_every_template_has_golden_prompts():
    assert {json.loads((case / "case.json").read_text())["template"] for case in CASES} == set(instruction_templates())


def test_the_exact_text(case):
    data = json.loads((case / "case.json").read_text())
    history = [(user, assistant) for user, assistant in data.get("history", [])]
    assert render_conversation(instruction_template(data["template"]), message_of(data), history) == prompt_of(case)


def test_the_exact_ids_with_the_shipped_tokenizer(case):
    transformers = pytest.importorskip("transformers")
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(SHIPPED))
    assert tokenizer(prompt_of(case))["input_ids"] == tokens_of(case)["shipped"]


def test_the_exact_ids_with_the_llama_tokenizer(case):
    sentencepiece = pytest.importorskip("sentencepiece")
    if not LLAMA.is_file():
        pytest.skip("the Llama tokenizer is not here")
    processor = sentencepiece.SentencePieceProcessor(model_file=str(LLAMA))

    def ids(text: str) -> list[int]:
        special = {"<s>": [1], "</s>": [2]}
        parts = [part for part in re.split(r"(</?s>)", text) if part]
        return [1, *(one for part in parts for one in special.get(part) or processor.encode(part))]

    prompt, expected = prompt_of(case), tokens_of(case)
    assert ids(prompt) == expected["llama"]
    if prompt.endswith(": "):
        assert expected["llama"][-2:] == [29901, 29871]  # the colon, and the space by itself
        assert ids(prompt[:-1]) == expected["llama_without_the_space"]
        assert expected["llama_without_the_space"][-1] == 29901
