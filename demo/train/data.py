"""Closed-context questions about small facts: for training, for measuring and for tests.

`keyed_question` makes one question of an exact length with the asked fact at a chosen depth.
"""

import functools
import random
from collections.abc import Sequence
from dataclasses import dataclass

from demo.train import english, words

DONT_MAKE_UP = "Don't make up answers if you don't know."


@dataclass(frozen=True)
class Fact:
    """One statement, such as "The color of the harbor is teal."; `subject` carries its article."""

    attribute: str
    subject: str
    value: str

    @property
    def sentence(self) -> str:
        return f"The {self.attribute} of {self.subject} is {self.value}."

    @property
    def question(self) -> str:
        return f"What is the {self.attribute} of {self.subject}?"


@dataclass(frozen=True)
class Block:
    """One document: metadata pairs and its text."""

    pairs: tuple[tuple[str, str], ...]
    text: str

    @property
    def metadata(self) -> str:
        return "\n".join(f"{key}: {value}" for key, value in self.pairs)

    def render(self) -> str:
        context = self.metadata + "\n" if self.pairs else ""
        return f"BEGININPUT\nBEGINCONTEXT\n{context}ENDCONTEXT\n{self.text}\nENDINPUT"


@dataclass(frozen=True)
class Question:
    """A complete closed-context question and the reply that answers it.

    `message` is the bare user message, `prompt` the message in its wrapper (without `<s>`).
    `value` is the word asked for; `source` the metadata of the block that states it.
    """

    documents: tuple[Block, ...]
    instruction: str
    wrapper: tuple[str, str]
    subject: str
    value: str
    source: str
    reply: str

    @property
    def message(self) -> str:
        blocks = "\n".join(block.render() for block in self.documents)
        return f"{blocks}\nBEGININSTRUCTION\n{self.instruction}\nENDINSTRUCTION"

    @property
    def prompt(self) -> str:
        return self.wrapper[0] + self.message + self.wrapper[1]


#: The wrapper of generation 1.4.1: text before and after the user's message.
WRAPPER_1_4_1 = (f"{words.PREAMBLE} {words.NEVER_REFUSES} USER: ", " ASSISTANT: ")


def random_wrapper(rng: random.Random, short: bool = False) -> tuple[str, str]:
    """Mostly the 1.4.1 wrapper; sometimes what another template or a stripped prompt would make of it."""
    if short:
        preamble = ""
    else:
        preamble = rng.choices((f"{words.PREAMBLE} {words.NEVER_REFUSES}", words.PREAMBLE, ""), weights=(6, 2, 2))[0]
    gap = "\n" if rng.random() < 0.15 else " "
    end = "ASSISTANT:" if rng.random() < 0.35 else "ASSISTANT: "
    return f"{preamble}{gap if preamble else ''}USER: ", f"{gap}{end}"


def random_subjects(rng: random.Random, count: int) -> list[str]:
    """`count` different subjects, "the harbor" or "Alda"."""
    pool = [f"the {noun}" for noun in words.NOUNS] + words.NAMES
    return rng.sample(pool, count)


def random_value(rng: random.Random, attribute: str) -> str:
    if attribute == "code":
        return str(rng.randint(1000, 9999))
    return rng.choice(words.VALUES[attribute])


def random_facts(rng: random.Random, count: int, kinds: int = 7) -> list[Fact]:
    """`count` facts about different subjects, from `kinds` of the attributes."""
    attributes = rng.sample(words.ATTRIBUTES, kinds)
    facts = []
    for subject in random_subjects(rng, count):
        attribute = rng.choice(attributes)
        facts.append(Fact(attribute, subject, random_value(rng, attribute)))
    return facts


def random_pairs(rng: random.Random, blocks: int, plain: bool = False) -> list[tuple[tuple[str, str], ...]]:
    """Metadata for each block; the same keys in all, a value of its own in each."""
    if plain or rng.random() < 0.7:
        keys: Sequence[str] = (words.SOURCE_KEYS[0] if plain else rng.choice(words.SOURCE_KEYS),)
    else:
        keys = rng.sample(words.SOURCE_KEYS, 2)
    values = rng.sample(words.SOURCES, blocks * len(keys))
    return [tuple((key, values.pop()) for key in keys) for _ in range(blocks)]


def _paragraphs(rng: random.Random, sentences: Sequence[str]) -> str:
    text = sentences[0]
    for sentence in sentences[1:]:
        text += ("\n" if rng.random() < 0.1 else " ") + sentence
    return text


def _cuts(rng: random.Random, length: int, parts: int) -> list[int]:
    """`parts` + 1 rising boundaries of non-empty slices of `length` items."""
    return [0, *sorted(rng.sample(range(1, length), parts - 1)), length]


