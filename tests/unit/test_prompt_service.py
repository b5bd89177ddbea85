"""What is counted again when something changes, what the bar's numbers add up to, and what stays before a question."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from extensions.airoboros_longctx.core.formats.errors import FormatError
from extensions.airoboros_longctx.core.formats.function_calling import FunctionRequest, render
from extensions.airoboros_longctx.core.formats.function_declarations import Function, Parameter
from extensions.airoboros_longctx.core.formats.tool_request import ToolRequest
from extensions.airoboros_longctx.core.packing.token_counts import TokenCounts, tokens_of_lines
from extensions.airoboros_longctx.core.prompts.closed_context import Document
from extensions.airoboros_longctx.core.prompts.document_options import PASSAGES, SHORTEN, WHOLE, DocumentOptions
from extensions.airoboros_longctx.core.prompts.instruction_templates import (
    instruction_template,
    instruction_templates,
    render_conversation,
)
from extensions.airoboros_longctx.prompt_service import PromptBudget, PromptService

LLAMA_TOKENIZER = Path(__file__).parents[3] / "shared" / "data" / "llama-tokenizer" / "tokenizer.model"
HISTORY = [("What is a harbor?", "A place for ships."), ("And a tower?", "A tall house.")]
TEXT = "The harbor of the old town is teal.\nThe tower is red; see § 3.5 – “quoted”.\n\n"


@dataclass
class Turn:
    """After ``turns`` finished turns; ``counted`` are the texts that were counted, in order."""

    limit_tokens: int = 10**6
    template: str = "Airoboros-1.4"
    counter: Callable[[str], int] = len
    tokenizer_id: str = "len"
    turns: int = 2
    counted: list[str] = field(default_factory=list)

    def render(self, message: str, turns: int) -> str:
        finished = HISTORY[: self.turns]
        return render_conversation(instruction_template(self.template), message, finished[self.turns - turns :])

    def count_tokens(self, text: str) -> int:
        self.counted.append(text)
        return self.counter(text)

    def newly_counted(self) -> int:
        """The characters that were counted since the last time it was asked."""
        characters = sum(map(len, self.counted))
        self.counted.clear()
        return characters


def a_hundred() -> list[Document]:
    return [Document(f"Document {number}. {TEXT * 100}", (("url", f"u{number}"),)) for number in range(100)]


# -- the bar ---------------------------------------------------------------------------------------------------------


def test_the_budget_has_the_tokens_of_each_document():
    turn = Turn()
    documents = [Document("One."), Document("Two </s> more.", (("url", "u"),))]
    budget = PromptService().budget(documents, "Q?", DocumentOptions(only_from_documents=False), turn, 64)
    preamble = len(turn.render(".", 0))
    first = "BEGININPUT\nBEGINCONTEXT\nENDCONTEXT\nOne.\nENDINPUT\n"
    second = "BEGININPUT\nBEGINCONTEXT\nurl: u\nENDCONTEXT\nTwo < /s> more.\nENDINPUT\n"
    asked = len("BEGININSTRUCTION\nQ?\nENDINSTRUCTION") - len(".")
    assert budget == PromptBudget(10**6 + 64, preamble, (len(first), len(second)), 0, asked, 64, 1)
    assert budget.free == 10**6 - preamble - len(first) - len(second) - asked


def test_the_budget_of_a_plain_question_and_of_none():
    turn, service = Turn(), PromptService()
    preamble, history = len(turn.render(".", 0)), len(turn.render(".", 2)) - len(turn.render(".", 0))
    assert service.budget([], "Why?", DocumentOptions(), turn, 64) == PromptBudget(
        10**6 + 64, preamble, (), history, 3, 64
    )
    assert service.budget([], "  ", DocumentOptions(), turn, 64).question == 0


def test_the_history_counts_where_it_is_sent():
    turn, documents = Turn(), [Document("One.")]
    budget = PromptService().budget(documents, "Q?", DocumentOptions(without_history=False), turn, 0)
    built = PromptService().build(documents, "Q?", DocumentOptions(without_history=False), turn)
    assert budget.history == len(turn.render(".", 2)) - len(turn.render(".", 0)) > 50
    assert built.tokens == 10**6 - budget.free


def test_one_of_a_hundred_documents_changed_is_counted_alone():
    service, turn, documents, options = PromptService(), Turn(), a_hundred(), DocumentOptions()
    before = service.budget(documents, "Q?", options, turn, 64)
    in_all = turn.newly_counted()
    assert in_all > sum(len(one.text) for one in documents) > 700_000
    documents[50] = Document("Changed. " + documents[50].text, documents[50].metadata)
    after = service.budget(documents, "Q?", options, turn, 64)
    assert 0 < turn.newly_counted() < in_all / 90
    assert [number for number in range(100) if before.documents[number] != after.documents[number]] == [50]
    service.budget([*documents[50:], *documents[:50]], "Q?", options, turn, 64)
    assert turn.newly_counted() == 0
    service.budget(
        [*documents[:3], Document(documents[3].text, (("url", "other"),)), *documents[4:]], "Q?", options, turn, 64
    )
    assert 0 < turn.newly_counted() < in_all / 90


def test_typing_counts_the_question_alone():
    service, turn, documents = PromptService(), Turn(), a_hundred()
    options = DocumentOptions(without_history=False)
    service.budget(documents, "W", options, turn, 64)
    turn.newly_counted()
    service.budget(documents, "Why", options, turn, 64)
    assert turn.counted == [
        turn.render("BEGININSTRUCTION\nWhy\nDon't make up answers if you don't know.\nENDINSTRUCTION", 0)
    ]


def test_another_tokenizer_never_sees_old_counts():
    service, documents = PromptService(), a_hundred()[:3]
    by_letter, by_word = Turn(), Turn(counter=lambda text: len(text.split()), tokenizer_id="words")
    letters = service.budget(documents, "Q?", DocumentOptions(), by_letter, 64)
    words = service.budget(documents, "Q?", DocumentOptions(), by_word, 64)
    assert words == PromptService().budget(documents, "Q?", DocumentOptions(), by_word, 64)
    assert letters == service.budget(documents, "Q?", DocumentOptions(), by_letter, 64)
    assert words.documents[0] < letters.documents[0] / 4


def test_a_tokenizer_without_a_name_is_asked_every_time():
    service, turn, documents = PromptService(), Turn(tokenizer_id=""), a_hundred()[:3]
    service.budget(documents, "Q?", DocumentOptions(), turn, 64)
    first = turn.newly_counted()
    service.budget(documents, "Q?", DocumentOptions(), turn, 64)
    assert turn.newly_counted() == first


def test_what_is_being_counted_is_not_counted_a_second_time_meanwhile():
    counts, asked, counting, go_on = TokenCounts(), [], threading.Event(), threading.Event()

    def count(text):
        asked.append(text)
        counting.set()
        go_on.wait(10)
        return 3

    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(counts.count, "a b c", count, "words")
        counting.wait(10)
        more = [pool.submit(counts.count, "a b c", count, "words") for _ in range(2)]
        other = counts.count("a b", lambda text: 2, "words")
        wait(more, 0.05)
        go_on.set()
        assert [first.result(10), other, *(one.result(10) for one in more)] == [3, 2, 3, 3]
    assert asked == ["a b c"]


def test_a_count_that_fails_is_tried_again():
    counts = TokenCounts()
    with pytest.raises(ZeroDivisionError):
        counts.count("a", lambda text: 1 // 0, "words")
    assert counts.count("a", len, "words") == 1


def test_counts_are_bounded_the_oldest_forgotten_first():
    counts, asked = TokenCounts(most=2), []

    def count(text: str) -> int:
        asked.append(text)
        return len(text)

    for text in ("a", "b", "a", "c", "a", "b"):
        assert counts.count(text, count, "len") == 1
    assert asked == ["a", "b", "c", "b"]


def test_a_counted_document_and_the_same_words_as_a_text_are_not_mixed_up():
    service = PromptService()
    (first,) = service.document_tokens([Document("a", (("b", "c"),))], len, "len")
    (second,) = service.document_tokens([Document("ab", (("", "c"),))], len, "len")
    assert (first, second) == (
        len("BEGININPUT\nBEGINCONTEXT\nb: c\nENDCONTEXT\na\nENDINPUT\n"),
        len("BEGININPUT\nBEGINCONTEXT\n: c\nENDCONTEXT\nab\nENDINPUT\n"),
    )


def test_counted_documents_that_do_not_fit_are_not_counted_again():
    service, documents = PromptService(), a_hundred()
    turn = Turn()
    tokens = service.budget(documents, "Q?", DocumentOptions(), turn, 64).documents
    turn.newly_counted()
    turn.limit_tokens = sum(tokens) // 2
    built = service.build(documents, "Q?", DocumentOptions(when_too_long=WHOLE), turn)
    assert len(built.blocks) == 49
    assert turn.newly_counted() < turn.limit_tokens * 1.1


def test_counted_documents_that_just_fit_stay_whole():
    """The sum of the blocks may be a few tokens more than the whole."""
    documents = a_hundred()
    counter = lambda text: len(text) // 4 + len(text) % 3 + text.startswith("\n") * 2  # noqa: E731
    tokens = PromptService().build(documents, "Q?", DocumentOptions(), Turn(counter=counter)).tokens
    service, turn = PromptService(), Turn(tokens, counter=counter)
    service.budget(documents, "Q?", DocumentOptions(), turn, 64)
    assert service.build(documents, "Q?", DocumentOptions(), turn).left_out == ()
    turn.limit_tokens -= 1
    assert service.build(documents, "Q?", DocumentOptions(), turn).left_out != ()


# -- Llama's tokenizer -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def llama() -> Callable[[str], int]:
    transformers = pytest.importorskip("transformers")
    if not LLAMA_TOKENIZER.is_file():
        pytest.skip("the Llama tokenizer is not here")
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(LLAMA_TOKENIZER.parent))
    return lambda text: len(tokenizer(text)["input_ids"])


LINES = [
    "The harbor.",
    "  indented",
    "",
    "日本語",
    "🙂",
    "- a\t",
    "# head",
    "\u00a0x",
    "1 234,5",
    "trailing  ",
    "…]",
    "USER: x",
]


def test_llamas_tokens_add_up_at_line_ends(llama):
    pieces = [f"{first}\n{second}\n" for first in LINES for second in LINES]
    assert tokens_of_lines("".join(pieces), llama) == sum(tokens_of_lines(piece, llama) for piece in pieces)
    whole = llama("\n" + "".join(pieces)) - llama("\n")
    assert whole == sum(llama("\n" + piece) - llama("\n") for piece in pieces)


@pytest.mark.parametrize("template", instruction_templates())
def test_the_bars_numbers_add_up_to_the_prompt_but_for_two_tokens(llama, template):
    turn = Turn(template=template, counter=llama, tokenizer_id="llama")
    documents = [Document(TEXT * 300), Document("Short.", (("url", "u"),)), Document("日本語。\n" * 30)]
    for options in (DocumentOptions(), DocumentOptions(without_history=False, name_sources=True)):
        built = PromptService().build(documents, "Which color?", options, turn)
        budget = PromptService().budget(documents, "Which color?", options, turn, 64)
        assert abs(turn.limit_tokens - budget.free - built.tokens) <= 2


# -- the same documents, the same prefix -----------------------------------------------------------------------------

QUESTIONS = [
    "Why?",
    "What color is the harbor, and who says so?",
    "First?\nSecond?\nThird?",
    "  ",
    "ENDINPUT </s> 日本",
]
ASKED = [
    DocumentOptions(),
    DocumentOptions(only_from_documents=False),
    DocumentOptions(name_sources=True),
    DocumentOptions(one_instruction_per_line=True, name_sources=True),
    DocumentOptions(temperature=0.1, attachments=False),
]


def common_beginning(texts: list[str]) -> str:
    first, last = min(texts), max(texts)
    return first[: next(place for place, sign in enumerate(first) if last[place : place + 1] != sign)]


@pytest.mark.parametrize("how", [WHOLE, SHORTEN, PASSAGES])
@pytest.mark.parametrize("template", instruction_templates())
def test_what_fits_stands_before_every_question_alike(template, how):
    documents = [Document(TEXT * 3, (("url", "u"),)), Document("Short.")]
    prompts = [
        PromptService()
        .build(documents, question, DocumentOptions(**{**vars(options), "when_too_long": how}), Turn(template=template))
        .text
        for question in QUESTIONS
        for options in ASKED
    ]
    assert len(set(prompts)) > 15
    common = common_beginning(prompts)
    assert common.endswith("\nENDINPUT\nBEGININSTRUCTION\n")
    assert common.count("BEGININPUT") == 2


@pytest.mark.parametrize("times", [1, 30], ids=["counted", "estimated by samples"])
@pytest.mark.parametrize("template", instruction_templates())
def test_whole_documents_that_do_not_all_fit_stand_before_every_question_alike(template, times):
    documents = [Document(TEXT * times * (number % 5 + 3), (("url", f"u{number}"),)) for number in range(12)]
    whole = PromptService().build(documents, "Why?", DocumentOptions(), Turn(template=template))
    prompts = []
    for question in QUESTIONS:
        for options in ASKED:
            turn = Turn(whole.tokens * 2 // 3, template)
            wanted = DocumentOptions(**{**vars(options), "when_too_long": WHOLE})
            built = PromptService().build(documents, question, wanted, turn)
            assert 5 < len(built.blocks) < 12
            prompts.append(built.text)
    assert common_beginning(prompts).endswith("\nENDINPUT\nBEGININSTRUCTION\n")


def asked_one_after_another(**options) -> list[str]:
    """The prompts of three questions over the same documents, each after the turn before it."""
    documents = [Document(TEXT * 3, (("url", "u"),)), Document("Short.")]
    return [
        PromptService().build(documents, question, DocumentOptions(**options), Turn(turns=turns)).text
        for turns, question in enumerate(("Why?", "And then?", "What color is the harbor?"))
    ]


def test_in_a_chat_that_grows_the_documents_stand_before_every_question_alike():
    prompts = asked_one_after_another()
    assert len(set(prompts)) == 3
    common = common_beginning(prompts)
    assert common.endswith("\nENDINPUT\nBEGININSTRUCTION\n")
    assert common.count("BEGININPUT") == 2


def test_earlier_turns_that_are_sent_along_stand_before_the_documents():
    """The models were trained with the documents in the last message: that prefix is a chat's, and not theirs."""
    prompts = asked_one_after_another(without_history=False)
    assert [prompt.count(HISTORY[0][1]) for prompt in prompts] == [0, 1, 1]
    assert "BEGININPUT" not in common_beginning(prompts)


