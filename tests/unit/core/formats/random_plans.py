"""Plans of any shape, as a model could mean them."""

from __future__ import annotations

import itertools

from hypothesis import strategies as st

from extensions.airoboros_longctx.core.formats.plan_evidence import SPELLINGS, named_in
from extensions.airoboros_longctx.core.formats.plan_steps import Plan, PlanStep

#: Without a sign that could begin a name of evidence by chance.
_LINE = st.characters(blacklist_categories=("Cs",), blacklist_characters="\n\r:#")
_WORDS = st.text(st.characters(whitelist_categories=("L", "N", "P")), min_size=1, max_size=12)


@st.composite
def plans(draw):
    """Any plan: steps in any numbering, inputs of any signs that name any earlier evidence."""
    spelling = draw(st.sampled_from(sorted(SPELLINGS)))
    name = SPELLINGS[spelling].name
    numbers = draw(st.lists(st.integers(0, 999_999), min_size=1, max_size=8, unique=True))
    steps: list[PlanStep] = []
    for at, number in enumerate(numbers):
        pieces = draw(st.lists(st.text(_LINE, max_size=20), max_size=3))
        used = draw(st.lists(st.sampled_from(numbers[:at]), max_size=3)) if at else []
        mixed = itertools.zip_longest(pieces, [f" {name(one)} " for one in used], fillvalue="")
        text = "".join(itertools.chain.from_iterable(mixed))
        thought = " ".join(draw(st.lists(_WORDS, max_size=5)))
        tool = draw(st.sampled_from(["Search", "LLM"]))
        steps.append(PlanStep(name(number), thought, tool, text, named_in(text, spelling), 2 * at + 2))
    answer = " ".join(name(one) for one in draw(st.lists(st.sampled_from(numbers), min_size=1, max_size=3)))
    return Plan(tuple(steps), answer, named_in(answer, spelling), spelling)
