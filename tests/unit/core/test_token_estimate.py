"""The guess at a text's length in tokens is not below what the Llama tokenizer counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from extensions.airoboros_longctx.core.token_estimate import estimate_tokens

LLAMA = Path(__file__).parents[4] / "shared" / "data" / "llama-tokenizer" / "tokenizer.model"
TEXTS = {
    "prose": "In a shocking turn of events, blueberries are now green, but will be sticking with the same name. " * 20,
    "digits": "3141592653589793 " * 40,
    "table": "| 12.5 | 3,004 | -7% |\n" * 40,
    "code": "for (int i = 0; i < n; ++i) { sum[i] += a[i] * b[i]; }\n" * 20,
    "emoji": "🙂🎉🚀" * 40,
    "Chinese": "藍莓現在是綠色的，但會保留同樣的名字。" * 20,
    "Greek": "Τα μύρτιλα είναι τώρα πράσινα. " * 20,
    "Hindi": "ब्लूबेरी अब हरी हैं। " * 20,
}


@pytest.mark.parametrize("name", TEXTS)
def test_it_errs_on_the_safe_side(name):
    sentencepiece = pytest.importorskip("sentencepiece")
    if not LLAMA.is_file():
        pytest.skip("the Llama tokenizer is not here")
    counted = len(sentencepiece.SentencePieceProcessor(model_file=str(LLAMA)).encode(TEXTS[name]))
    assert estimate_tokens(TEXTS[name]) >= counted


def test_nothing_takes_nothing():
    assert estimate_tokens("") == 0
