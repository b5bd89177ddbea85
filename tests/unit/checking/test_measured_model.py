"""What is measured on a real model, against straightforward computations of the same; and that nothing stays behind."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from extensions.airoboros_longctx.check_service import CheckService
from extensions.airoboros_longctx.checking.generating_model import GeneratingModel
from extensions.airoboros_longctx.checking.measured_model import LogitsModel
from extensions.airoboros_longctx.checking.next_token_logits import (
    last_logits,
    last_logits_by_labels,
    transformers_model,
)
from extensions.airoboros_longctx.core.checking.check_options import CheckOptions
from extensions.airoboros_longctx.core.checking.checked_model import CheckedModel, checked_model
from extensions.airoboros_longctx.core.checking.retrieval_prompts import retrieval_prompts
from extensions.airoboros_longctx.core.checking.scored_pieces import perplexity_point, scored_pieces
from extensions.airoboros_longctx.core.prompts.instruction_templates import DEFAULT_TEMPLATE, instruction_template
from extensions.airoboros_longctx.core.rope_scaling import LINEAR, NO_SCALING, RopeScaling
from extensions.airoboros_longctx.rope.engine import RopeEngine
from extensions.airoboros_longctx.workbench import DEMO_MODELS, Workbench

FOLDER = DEMO_MODELS / "airoboros-tiny-1.4.1-PI-1024"
BRIEF = CheckOptions(contexts=(64, 256), windows=4, prompts=1, depths=(0.0, 1.0))


@pytest.fixture
def workbench(tmp_path: Path) -> Workbench:
    """The shipped model, loaded and scaled ×4."""
    workbench = Workbench(tmp_path)
    workbench.load(str(FOLDER))
    return workbench


@pytest.fixture
def model(workbench: Workbench) -> Any:
    return workbench.host.loaded_model().model


@pytest.fixture
def measured(workbench: Workbench, model: Any) -> LogitsModel:
    return LogitsModel(model, workbench.host.tokenizer)


@pytest.fixture
def subject(workbench: Workbench, measured: LogitsModel) -> CheckedModel:
    loaded = workbench.host.loaded_model()
    assert loaded is not None
    return checked_model(workbench.service.status(), loaded, measured)


def logits_of(model: Any) -> torch.Tensor:
    with torch.inference_mode():
        logits: torch.Tensor = model(input_ids=torch.arange(3, 700).view(1, -1), use_cache=False).logits
    return logits


def test_the_subject_is_what_was_planned_and_read_back(subject: CheckedModel) -> None:
    assert (subject.name, subject.loader, subject.window) == ("airoboros-tiny-1.4.1-PI-1024", "Transformers", 1024)
    assert subject.scaling == RopeScaling(LINEAR, 4.0, 256)
    assert subject.template.name == DEFAULT_TEMPLATE


def test_perplexity_is_that_of_a_straightforward_computation(model: Any, measured: LogitsModel) -> None:
    """Token by token: the probability of each next token, after the whole context, from all the model's logits."""
    ids = measured.token_ids((FOLDER / "README.md").read_text(encoding="utf-8"))
    pieces = scored_pieces([("card", ids)], (64, 200), 4)
    for length in (64, 200):
        point = perplexity_point(length, measured.mean_losses(pieces.rows(length), pieces.scored), pieces.scored)
        surprise, count = 0.0, 0
        for _, end in pieces.ends:
            with torch.inference_mode():
                logits = model(torch.tensor([ids[end - length : end]])).logits[0].double()
            for at in range(length - 32, length):
                probability = torch.softmax(logits[at - 1], dim=-1)[ids[end - length + at]]
                surprise, count = surprise - math.log(float(probability)), count + 1
        assert point.scored_tokens == count == 4 * 32
        assert point.perplexity == pytest.approx(math.exp(surprise / count), rel=1e-5)


def test_rows_side_by_side_are_as_alone(measured: LogitsModel) -> None:
    draw = random.Random(1)
    rows = [[draw.randrange(3, 900) for _ in range(64)] for _ in range(5)]
    alone = [measured.mean_losses([row], 16)[0] for row in rows]
    assert measured.mean_losses(rows, 16) == pytest.approx(alone, rel=1e-5)


@pytest.mark.parametrize("factor", [4.0, 8.0])
def test_one_pass_tells_what_greedy_decoding_would_say(factor: float, model: Any, measured: LogitsModel) -> None:
    template = instruction_template(DEFAULT_TEMPLATE)
    tokenizer = AutoTokenizer.from_pretrained(FOLDER)
    prompts = retrieval_prompts(300, (0.0, 0.5, 1.0), 2, template, measured.count_tokens, 0)
    pairs = [(prompt.text, prompt.answer) for prompt in prompts]
    pairs += [(text, " nothing") for text, _ in pairs[:2]]
    undo = RopeEngine().scale_live(model, RopeScaling(LINEAR, factor, 256))
    found = measured.replies_begin_with(pairs)
    generated = []
    for text, answer in pairs:
        ids = tokenizer(text, return_tensors="pt")["input_ids"]
        expected = tokenizer(text + answer)["input_ids"][ids.shape[1] :]
        reply = model.generate(ids, max_new_tokens=len(expected), do_sample=False, pad_token_id=0)[0, ids.shape[1] :]
        generated.append(reply.tolist() == expected)
    undo()
    assert found == generated
    assert set(found) == {True, False}


