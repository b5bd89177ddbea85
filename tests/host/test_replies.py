"""Replies as each real release shows them: nothing is fetched or run, at no moment, and nothing harmless is changed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from extensions.airoboros_longctx.core.sources import SourceCheck, SourceLink, StatedSource
from extensions.airoboros_longctx.host.webui_marks import ReplyMark, with_mark
from tests.host.running_host import HOST_COMPAT
from tests.hostile_replies import ADDRESS, HARMLESS, HARMLESS_LINKS, HOSTILE, beginnings
from tests.live_html import LiveHtml
from tests.real_hosts import RealHost, find_hosts

pytestmark = pytest.mark.host
REPOSITORY = Path(__file__).parents[2]
CHECK = SourceCheck(
    (
        StatedSource("url: x", (SourceLink("d1", '"A" <b>title</b> ![x](//evil.example)', 3, 9),)),
        StatedSource("url: [y](javascript:z)"),
    ),
    (),
    ("1887", '"Ben Nevis"'),
)
NOTE = (
    'Sources: "A" <b>title</b> ![x](//evil.example) · url: [y](javascript:z): not among the documents '
    'Occurs in no document: 1887, "Ben Nevis"'
)
#: Beginnings and endings after which a note must still be HTML.
UNFINISHED = ("Teal.", "```\ncode", "```\ncode\n```", 'He said "teal', "- one\n- two", "1.", "| a | b |\n|---|---|", "> a",
              "\\[ x", "$$\nx", "`x", "**x", "\\begin{code}\nx", "a ``` b", "```x```", "<think>a</think>b")  # fmt: skip


def history(replies: list[str], check: SourceCheck | None = None, mode: str = "instruct") -> dict[str, object]:
    made = {"internal": [["", reply] for reply in replies], "metadata": {}, "mode": mode}
    for row, reply in enumerate(replies):
        mark = ReplyMark(documents=True)
        with_mark(made, row, mark.with_check(reply, check) if check is not None else mark)
    return made


@pytest.fixture(scope="module", params=find_hosts() or [None], ids=lambda host: host.name if host else "none found")
def any_host(request: pytest.FixtureRequest) -> RealHost:
    if request.param is None:
        pytest.skip("no real webui found; see TEXTGEN_HOSTS in tests/real_hosts.py")
    return request.param


@pytest.fixture(scope="module")
def pages(any_host, tmp_path_factory):
    """The pages that the release makes of histories, by name."""
    run = tmp_path_factory.mktemp("replies")
    shutil.copytree(any_host.webui / "css", run / "css")
    asked = {f"growing {number}": history(beginnings(reply)) for number, reply in enumerate(HOSTILE)}
    asked |= {f"hostile {number}": history([reply]) for number, reply in enumerate(HOSTILE)}
    asked |= {f"harmless {number}": history([reply]) for number, (reply, _) in enumerate(HARMLESS)}
    asked |= {f"noted {number}": history([reply], CHECK) for number, reply in enumerate(UNFINISHED)}
    asked["in chat mode"] = history(list(HOSTILE), CHECK, "chat")
    (run / "histories.json").write_text(json.dumps(list(asked.values())))
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    environment.update(PYTHONDONTWRITEBYTECODE="1", HF_HUB_OFFLINE="1", GRADIO_ANALYTICS_ENABLED="False")
    if HOST_COMPAT.is_dir() and "--user-data-dir" in (any_host.webui / "modules" / "shared.py").read_text("utf-8"):
        environment["PYTHONPATH"] = str(HOST_COMPAT)
    probe = Path(__file__).with_name("reply_probe.py")
    done = subprocess.run(
        [str(any_host.python), str(probe), str(any_host.webui), str(REPOSITORY), "histories.json"],
        cwd=run,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    answer = json.loads(done.stdout.splitlines()[-1])
    return dict(zip(asked, answer["pages"], strict=True))


def replies_of(page: str) -> LiveHtml:
    return LiveHtml(page, inside="message-body" if "message-body" in page else "text")


def test_a_hostile_reply_is_text(pages):
    for number, reply in enumerate(HOSTILE):
        shown = replies_of(pages[f"hostile {number}"])
        assert shown.alive == [], reply
        assert ADDRESS in shown.text or any(ADDRESS in link for link in shown.links), (reply, shown.text)


def test_while_it_grows_too(pages):
    for number, reply in enumerate(HOSTILE):
        assert replies_of(pages[f"growing {number}"]).alive == [], reply


def test_in_chat_mode_with_notes(pages):
    assert replies_of(pages["in chat mode"]).alive == []


def test_a_harmless_reply_reads_as_it_should(pages):
    for number, (reply, text) in enumerate(HARMLESS):
        shown = replies_of(pages[f"harmless {number}"])
        assert (shown.alive, shown.text) == ([], text)
        assert set(shown.links) <= HARMLESS_LINKS
        assert bool(shown.links) == ("](http" in reply and "`" not in reply)


def test_notes_stand_below_any_reply(pages):
    for number, reply in enumerate(UNFINISHED):
        shown = replies_of(pages[f"noted {number}"])
        assert (shown.alive, shown.links) == ([], ["#airoboros-longctx-source-d1-3-9"]), reply
        assert shown.text.endswith(NOTE), reply
