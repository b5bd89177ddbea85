"""Does it matter? The same questions, the same tokens, the same truncation length, in a real webui: with us, without
us but with the window widened by hand, and with us at factor 1. The fact asked for lies beyond the base window."""

from __future__ import annotations

import numpy as np
import pytest

from tests.host.conftest import BASE, DEMO, WINDOW

pytestmark = pytest.mark.host
QUESTIONS = 8
REPLY_TOKENS = 12
ARMS = {
    "with us": {},
    "without us, widened by hand": {"extensions": ()},
    "with us at factor 1": {"settings": 'airoboros_longctx-model_rules:\n- {pattern: "*", factor: 1}\n'},
}


@pytest.fixture(scope="module")
def questions():
    """Prompts that fill the window, with the fact at their beginning."""
    transformers = pytest.importorskip("transformers")
    from demo.train.data import keyed_question

    tokenizer = transformers.AutoTokenizer.from_pretrained(DEMO)
    length = WINDOW - REPLY_TOKENS
    return [keyed_question(7000 + seed, length, 0.0, tokenizer, ask_source=False) for seed in range(QUESTIONS)]


def test_right_only_with_us(host, start, models, questions):
    right, ids = {}, {}
    for arm, options in ARMS.items():
        arguments = ["--model", models.scaled.name, "--loader", "Transformers"]
        server = start(models.all(), arguments=arguments, page=False, **options)
        ids[arm] = server.first_scores(questions[0].prompt, WINDOW)["input_ids"]
        replies = [server.complete(question.prompt, REPLY_TOKENS, WINDOW) for question in questions]
        said = [reply.strip().split("\n")[0].rstrip(".").split(" ")[-1] for reply in replies]
        right[arm] = sum(word == question.value for word, question in zip(said, questions, strict=True))
        server.stop()
    print(f"{host.name}, right of {QUESTIONS}: {right}")
    ours, *others = ARMS
    assert len(ids[ours]) > BASE * 3
    assert all(np.array_equal(ids[ours], ids[arm]) for arm in others)
    assert right[ours] >= QUESTIONS - 1
    assert all(right[arm] <= 1 for arm in others)
