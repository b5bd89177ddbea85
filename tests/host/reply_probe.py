"""Run with a host's Python: what its own page makes of replies, shown by our display; no server is started.

``reply_probe.py WEBUI REPOSITORY HISTORIES`` in a folder with the webui's ``css``; HISTORIES is a file with a JSON list
of histories, and the answer is a line of JSON: the page's HTML for each, and whether the webui escapes HTML.
"""

import inspect
import json
import sys
from pathlib import Path

webui, repository, file = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
sys.argv = ["server.py", "--cpu"]
sys.path[:0] = [str(webui), repository]

import modules.ui  # noqa: E402, F401 - by its page a release can be imported in every order
from modules import html_generator  # noqa: E402

from extensions.airoboros_longctx.host.webui.chat.display import WebuiDisplay  # noqa: E402
from extensions.airoboros_longctx.host.webui.chat.prompting import _escapes_html  # noqa: E402

display = WebuiDisplay(lambda: "*Is typing...*", _escapes_html, print)
takes = inspect.signature(html_generator.chat_html_wrapper).parameters


def page(history, mode):
    named = {"name1": "You", "name2": "AI", "mode": mode, "style": "cai-chat", "character": "Assistant"}
    given = {key: value for key, value in named.items() if key in takes}
    shown = display.chat_html_wrapper(html_generator.chat_html_wrapper, history, **given)
    return shown["html"] if isinstance(shown, dict) else shown


def visible(reply):
    """The reply as this webui's chat would hold it."""
    import html

    return html.escape(reply) if _escapes_html() else reply


answers = []
for history in json.loads(file.read_text()):
    mode = history.pop("mode")
    history["visible"] = [[question, visible(reply)] for question, reply in history["internal"]]
    answers.append(page(history, mode))
print(json.dumps({"escapes html": _escapes_html(), "pages": answers}))
