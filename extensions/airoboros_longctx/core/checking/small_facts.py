"""Small made-up facts, such as "The color of the harbor is teal.": the check's questions are made of them."""

from __future__ import annotations

import random
from dataclasses import dataclass

NOUNS = """harbor tower bridge garden castle market temple river lake valley forest island mountain station school
library museum theater hotel kitchen cellar attic window door gate fence well mill farm barn stable ship boat canoe
train wagon cart coach plane engine wheel clock lamp candle mirror table chair bench desk shelf basket bottle bucket
barrel box chest drawer purse wallet ladder hammer saw needle thread carpet curtain pillow blanket coat jacket shirt
glove boot scarf hat crown ring sword shield bow arrow drum flute violin piano trumpet guitar horn bell statue
painting poster letter diary map globe compass telescope camera radio phone laptop robot rocket satellite lantern
anchor sail rope net cave cliff desert glacier meadow orchard vineyard pond spring fountain canal tunnel road square
palace cottage cabin tent igloo chapel prison bakery pharmacy clinic office factory workshop studio arena stadium
park zoo beach port dock lighthouse warehouse garage hangar runway antenna beacon dam quarry mine oven stove
kettle""".split()

VALUES = {
    "color": "teal red blue green yellow orange purple pink brown black white gray silver gold violet crimson".split(),
    "animal": "falcon tiger lion wolf bear fox otter badger rabbit horse donkey camel monkey panda zebra eagle".split(),
    "fruit": "apple pear peach plum cherry grape lemon lime mango melon banana papaya fig date berry apricot".split(),
    "metal": "iron copper zinc nickel cobalt bronze steel brass tin lead titanium platinum".split(),
    "drink": "water milk coffee tea juice cider cocoa wine beer soda lemonade broth".split(),
}


@dataclass(frozen=True)
class SmallFact:
    """What is so of one thing."""

    attribute: str
    noun: str
    value: str

    @property
    def sentence(self) -> str:
        return f"{self.beginning} {self.value}."

    @property
    def beginning(self) -> str:
        """The sentence up to its last word."""
        return f"The {self.attribute} of the {self.noun} is"

    @property
    def question(self) -> str:
        return f"What is the {self.attribute} of the {self.noun}?"


def random_fact(rng: random.Random, noun: str) -> SmallFact:
    attribute = rng.choice(tuple(VALUES))
    return SmallFact(attribute, noun, rng.choice(VALUES[attribute]))


def small_facts(rng: random.Random) -> list[SmallFact]:
    """One fact for every noun and attribute, in random order: no two of them contradict each other."""
    facts = [SmallFact(attribute, noun, rng.choice(values)) for noun in NOUNS for attribute, values in VALUES.items()]
    rng.shuffle(facts)
    return facts