def random_question(
    rng: random.Random,
    facts: int,
    fillers: Sequence[str] = (),
    blocks: int | None = None,
    hints: float = 0.0,
    short: bool = False,
) -> Question:
    """A training question with `facts` facts and `fillers` sentences in 1 to 4 blocks.

    `hints` is the share of facts that repeat their block's source (", from kite."): they teach the binding.
    `short` leaves the preamble out.
    """
    blocks = min(blocks or rng.choices((1, 2, 3, 4), weights=(3, 3, 2, 2))[0], facts)
    stated = random_facts(rng, facts)
    items: list[Fact | str] = [*stated, *fillers]
    rng.shuffle(items)
    pairs = random_pairs(rng, blocks)
    cuts = _cuts(rng, len(items), blocks)
    asked = rng.choice(stated)
    documents, source = [], ""
    with_pairs = rng.random() < 0.9
    for number in range(blocks):
        block_pairs = pairs[number] if with_pairs else ()
        sentences = []
        for item in items[cuts[number] : cuts[number + 1]]:
            if isinstance(item, Fact):
                hinted = bool(block_pairs) and rng.random() < hints
                hint = f", from {block_pairs[0][1]}." if hinted else "."
                sentences.append(item.sentence[:-1] + hint)
            else:
                sentences.append(item)
        documents.append(Block(block_pairs, _paragraphs(rng, sentences)))
        if asked in items[cuts[number] : cuts[number + 1]]:
            source = documents[-1].metadata
    return _ask(rng, tuple(documents), asked, source, random_wrapper(rng, short))


def _ask(
    rng: random.Random, documents: tuple[Block, ...], asked: Fact, source: str, wrapper: tuple[str, str]
) -> Question:
    instruction, reply = asked.question, asked.sentence
    if source and rng.random() < 0.7:
        instruction += rng.choice(("\n", " ")) + "Source?"
        reply += f"\nSource:\n{source}"
    if rng.random() < 0.3:
        instruction += rng.choice(("\n", " ")) + DONT_MAKE_UP
    return Question(documents, instruction, wrapper, asked.subject, asked.value, source, reply)


@functools.lru_cache(maxsize=1)
def filler_sentences() -> tuple[str, ...]:
    """English sentences without facts."""
    return tuple(english.sentences(english.topics()[0] + english.docstrings()))


def keyed_question(
    seed: int,
    prompt_tokens: int,
    depth: float,
    tokenizer,
    blocks: int | None = None,
    ask_source: bool = True,
    wrapper: tuple[str, str] = WRAPPER_1_4_1,
    fact_share: float = 0.5,
    attribute: str | None = None,
) -> Question:
    """A question whose prompt, with one `<s>` before it, is exactly `prompt_tokens` long.

    `depth` 0 puts the asked fact first in the text, 1 last.
    `tokenizer` is anything with `encode(text, add_special_tokens=False)`: a Transformers tokenizer will do.
    `blocks` is 2 below 400 tokens and 4 from there on, unless given.
    `fact_share` is the share of sentences that are other facts rather than English.
    `attribute` fixes what is asked for ("color", "code", ...); a code is a four-digit number.
    """
    blocks = blocks or (2 if prompt_tokens < 400 else 4)
    rng = random.Random(f"{seed} {prompt_tokens} {depth} {blocks}")

    def length(question: Question) -> int:
        return 1 + len(tokenizer.encode(question.prompt, add_special_tokens=False))

    pool = random_facts(rng, 200)
    if attribute is None:
        attribute = rng.choice(tuple(words.VALUES))
    asked = Fact(attribute, pool.pop().subject, random_value(rng, attribute))
    pairs = random_pairs(rng, blocks, plain=True)
    instruction = asked.question + ("\nSource?" if ask_source else "")
    others: list[str] = []
    order = random.Random(rng.random())
    cuts_at = sorted(rng.random() for _ in range(blocks - 1))

    def build(others: list[str], padding: int) -> Question:
        # Padding words go to the end of the last sentence, or of the first when the asked fact is last.
        sentences = list(others)
        place = round(depth * len(sentences))
        sentences.insert(place, asked.sentence)
        if padding:
            tail = "And so on" + " and so on" * (padding // 3) + " and so"[: (0, 4, 7)[padding % 3]] + "."
            sentences.insert(1 if place == 0 else 0, tail)
            place += 0 if place == 0 else 1
        spare = len(sentences) - blocks
        cuts = [0, *(number + 1 + int(cut * (spare + 1)) for number, cut in enumerate(cuts_at)), len(sentences)]
        documents, source = [], ""
        for number in range(blocks):
            text = " ".join(sentences[cuts[number] : cuts[number + 1]])
            documents.append(Block(pairs[number], text))
            if cuts[number] <= place < cuts[number + 1]:
                source = documents[-1].metadata
        reply = asked.sentence + (f"\nSource:\n{source}" if ask_source else "")
        return Question(tuple(documents), instruction, wrapper, asked.subject, asked.value, source, reply)

    while length(build(others, 0)) < prompt_tokens:
        if pool and order.random() < fact_share:
            others.append(pool.pop().sentence)
        else:
            others.append(order.choice(filler_sentences()))
    while len(others) >= blocks:
        others.pop()
        short_by = prompt_tokens - length(build(others, 0))
        if short_by == 0:
            return build(others, 0)
        for padding in range(1, max(short_by, 0)):
            question = build(others, padding)
            if length(question) == prompt_tokens:
                return question
    raise ValueError(
        f"a prompt of {prompt_tokens} tokens is too short for a question in {blocks} blocks; ask for more tokens "
        "or fewer blocks"
    )
