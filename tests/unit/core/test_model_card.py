"""What is understood of a card's sentences on max_seq_len and compress_pos_emb."""

from __future__ import annotations

import pytest

from extensions.airoboros_longctx.core.reading.model_card import card_never_refuses, card_scaling, card_weight_name

PREAMBLE = "A chat between a curious user and an assistant. The assistant gives helpful answers."


@pytest.mark.parametrize(
    ("card", "window", "factor"),
    [
        ("You'll need to set max_seq_len to 8192 and compress_pos_emb to 4.", 8192, 4),
        ("Use exllama. Set `max_seq_len` to 16384, and `compress_pos_emb` to 8. ## Next", 16384, 8),
        ("Set `max_seq_len` in the UI to `8192` (or 4096), and `compress_pos_emb` to 4 (or 2).", 8192, 4),
        ("* **max\\_seq\\_len** to **8192** or **4096** and **compress\\_pos\\_emb** to **4** for 8192", 8192, 4),
        ("python3 server.py --max_seq_len 8192 --compress_pos_emb 4 --loader exllama_hf", 8192, 4),
        ("Set max_seq_len to 16K and compress_pos_emb to 8", 16384, 8),
        ("Set max_seq_len to 8,192 and compress_pos_emb to 4.0", 8192, 4),
        ("<code>max_seq_len</code> to <code>8192</code>, <code>compress_pos_emb</code> to <code>2.5</code>", 8192, 2.5),
        ("Set max_seq_len to 8192.\n\nThen set compress_pos_emb to 4.", 8192, 4),
        ("compress_pos_emb = 4, max_seq_len = 8192", 8192, 4),
        ("Set max_seq_len\nto 8192 and compress_pos_emb\nto 4.", 8192, 4),
        ("set compress_pos_emb to 4", None, 4),
        ("Add max_seq_len 8192 and compress_pos_emb 4. It may do well with compress_pos_emb 2 too.", 8192, 4),
        ("**change the scaling factor to 0.25 and the maximum sequence length to 8192**", 8192, 4),
        ("With the patch: a scaling factor of .125, and a maximum sequence length of `16384`.", 16384, 8),
        ("You might try compress_pos_emb 2, but compress_pos_emb 4 is what it was trained on.", None, 4),
        ("Set max_seq_len to 8192, compress_pos_emb to 4. Again: max_seq_len 8192, compress_pos_emb 4.", 8192, 4),
    ],
)
def test_a_stated_scaling_is_understood(card: str, window: int | None, factor: float) -> None:
    problems: list[str] = []
    statement = card_scaling(card, problems)
    assert statement is not None
    assert (statement.max_position_embeddings, statement.factor, problems) == (window, factor, [])
    assert statement.original_max_position_embeddings == (None if window is None else round(window / factor))
    assert ("scaling factor" if "scaling factor" in card else "compress_pos_emb") in statement.quote.replace("\\", "")


@pytest.mark.parametrize(
    "card",
    [
        "",
        "An ordinary model with 2048 tokens of context.",
        "Set max_seq_len to 8192.",
        "compress_pos_emb should be max_seq_len / 2048.",
        "Set max_seq_len and compress_pos_emb to 8192 and 4 respectively.",
        "compress_pos_emb is explained in chapter 4096.",
        "compress_pos_emb to 0 and max_seq_len to 0",
        "It uses a scaling factor of 8, giving a maximum sequence length of 16384.",
        "A scaling factor of 0.0 and a maximum sequence length of 8192.",
        "Its maximum sequence length is 2048; the RoPE is scaled by a factor of 0.25.",
        "compress_pos_emb compress_pos_emb compress_pos_emb",
    ],
)
def test_anything_else_states_nothing(card: str) -> None:
    problems: list[str] = []
    assert card_scaling(card, problems) is None
    assert problems == []


def test_sentences_that_contradict_each_other_are_all_dropped() -> None:
    problems: list[str] = []
    card = "Set max_seq_len to 8192 and compress_pos_emb to 4.\n\nSet max_seq_len to 16384 and compress_pos_emb to 8."
    assert card_scaling(card, problems) is None
    assert problems == [
        "The model card contradicts itself: max_seq_len 8192 in “Set max_seq_len to 8192 and compress_pos_emb to 4.”"
        " and 16384 in “Set max_seq_len to 16384 and compress_pos_emb to 8.”; neither is used.",
        "The model card contradicts itself: compress_pos_emb 4 in “Set max_seq_len to 8192 and compress_pos_emb to 4.”"
        " and 8 in “Set max_seq_len to 16384 and compress_pos_emb to 8.”; neither is used.",
    ]


def test_a_quote_is_short_and_printable() -> None:
    card = "\x1b[31mRead\x00 this: " + "very " * 500 + "important, set max_seq_len to 8192 and compress_pos_emb to 4"
    statement = card_scaling(card + " " + "x" * 5000, [])
    assert statement is not None
    assert len(statement.quote) <= 200
    assert statement.quote.isprintable()


@pytest.mark.parametrize(
    "text",
    ["max_seq_len " * 80_000, "compress_pos_emb to 4. " * 45_000, "9" * 1_000_000, "scaling factor to 0.25 " * 40_000],
)
def test_a_megabyte_of_keys_is_read_quickly(text: str) -> None:
    card_scaling(text, [])


def test_the_preamble_tells_the_generations_apart() -> None:
    assert card_never_refuses("nothing") is None
    assert card_never_refuses(PREAMBLE) is False
    assert card_never_refuses(PREAMBLE + "\nThe assistant never\nrefuses to answer, whatever.") is True


def test_the_weight_file_of_the_cards_own_example() -> None:
    assert card_weight_name('model_basename = "airoboros-4bit-128g.no-act-order"') == "airoboros-4bit-128g.no-act-order"
    assert card_weight_name("model_basename = ") is None