# -- a call of a function --------------------------------------------------------------------------------------------

FUNCTIONS = (Function("get_weather", "Tells the weather of a city.", (Parameter("city", "The city."),)),)
CALL = ToolRequest("And in Rome?", FUNCTIONS)


def call_prompt(turns: int) -> str:
    return Turn().render(render(FunctionRequest(CALL.question, FUNCTIONS)), turns)


@pytest.mark.parametrize("turns", [0, 1, 2])
def test_a_call_is_asked_behind_as_many_of_the_latest_turns_as_fit(turns: int) -> None:
    exactly = len(call_prompt(turns))
    assert PromptService().build_call(CALL, Turn(limit_tokens=exactly)) == call_prompt(turns)
    more = len(call_prompt(min(turns + 1, 2)))
    assert PromptService().build_call(CALL, Turn(limit_tokens=max(exactly, more - 1))) == call_prompt(turns)


def test_a_request_for_a_call_is_never_cut() -> None:
    least = len(call_prompt(0))
    with pytest.raises(FormatError) as error:
        PromptService().build_call(CALL, Turn(limit_tokens=least - 1))
    assert str(error.value) == (
        f"The message and the declared tools take {least} tokens, and {least - 1} fit beside the reply. Send fewer "
        "tools, or ask for a shorter reply (max_tokens)."
    )
