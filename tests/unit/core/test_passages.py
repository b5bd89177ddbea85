"""Where a text is cut into passages."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from extensions.airoboros_longctx.core.packing.passages import LONGEST, SHORTEST, passages

SENTENCE = "The harbor of the old town is teal in the morning light. "
PIECES = [SENTENCE, SENTENCE * 30, "\n", "\n\n", " \n\t\n", "# Head", "x" * 3000, "日本語。" * 500, " " * 1500]


def texts_of(text: str) -> list[str]:
    return [text[begin:end] for begin, end in passages(text)]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [SENTENCE, SENTENCE * 30, "\n", "\n\n", " \n\t\n", "# Head", "x" * 3000, "日本語。" * 500, " " * 1500]
        )
        | st.text(max_size=30),
        max_size=12,
    ).map("".join)
)
def test_passages_are_in_order_bounded_and_only_white_space_is_between_them(text):
    end = 0
    for begin, stop in passages(text):
        assert text[end:begin].strip() == ""
        assert begin < stop <= begin + LONGEST
        end = stop
    assert text[end:].strip() == ""


def test_a_paragraph_is_a_passage():
    first, second = SENTENCE * 5, SENTENCE * 6
    assert texts_of(f"{first}\n\n{second}") == [first, second]
    assert texts_of(f"{first}\n \t\n\n{second}") == [first, second]


def test_a_heading_goes_with_its_paragraph():
    body = SENTENCE * 5
    assert texts_of(f"# The harbor\n\n{body}\n\n## The tower\n\n{body}") == [
        f"# The harbor\n\n{body}",
        f"## The tower\n\n{body}",
    ]


def test_short_paragraphs_go_together():
    lines = "\n\n".join(f"- Line {number} of a talk." for number in range(60))
    found = texts_of(lines)
    assert len(found) > 1
    assert all(SHORTEST <= len(one) <= SHORTEST + 30 for one in found[:-1])


def test_a_long_paragraph_is_split_behind_a_sentence():
    found = texts_of((SENTENCE * 100).strip())
    assert len(found) > 1
    assert all(one.endswith(".") and one.startswith("The") for one in found)


def test_a_table_is_split_at_a_line():
    table = "\n".join(f"| {number} | some value. of | {number * 7} |" for number in range(200))
    found = texts_of(table)
    assert len(found) > 1
    assert all(one.startswith("|") and one.endswith("|") for one in found)


def test_japanese_is_split_behind_a_sentence():
    assert all(one.endswith("。") for one in texts_of("港は青い。塔は赤い。" * 300))


def test_code_keeps_its_indentation():
    code = "def a():\n" + "    x = 1\n" * 30 + "\n    return 2\n" + "    y = 1\n" * 30
    assert [one.startswith(start) for one, start in zip(texts_of(code), ("def", "    return"), strict=True)] == [
        True
    ] * 2
