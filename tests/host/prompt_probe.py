"""Test-only commands inside a real webui: do with a chat what its page's buttons do, and say what reached the model.

``act`` reads ``request.json``: the way (a button's function), the page's fields to set, and our session's content.
"""

import copy
import html
import inspect
import json
import os
import sys
from pathlib import Path

FOLDER = Path(os.environ["LONGCTX_PROBE"])


def _package():
    names = ("extensions.airoboros_longctx", "user_data.extensions.airoboros_longctx", "airoboros_longctx")
    return next(name for name in names if f"{name}.core.documents.chat_session" in sys.modules)


def _session(asked, state):
    module = sys.modules[f"{_package()}.core.documents.chat_session"]
    documents = tuple(
        module.ChatDocument(one.get("title", ""), one["text"], tuple(tuple(pair) for pair in one.get("metadata", ())))
        for one in asked.get("documents", ())
    )
    options = sys.modules[f"{_package()}.core.prompts.document_options"].DocumentOptions(**asked.get("options", {}))
    session = module.ChatSession(options, asked.get("plainformat", False))
    prompting = sys.modules[f"{_package()}.extension"]._extension.prompting.prompts
    there = {**state, "unique_id": asked["documents_of_chat"]} if "documents_of_chat" in asked else state
    return prompting.shelves.change(session, prompting.place(there, session), "chat", lambda _: documents)


def _state(asked):
    """The page's fields as the webui gathers them, each with the value it has when the page is opened."""
    from modules import shared, ui

    state = {}
    for name in ui.list_interface_input_elements():
        component = shared.gradio.get(name)
        value = copy.deepcopy(getattr(component, "value", None))
        state[name] = "" if value is None and type(component).__name__ == "Textbox" else value  # as a page sends it
    state["history"] = {"internal": [], "visible": [], **({"metadata": {}} if _keeps_metadata() else {})}
    for key in ("truncation_length", "instruction_template_str"):
        if key in state and key in shared.settings:
            state[key] = shared.settings[key]
    if "turn_template" in state:
        from modules import chat

        template = shared.settings["instruction_template"]
        name1, name2, _, _, context, turn_template = chat.load_character(template, "", "", instruct=True)
        state.update(name1_instruct=name1, name2_instruct=name2, context_instruct=context, turn_template=turn_template)
        state["instruction_template"] = template
    state.update(mode="instruct", max_new_tokens=8, do_sample=False, seed=1, stream=True, name2="AI", context="")
    state.update({key: value for key, value in asked.get("fields", {}).items() if key in state})
    rows = asked.get("rows", [])
    if asked.get("metadata"):
        state["history"]["metadata"] = copy.deepcopy(asked["metadata"])
    state["history"]["internal"] = copy.deepcopy(rows)
    state["history"]["visible"] = [[html.escape(text) for text in row] for row in rows]
    if asked.get("ours", True):
        state["airoboros_longctx"] = _session(asked, state)
    return state


def _start_with(chat, asked):
    """Up to v1.5 "Start reply with" is an argument of its own."""
    functions = (chat.generate_chat_reply_wrapper, chat.impersonate_wrapper)
    apart = any("start_with" in inspect.signature(function).parameters for function in functions)
    return [asked.get("fields", {}).get("start_with", "")] if apart else []


def _box(state, text):
    """What is in the message box: a text, or from the first release with attachments on a text and files."""
    from modules import chat

    return {"text": text, "files": []} if hasattr(chat, "add_message_attachment") else text


def _keeps_metadata():
    """Histories have a third part from v3.5 on."""
    from modules import chat

    return hasattr(chat, "update_message_metadata")


def _act():
    from modules import chat

    asked = json.loads((FOLDER / "request.json").read_text())
    state = _state(asked)
    before = copy.deepcopy(state["history"])
    text, way = asked.get("text", ""), asked["way"]
    shown, answer = [], {}
    if way in ("send", "regenerate", "continue"):
        flags = {"regenerate": way == "regenerate", "_continue": way == "continue"}
        if asked.get("files"):
            text = {"text": text, "files": asked["files"]}
        for display, history in chat.generate_chat_reply_wrapper(text, *_start_with(chat, asked), state, **flags):
            shown.append(display["html"] if isinstance(display, dict) else display)
            answer["history"] = history
    elif way == "edit":
        state.update(edit_message_index=len(asked["rows"]) - 1, edit_message_text=text, edit_message_role="user")
        answer["history"] = chat.handle_edit_message_click(state)[0]
    elif way == "impersonate":
        for said in chat.impersonate_wrapper(_box(state, text), *_start_with(chat, asked), state):
            box = said[0] if isinstance(said, tuple) else said
            answer["text"] = box["text"] if isinstance(box, dict) else box
    elif way == "count":
        answer["text"] = chat.count_prompt_tokens(text, state)
    elif way == "to notebook":
        answer["text"] = chat.generate_chat_prompt("", state, _continue=True)
    elif way == "prompt":
        answer["text"] = chat.generate_chat_prompt(text, state)
        answer["stops"] = chat.get_stopping_strings(dict(state))
    answer["shown"] = shown
    answer["stored state untouched"] = way != "impersonate" or state["history"] == before
    return answer


def _sampling():
    """What the model is asked to sample with for a chat reply, as state_modifier leaves it."""
    from modules import extensions

    asked = json.loads((FOLDER / "request.json").read_text())
    state = extensions.apply_extensions("state", {**_state(asked), "airoboros_longctx-sent": []})
    return {key: state[key] for key in ("temperature", "repetition_penalty", "do_sample") if key in state}


def _template():
    from modules import shared, utils

    keys = ("instruction_template", "instruction_template_str", "truncation_length")
    return {
        "settings": {key: shared.settings[key] for key in keys if key in shared.settings},
        "listed": utils.get_available_instruction_templates(),
    }


def _lora():
    """What "Apply LoRAs" of the Model tab does."""
    from modules import LoRA

    LoRA.add_lora_to_model(json.loads((FOLDER / "request.json").read_text())["names"])
    return {}


def _save():
    """What the Session tab writes: the extensions that are on, and their parameters."""
    from modules import ui

    (FOLDER / "request.json").write_text(json.dumps({"way": "save"}))
    return {"yaml": ui.save_settings(_state({}), None, ["airoboros_longctx"], True, "dark", manual_save=True)}


COMMANDS = {"lora": _lora, "save": _save, "act": _act, "sampling": _sampling, "template": _template}
