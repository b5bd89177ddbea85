"""What a page asks for, and what of it reaches the prompt, with a webui that puts attached text at the end."""

from __future__ import annotations

import pytest

from extensions.airoboros_longctx.core.documents.chat_session import ChatDocument, ChatSession
from extensions.airoboros_longctx.core.documents.place import CHAT, Place
from extensions.airoboros_longctx.core.documents.shelves import DocumentShelves
from extensions.airoboros_longctx.core.errors import AiroborosLongctxError
from extensions.airoboros_longctx.core.prompts.document_options import DocumentOptions
from extensions.airoboros_longctx.core.settings import load_settings
from extensions.airoboros_longctx.host.webui_prompts import SENT_KEY, SESSION_KEY, WebuiPrompts
from extensions.airoboros_longctx.prompt_service import PromptService

PLACE = Place("", "/webui", "Ada", "one")
HARBOR = ChatDocument("Harbor", "The harbor is teal.")


class Style:
    def knows_closed_context(self):
        return True

    def plainformat_separator(self):
        return None

    def stop_strings(self):
        return ()

    def why_no_tool_calls(self):
        return ""


class BrokenShelves(DocumentShelves):
    def shelved(self, session, place):
        raise AiroborosLongctxError("The stored documents cannot be read: Too many open files.")


def prompts(shelves=None):
    def reject(sentence, param):
        return ValueError(sentence)

    return WebuiPrompts(
        PromptService(),
        Style(),
        lambda: load_settings({})[0],
        lambda text: len(text.split()),
        lambda state: "",
        reject,
        shelves or DocumentShelves(),
        lambda state, session: PLACE,
    )


def build(user_input, state, history, **arguments):
    files = history["metadata"].get(f"user_{len(history['internal'])}", {}).get("attachments", [])
    return user_input + "".join(f" ATTACHMENTS: {one['content']}" for one in files)


def page(attachments: bool):
    history = {
        "internal": [],
        "visible": [],
        "metadata": {"user_0": {"attachments": [{"name": "letter.txt", "content": "The letter is blue."}]}},
    }
    session = ChatSession(DocumentOptions(attachments=attachments)).with_documents(PLACE.shelf(CHAT), [HARBOR])
    return {"history": history, "truncation_length": 900, "max_new_tokens": 9, "mode": "chat", SESSION_KEY: session}


@pytest.mark.parametrize("attachments", [True, False])
def test_an_attached_file_reaches_the_model_once_whichever_way_the_tick_stands(attachments):
    state = page(attachments)
    prompt = prompts().generate_chat_prompt(build, "What colour?", state, history=state["history"])
    assert prompt.count("The harbor is teal.") == prompt.count("The letter is blue.") == 1
    assert prompt.endswith(" ATTACHMENTS: The letter is blue.") is not attachments


def test_a_page_whose_documents_cannot_be_read_is_still_a_page():
    """Its reply is marked by what the prompt then really sent."""
    assert prompts(BrokenShelves()).asked_or_nothing(page(True)).page
    assert not prompts(BrokenShelves()).asked_or_nothing({"history": {}}).page


def test_sampling_for_documents_is_for_chat_replies_and_not_for_the_notebook():
    notebook = {**page(True), "temperature": 1.3, "repetition_penalty": 1.15}
    assert prompts().with_sampling(notebook) is notebook
    reply = prompts().with_sampling({**notebook, SENT_KEY: []})
    assert (reply["temperature"], reply["repetition_penalty"]) == (0.5, 1.0)
