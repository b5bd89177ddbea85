"""Documents and PLAINFORMAT that an API request carries in its last message."""

from __future__ import annotations

import pytest

from extensions.airoboros_longctx.core.documents.inline_documents import (
    InlineDocumentsError,
    InlineRequest,
    inline_request,
)
from extensions.airoboros_longctx.core.prompts.closed_context import ClosedContextError, Document

LIMIT = 1000


def asked(**fields):
    return inline_request([{"role": "user", "content": "Q", **fields}], LIMIT)


@pytest.mark.parametrize("messages", [[], [{"role": "user", "content": "Q"}], ["text"], [None]])
def test_nothing_is_asked_for(messages):
    assert inline_request(messages, LIMIT) is None


def test_only_the_last_message_counts():
    first = {"role": "user", "content": "Q", "documents": [{"text": "a"}]}
    assert inline_request([first, {"role": "user", "content": "R"}], LIMIT) is None


def test_documents_with_and_without_metadata():
    found = asked(documents=[{"text": "a", "metadata": {"url": "u", "year": 2021}}, {"text": "b"}])
    assert found == InlineRequest((Document("a", (("url", "u"), ("year", "2021"))), Document("b")), False)


def test_plainformat():
    assert asked(plainformat=True) == InlineRequest((), True)
    assert asked(plainformat=False) is None
    assert asked(documents=[]) is None


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"documents": "a"}, "documents is a str; a list of objects with text and metadata is needed."),
        ({"plainformat": "yes"}, "plainformat is 'yes'; true or false is needed."),
        ({"documents": [{"text": "a"}], "plainformat": True}, "send one of them"),
        ({"documents": [{"text": 5}]}, 'Document 1 is {\'text\': 5}; an object such as {"text": "…"'),
        ({"documents": [5]}, "Document 1 is 5; an object such as"),
        (
            {"documents": [{"text": "a", "url": "u"}]},
            "Document 1 has the field 'url'; only text and metadata are known.",
        ),
        ({"documents": [{"text": "a", "metadata": ["u"]}]}, "The metadata of document 1 is ['u']; an object"),
        ({"documents": [{"text": "a", "metadata": {"k": {"a": 1}}}]}, "The metadata of document 1 has 'k': {'a': 1}"),
        ({"documents": [{"text": "a"}] * 65}, "65 documents were sent; at most 64 are taken."),
        ({"documents": [{"text": "a" * 600}, {"text": "b" * 500}]}, "The documents have 1100 characters; at most 1000"),
    ],
)
def test_what_is_wrong_is_said(fields, sentence):
    with pytest.raises(InlineDocumentsError) as error:
        asked(**fields)
    assert sentence in str(error.value)


def test_a_key_that_cannot_stand_on_its_line_is_refused():
    with pytest.raises(ClosedContextError):
        asked(documents=[{"text": "a", "metadata": {"a:b\nc": "d"}}])
