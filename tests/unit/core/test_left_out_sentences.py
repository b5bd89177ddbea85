"""What gave way to the window, in sentences."""

from __future__ import annotations

import pytest

from extensions.airoboros_longctx.core.packing.left_out_sentences import left_out_sentences
from extensions.airoboros_longctx.core.packing.packed_prompt import BuiltPrompt, LeftOut
from extensions.airoboros_longctx.core.prompts.document_options import PASSAGES, SHORTEN, WHOLE

CUT, GONE = LeftOut(1, 100, 900), LeftOut(0, 0, 700)


def built(*left_out: LeftOut, how: str = SHORTEN, dropped: int = 0, no_word_found: bool = False) -> BuiltPrompt:
    return BuiltPrompt("", "", 0, 0, dropped, (), left_out, how, no_word_found)


@pytest.mark.parametrize(
    ("prompt", "sentences"),
    [
        (built(how=""), []),
        (built(dropped=1, how=""), ["The oldest turn of the chat is left out."]),
        (built(dropped=3, how=""), ["The 3 oldest turns of the chat are left out."]),
        (built(CUT), ["“Harbor” keeps its first 100 of 900 characters."]),
        (built(GONE, how=WHOLE), ["“Tower <b>” is left out, as it does not fit whole."]),
        (
            built(GONE, CUT, how=PASSAGES, dropped=1),
            [
                "The oldest turn of the chat is left out.",
                "“Tower <b>” is left out, as none of its passages is among the best for the question.",
                "“Harbor” keeps 100 of 900 characters: the passages that matter for the question.",
            ],
        ),
        (
            built(CUT, no_word_found=True),
            [
                "No word of the question was found in the documents, so no passages could be chosen: they are "
                "shortened instead.",
                "“Harbor” keeps its first 100 of 900 characters.",
            ],
        ),
    ],
)
def test_what_gave_way(prompt, sentences):
    assert left_out_sentences(prompt, ["Tower\n<b>", "Harbor"]) == sentences


def test_without_titles_documents_have_numbers():
    assert left_out_sentences(built(CUT, GONE, how=WHOLE), ["", "  "])[0] == (
        "Document 1 of those that are on is left out, as it does not fit whole."
    )
    assert left_out_sentences(built(CUT)) == ["Document 2 of those that are on keeps its first 100 of 900 characters."]


def test_many_documents_are_summed_up():
    cut = [LeftOut(number, 1, 2) for number in range(5)]
    gone = [LeftOut(number, 0, 2) for number in range(5, 9)]
    sentences = left_out_sentences(built(*cut, *gone, how=PASSAGES))
    assert len(sentences) == 8
    assert (sentences[3], sentences[7]) == ("1 more is left out.", "2 more are kept in part.")
    assert left_out_sentences(built(*cut))[-1] == "2 more are shortened."
