"""Run with a host's Python: its own chat functions with our wrappers around them and replies from a script.

``reply_flow_probe.py WEBUI REPOSITORY`` in a folder with the webui's ``css``; the answer is a line of JSON: for each
step what was shown, one page after the other, and the history that it left. No server is started.
"""

import inspect
import json
import sys
from pathlib import Path

webui, repository = Path(sys.argv[1]), sys.argv[2]
sys.argv = ["server.py", "--cpu"]
sys.path[:0] = [str(webui), repository]

import modules.ui  # noqa: E402, F401 - by its page a release can be imported in every order
from modules import chat, shared  # noqa: E402

from extensions.airoboros_longctx.core.documents.chat_session import ChatDocument, ChatSession  # noqa: E402
from extensions.airoboros_longctx.core.documents.place import CHAT, Place  # noqa: E402
from extensions.airoboros_longctx.core.documents.shelves import DocumentShelves  # noqa: E402
from extensions.airoboros_longctx.core.settings import load_settings  # noqa: E402
from extensions.airoboros_longctx.host.webui.chat.asked import SESSION_KEY  # noqa: E402
from extensions.airoboros_longctx.host.webui.chat.display import WebuiDisplay  # noqa: E402
from extensions.airoboros_longctx.host.webui.chat.prompting import _escapes_html  # noqa: E402
from extensions.airoboros_longctx.host.webui.chat.prompts import SENT_KEY, WebuiPrompts  # noqa: E402
from extensions.airoboros_longctx.host.webui.chat.replies import WebuiReplies  # noqa: E402
from extensions.airoboros_longctx.host.webui.chat.tool_calls import WebuiToolCalls  # noqa: E402
from extensions.airoboros_longctx.prompt_service import PromptService  # noqa: E402

WAITING = "*Is typing...*"
CARD = "Source:\ndate: 2021-01-01\nurl: https://web.site/123"
problems = []


class Style:
    def knows_closed_context(self):
        return False

    def plainformat_separator(self):
        return "\n"

    def stop_strings(self):
        return ()

    def why_no_tool_calls(self):
        return ""


prompts = WebuiPrompts(
    PromptService(),
    Style(),
    lambda: load_settings({})[0],
    len,
    lambda state: "",
    ValueError,
    DocumentShelves(),
    lambda state, session: Place(),
)
replies = WebuiReplies(prompts, problems.append, WebuiToolCalls(problems.append))
display = WebuiDisplay(lambda: WAITING, _escapes_html, problems.append)
stock = {name: getattr(chat, name) for name in ("generate_chat_prompt", "generate_chat_reply", "chat_html_wrapper")}
script, states = [], []


