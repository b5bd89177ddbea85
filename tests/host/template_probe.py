"""Run with a host's Python: what its own functions make of the templates in its folder, without starting a server.

``template_probe.py WEBUI CASES`` in a folder of its own; CASES is JSON, and the answer is one line of JSON.
"""

import json
import sys
from pathlib import Path

webui, cases = Path(sys.argv[1]), json.loads(sys.argv[2])
sys.argv = ["server.py", "--cpu"]
sys.path.insert(0, str(webui))

from modules import chat, utils  # noqa: E402

OLD = hasattr(chat, "get_turn_substrings")


def _fields(name):
    """The state's fields that come from the template called ``name``, as the dropdown and as the API load it."""
    if OLD:
        loaded = chat.load_character(name, "", "", instruct=True)
        user, bot, _, _, context, turn_template = loaded
        fields = {"name1_instruct": user, "name2_instruct": bot}
        fields.update(context_instruct=context, turn_template=turn_template)
        return fields, chat.load_character_memoized(name, "", "", instruct=True) == loaded
    from modules.models_settings import load_instruction_template

    text = load_instruction_template(name)
    return {"instruction_template_str": text}, chat.load_instruction_template_memoized(name) == text


def _state(fields, case):
    given = {"mode": "instruct", "name1": "You", "name2": "AI", "context": "", "truncation_length": 1 << 20}
    given.update(max_new_tokens=0, user_bio="", chat_template_str="", custom_system_message=case.get("system", ""))
    given.update(enable_thinking=False, reasoning_effort="", preserve_thinking=False, history=_history(case))
    return {**given, **fields}


def _history(case):
    return {"internal": case["rows"], "visible": case["rows"], "metadata": {}}


def _answer(fields, case):
    chat.get_encoded_length = len
    prompt = chat.generate_chat_prompt(case.get("text", ""), _state(fields, case), **case.get("way", {}))
    return {"prompt": prompt, "stops": sorted(chat.get_stopping_strings(_state(fields, case)))}


answers = {}
for name in cases["names"]:
    fields, same = _fields(name)
    answers[name] = {"same through the API": same, "cases": [_answer(fields, case) for case in cases["cases"]]}
print(json.dumps({"old": OLD, "listed": utils.get_available_instruction_templates(), "answers": answers}))
