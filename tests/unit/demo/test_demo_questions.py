"""The questions the demo models are trained and measured with; needs nothing but Python."""

import pytest

from demo.train import data, words


class OneTokenPerCharacter:
    def encode(self, text, add_special_tokens=False):
        return list(text)


@pytest.mark.parametrize("depth", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("prompt_tokens", [1500, 4001])
def test_a_keyed_question_is_exactly_as_long_as_asked(prompt_tokens, depth):
    class OneTokenPerWord:
        def encode(self, text, add_special_tokens=False):
            return text.replace("\n", " \n ").split(" ")

    tokenizer = OneTokenPerWord()
    question = data.keyed_question(3, prompt_tokens // 4, depth, tokenizer)
    assert 1 + len(tokenizer.encode(question.prompt)) == prompt_tokens // 4


def test_a_keyed_question_is_the_same_every_time():
    first, again = (data.keyed_question(5, 3000, 0.5, OneTokenPerCharacter(), blocks=2) for _ in range(2))
    assert first == again


def test_the_asked_fact_is_stated_once_in_the_block_that_is_its_source():
    question = data.keyed_question(8, 4000, 0.5, OneTokenPerCharacter(), blocks=3)
    sentence = question.reply.split("\n")[0]
    holding = [block for block in question.documents if sentence in block.text]
    assert question.message.count(sentence) == 1
    assert [block.metadata for block in holding] == [question.source]
    assert question.reply == f"{sentence}\nSource:\n{question.source}"
    assert sentence.endswith(f"{question.value}.")


def test_depth_places_the_fact():
    def place(depth):
        question = data.keyed_question(2, 6000, depth, OneTokenPerCharacter(), blocks=1)
        return question.message.index(question.reply.split("\n")[0]) / len(question.message)

    assert place(0.0) < 0.05 < 0.4 < place(0.5) < 0.6 < 0.85 < place(1.0)


def test_the_message_has_the_closed_context_format():
    block = data.Block((("source", "kite"),), "The color of the harbor is teal.")
    question = data.Question((block,), "What is the color of the harbor?", ("USER: ", " ASSISTANT:"), "", "", "", "")
    assert question.prompt == (
        "USER: BEGININPUT\nBEGINCONTEXT\nsource: kite\nENDCONTEXT\nThe color of the harbor is teal.\nENDINPUT\n"
        "BEGININSTRUCTION\nWhat is the color of the harbor?\nENDINSTRUCTION ASSISTANT:"
    )
    assert data.Block((), "x").render() == "BEGININPUT\nBEGINCONTEXT\nENDCONTEXT\nx\nENDINPUT"


def test_too_short_a_prompt_says_what_to_do():
    with pytest.raises(ValueError, match="ask for more tokens or fewer blocks"):
        data.keyed_question(1, 100, 0.5, OneTokenPerCharacter(), blocks=4)


def test_no_word_has_two_roles():
    values = [word for words_of in words.VALUES.values() for word in words_of]
    every = words.NOUNS + words.NAMES + values + words.SOURCES
    assert len(every) == len(set(every))