def scripted(prompt, state, *more, **named):
    """A reply in three pieces."""
    states.append(sorted(key for key in state if "longctx" in key))
    reply = script.pop(0)
    third = max(1, len(reply) // 3)
    yield from (reply[:third], reply[: 2 * third], reply)


chat.generate_reply = scripted
chat.get_encoded_length = len
chat.generate_chat_prompt = lambda *given, **named: prompts.generate_chat_prompt(
    stock["generate_chat_prompt"], *given, **named
)
chat.generate_chat_reply = lambda *given, **named: replies.generate_chat_reply(
    stock["generate_chat_reply"], *given, **named
)
chat.chat_html_wrapper = lambda *given, **named: display.chat_html_wrapper(stock["chat_html_wrapper"], *given, **named)
if hasattr(chat, "save_history"):
    chat.save_history = lambda *given, **named: None
shared.model, shared.model_name, shared.tokenizer = object(), "model", None


def session(*documents, plainformat=False):
    place = Place()
    made = tuple(ChatDocument(title, text, metadata, id=number) for number, title, text, metadata in documents)
    return ChatSession(plainformat=plainformat).with_documents(place.shelf(CHAT), made)


BERRIES = ("d1", "Berries", "Blueberries are now green.", (("date", "2021-01-01"), ("url", "https://web.site/123")))
TOWER = ("d2", "Tower", "The tower is red.", (("url", "https://web.site/tower"),))


def state_of(history, mine):
    state = {"history": history, "stream": True, "mode": "instruct", "name1": "You", "name2": "AI", "context": ""}
    state.update(chat_generation_attempts=1, chat_style="cai-chat", character_menu="Assistant", start_with="")
    state.update(truncation_length=1 << 20, max_new_tokens=0, user_bio="", chat_template_str="", unique_id="1")
    state.update(custom_system_message="", enable_thinking=False, reasoning_effort="", preserve_thinking=False)
    state.update(name1_instruct="USER:", name2_instruct="ASSISTANT:", context_instruct="A chat.", tools=[])
    state.update(turn_template="<|user|> <|user-message|> <|bot|> <|bot-message|>", chat_prompt_size=1 << 20)
    state.update(stopping_strings="", custom_stopping_strings="", instruction_template_str=TEMPLATE, textbox="")
    state.update({"chat-instruct_command": "", "chat_instruct_command": "", "greeting": "", "greeting_html": ""})
    state.update(
        selected_tools=[], mcp_servers="", show_after="", enable_web_search=False, seed=1, stop_at_newline=False
    )
    return {**state, SESSION_KEY: mine} if mine is not None else state


TEMPLATE = (
    "{% for message in messages %}{% if message['role'] == 'user' %}USER: {{ message['content'] }} ASSISTANT: "
    "{% else %}{{ message['content'] }}</s>{% endif %}{% endfor %}"
)


def empty():
    return {"internal": [], "visible": [], **({"metadata": {}} if hasattr(chat, "update_message_metadata") else {})}


def generator(history, text, mine, **flags):
    extra = [""] if "start_with" in inspect.signature(chat.generate_chat_reply_wrapper).parameters else []
    return chat.generate_chat_reply_wrapper(text, *extra, state_of(history, mine), **flags)


def page_of(shown):
    return shown["html"] if isinstance(shown, dict) else shown


def run(history, text, reply, mine, **flags):
    script.append(reply)
    shown, last = [], history
    for html, changed in generator(history, text, mine, **flags):
        shown.append(page_of(html))
        last = json.loads(json.dumps(changed))
    return {"shown": shown, "history": last}


def redraw(history):
    named = {"name1": "You", "name2": "AI", "mode": "instruct", "style": "cai-chat", "character": "Assistant"}
    takes = inspect.signature(stock["chat_html_wrapper"]).parameters
    named = {key: value for key, value in named.items() if key in takes}
    return page_of(chat.chat_html_wrapper(json.loads(json.dumps(history)), **named))


def changed(history, row, reply):
    other = json.loads(json.dumps(history))
    other["internal"][row][1] = other["visible"][row][1] = reply
    return other


CODE = "if a < b and c[0](d) != \"&amp;\":\n\n    print('$x$ \\\\ ![e](//f)')"
GREEN = f"Blueberries are now green!\n{CARD}"
mine, steps = session(BERRIES), {}
steps["send"] = run(empty(), "What color?", GREEN, mine)
steps["sent keys"] = states[-1]
after = steps["send"]["history"]
steps["reload"] = redraw(after)
steps["regenerate"] = run(json.loads(json.dumps(after)), "", "They were so in 1887.", mine, regenerate=True)
regenerated = steps["regenerate"]["history"]
steps["swipe back"] = redraw(changed(regenerated, 0, GREEN))
steps["edit"] = redraw(changed(regenerated, 0, "![x](http://evil.example) By hand."))
steps["continue"] = run(json.loads(json.dumps(after)), "", "\nIt was 1999.", mine, _continue=True)
steps["next without"] = run(json.loads(json.dumps(after)), "Hi", "Wow! [x](y)", session())
steps["next, reloaded"] = redraw(steps["next without"]["history"])
steps["without"] = run(empty(), "Hi", "Wow! [x](y)", session())
removed = chat.remove_last_message(json.loads(json.dumps(after)))[1]
steps["removed, then without"] = run(removed, "Hi", "Wow! [x](y)", session())
steps["without, regenerated"] = run(json.loads(json.dumps(after)), "", "Wow! [x](y)", session(), regenerate=True)
steps["code"] = run(empty(), "Hi", CODE, session(plainformat=True))
steps["api"] = run(empty(), "Hi", "Wow! [x](y)", None)
steps["api keys"] = states[-1]
script[:] = [GREEN, "The tower is red.\nSource:\nurl: https://web.site/tower"]
both = [generator(empty(), "a", session(BERRIES)), generator(empty(), "b", session(TOWER))]
pages = {}
while both:
    for one in list(both):
        try:
            pages[id(one)] = page_of(next(one)[0])
        except StopIteration:
            both.remove(one)
steps["two people"] = list(pages.values())
steps["problems"] = problems
steps["sent key"], steps["the code"] = SENT_KEY, CODE
print(json.dumps(steps))