def test_a_prompt_fills_its_length_with_its_answer_at_its_depth(measured: LogitsModel) -> None:
    template = instruction_template(DEFAULT_TEMPLATE)
    for prompt in retrieval_prompts(512, (0.0, 0.5, 1.0), 1, template, measured.count_tokens, 0):
        assert 430 < measured.count_tokens(prompt.text + prompt.answer) <= 512
        told = prompt.text.split("ENDCONTEXT\n")[1].split("\nENDINPUT")[0].removesuffix(".").split(". ")
        fact = prompt.text.rsplit("ASSISTANT: ", 1)[1] + prompt.answer
        assert told.count(fact) == 1
        assert told.index(fact) == round(prompt.depth * (len(told) - 1))
    assert retrieval_prompts(255, (0.0,), 1, template, measured.count_tokens, 0) == []


@pytest.mark.parametrize("stop_after", [None, 4, 5])
def test_the_model_is_bit_for_bit_as_it_was(
    stop_after: int | None, workbench: Workbench, model: Any, subject: CheckedModel
) -> None:
    before, classes = logits_of(model), [type(module) for module in model.modules()]
    seen: list[object] = []
    result = CheckService(RopeEngine()).check(
        subject, BRIEF, progress=seen.append, stop=lambda: len(seen) == stop_after
    )
    assert result.stopped == (stop_after is not None)
    assert len(result.measured) == (3 if stop_after is None else 2)
    assert result.notes == ()
    assert torch.equal(logits_of(model), before)
    assert [type(module) for module in model.modules()] == classes
    assert str(RopeEngine().read(model)) == "linear ×4"


def test_the_model_is_as_it_was_after_a_failure_at_another_factor(
    model: Any, measured: LogitsModel, subject: CheckedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, forward = logits_of(model), measured.mean_losses

    def fail_at_another(rows: Sequence[Sequence[int]], scored: int) -> list[float]:
        if str(RopeEngine().read(model)) != "linear ×4":
            raise MemoryError("no room")
        return forward(rows, scored)

    monkeypatch.setattr(measured, "mean_losses", fail_at_another)
    result = CheckService(RopeEngine()).check(subject, BRIEF)
    assert result.notes[0] == (
        "At 64 tokens, linear ×2, the model stopped: MemoryError: no room. What is longer was left out."
    )
    assert torch.equal(logits_of(model), before)


def test_unscaled_on_a_scaled_model_is_the_model_loaded_without_us(model: Any) -> None:
    plain = AutoModelForCausalLM.from_pretrained(FOLDER, dtype=torch.float32).eval()
    scaled = logits_of(model)
    undo = RopeEngine().scale_live(model, RopeScaling(NO_SCALING, 1.0, 256))
    assert torch.equal(logits_of(model), logits_of(plain))
    undo()
    assert torch.equal(logits_of(model), scaled)


class _Shell:
    """As ExLlama_HF and its like: no module, all logits for those who hand it labels."""

    def __init__(self, model: Any) -> None:
        self.inside, self.past_seq = model, "what the cache holds"

    def __call__(self, input_ids: torch.Tensor, labels: torch.Tensor, use_cache: bool) -> Any:
        return SimpleNamespace(logits=self.inside(input_ids=input_ids).logits)


def test_every_way_to_the_logits_gives_the_same(model: Any) -> None:
    ids = torch.arange(3, 103).view(1, -1)
    whole = model(input_ids=ids).logits[:, -7:].float().detach()

    class NoKeeping(type(model)):  # type: ignore[misc]
        def forward(self, input_ids: Any, use_cache: bool = True) -> Any:
            return super().forward(input_ids=input_ids, use_cache=use_cache)

    torch.testing.assert_close(last_logits(model, ids, 7), whole, rtol=1e-5, atol=1e-5)
    model.__class__ = NoKeeping
    torch.testing.assert_close(last_logits(model, ids, 7), whole, rtol=1e-5, atol=1e-5)
    model.config.model_type = "gemma"
    torch.testing.assert_close(last_logits(model, ids, 7), whole, rtol=1e-5, atol=1e-5)
    shell = _Shell(model)
    torch.testing.assert_close(last_logits_by_labels(shell, ids, 7), whole, rtol=1e-5, atol=1e-5)
    assert shell.past_seq is None, "the shell would continue from a cache that holds something else"


def test_a_shell_is_read_a_row_at_a_time(workbench: Workbench, model: Any, measured: LogitsModel) -> None:
    shell = LogitsModel(_Shell(model), workbench.host.tokenizer)
    rows = [list(range(3, 67)), list(range(103, 167))]
    assert shell.most_rows_tokens == 1
    assert shell.mean_losses(rows, 16) == pytest.approx(measured.mean_losses(rows, 16), rel=1e-5)


def test_the_model_below_a_lora_and_below_autogptq(model: Any) -> None:
    assert transformers_model(model) is model
    assert transformers_model(SimpleNamespace(get_base_model=lambda: model)) is model
    assert transformers_model(SimpleNamespace(model=model)) is model


def test_a_loader_that_only_generates_is_asked_for_as_many_tokens_as_the_answer_has() -> None:
    asked: list[tuple[str, int]] = []

    def generate(prompt: str, tokens: int) -> str:
        asked.append((prompt, tokens))
        return " 4821. And" if prompt == "found" else " 4822"

    generating = GeneratingModel(generate, count_tokens=len)
    assert generating.replies_begin_with([("found", " 4821"), ("lost", " 4821")]) == [True, False]
    assert asked == [("found", 5), ("lost", 5)]
