"""Replies as each real release shows them: nothing is fetched or run, at no moment, and nothing harmless is changed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from extensions.airoboros_longctx.core.replies.source_check import SourceCheck, SourceLink, StatedSource
from extensions.airoboros_longctx.host.webui.chat.marks import ReplyMark, with_mark
from tests.host.running_host import HOST_COMPAT
from tests.hostile_replies import ADDRESS, HARMLESS, HARMLESS_LINKS, HOSTILE, beginnings
from tests.live_html import LiveHtml
from tests.real_hosts import RealHost, deep_hosts, find_hosts

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
UNFINISHED = (
    *("Teal.", "```\ncode", "```\ncode\n```", 'He said "teal', "- one\n- two", "1.", "| a | b |\n|---|---|", "> a"),
    *("\\[ x", "$$\nx", "`x", "**x", "\\begin{code}\nx", "a ``` b", "```x```", "<think>a</think>b"),
)


def history(replies: list[str], check: SourceCheck | None = None, mode: str = "instruct") -> dict[str, object]:
    made = {"internal": [["", reply] for reply in replies], "metadata": {}, "mode": mode}
    for row, reply in enumerate(replies):
        mark = ReplyMark(documents=True)
        with_mark(made, row, mark.with_check(reply, check) if check is not None else mark)
    return made


def unmarked(replies: list[str]) -> dict[str, object]:
    return {"internal": [["", reply] for reply in replies], "metadata": {}, "mode": "instruct"}


def looked_at() -> list[RealHost]:
    """Those of the long tests, and the oldest: it lets a reply's HTML through."""
    deep = deep_hosts()
    return [host for host in find_hosts() if host in deep or host.name == "v1.3.1"]


@pytest.fixture(scope="module", params=looked_at() or [None], ids=lambda host: host.name if host else "none found")
def any_host(request: pytest.FixtureRequest) -> RealHost:
    if request.param is None:
        pytest.skip("no real webui found; see TEXTGEN_HOSTS in tests/real_hosts.py")
    return request.param


@pytest.fixture(scope="module")
def probe(any_host, tmp_path_factory):
    """Run a probe with the release's Python, in a folder of its own, and take its answer."""
    run = tmp_path_factory.mktemp("replies")
    shutil.copytree(any_host.webui / "css", run / "css")
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    environment.update(PYTHONDONTWRITEBYTECODE="1", HF_HUB_OFFLINE="1", GRADIO_ANALYTICS_ENABLED="False")
    if HOST_COMPAT.is_dir() and "--user-data-dir" in (any_host.webui / "modules" / "shared.py").read_text("utf-8"):
        environment["PYTHONPATH"] = str(HOST_COMPAT)

    def answer(name: str, asked: object = None) -> Any:
        (run / "asked.json").write_text(json.dumps(asked))
        file = Path(__file__).with_name(name)
        done = subprocess.run(
            [str(any_host.python), str(file), str(any_host.webui), str(REPOSITORY), "asked.json"],
            cwd=run,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
        return json.loads(done.stdout.splitlines()[-1])

    return answer


@pytest.fixture(scope="module")
def pages(probe):
    """The pages that the release makes of histories, by name."""
    asked = {f"growing {number}": history(beginnings(reply)) for number, reply in enumerate(HOSTILE)}
    asked |= {f"hostile {number}": history([reply]) for number, reply in enumerate(HOSTILE)}
    asked |= {f"bare {number}": unmarked([reply]) for number, reply in enumerate(HOSTILE)}
    asked |= {f"harmless {number}": history([reply]) for number, (reply, _) in enumerate(HARMLESS)}
    asked |= {f"noted {number}": history([reply], CHECK) for number, reply in enumerate(UNFINISHED)}
    asked["in chat mode"] = history(list(HOSTILE), CHECK, "chat")
    return dict(zip(asked, probe("reply_probe.py", list(asked.values()))["pages"], strict=True))


@pytest.fixture(scope="module")
def steps(probe):
    """What the release's own chat functions showed and left, step by step."""
    found = probe("reply_flow_probe.py")
    assert found["problems"] == []
    return found


def replies_of(page: str) -> LiveHtml:
    return LiveHtml(page, inside="message-body" if "message-body" in page else "text")


def test_without_documents_a_page_is_as_ever(pages):
    alive = [number for number in range(len(HOSTILE)) if replies_of(pages[f"bare {number}"]).alive]
    assert len(alive) > 25


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


def test_formulas_make_no_links(any_host):
    """KaTeX makes links and images of ``\\href`` and ``\\includegraphics`` only where it is told to trust them."""
    scripts = [*any_host.webui.glob("js/*.js"), *any_host.webui.glob("modules/*.py")]
    asking = [text for text in (file.read_text("utf-8") for file in scripts) if "renderMathInElement(" in text]
    assert all("trust" not in text for text in asking)
    assert asking or not list(any_host.webui.glob("js/katex"))


BERRIES = "Sources: Berries"


def notes_of(page: str) -> str:
    """The notes on a page; "" where there are none."""
    return LiveHtml(page, inside="airoboros-longctx-sources").text


def test_the_note_comes_with_the_end_of_the_reply_and_the_history_keeps_the_text(steps):
    *growing, last = steps["send"]["shown"]
    assert len(growing) > 3
    assert [notes_of(page) for page in growing] == [""] * len(growing)
    assert notes_of(last) == BERRIES
    reply = "Blueberries are now green!\nSource:\ndate: 2021-01-01\nurl: https://web.site/123"
    assert [row[-1][1] for row in (steps["send"]["history"]["internal"], steps["send"]["history"]["visible"])] == [
        reply,
        reply,
    ]
    assert "Blueberries are now green." not in json.dumps(steps["send"]["history"])


def test_it_is_there_again_after_a_reload(steps):
    assert notes_of(steps["reload"]) == BERRIES


def test_each_version_has_its_own_note(steps):
    assert all(BERRIES not in notes_of(page) for page in steps["regenerate"]["shown"])
    assert notes_of(steps["regenerate"]["shown"][-1]) == "Occurs in no document: 1887"
    assert notes_of(steps["swipe back"]) == BERRIES


def test_an_edited_reply_has_no_note_and_stays_safe(steps):
    assert notes_of(steps["edit"]) == ""
    assert replies_of(steps["edit"]).alive == []
    assert "![x](http://evil.example) By hand." in replies_of(steps["edit"]).text


def test_a_continued_reply_is_checked_as_a_whole(steps):
    assert notes_of(steps["continue"]["shown"][-1]).endswith("Occurs in no document: 1999")


def test_no_note_stands_under_another_reply(steps):
    assert notes_of(steps["next, reloaded"]) == BERRIES  # under the first reply
    for step in ("without", "removed, then without", "without, regenerated"):
        assert [notes_of(page) for page in steps[step]["shown"]] == [""] * len(steps[step]["shown"])


def test_a_row_once_answered_from_documents_stays_safe_and_a_new_one_is_new(steps):
    assert replies_of(steps["without, regenerated"]["shown"][-1]).alive == []
    for step in ("without", "removed, then without", "api"):
        assert replies_of(steps[step]["shown"][-1]).alive == ['<a href="y">']


def test_code_and_api_as_before(steps):
    code = LiveHtml(steps["code"]["shown"][-1], inside="language-plainformat")
    assert ("".join(code.texts).strip(), code.alive) == (steps["the code"], [])
    assert steps["api keys"] == []
    assert steps["sent key"] in steps["sent keys"]
    assert "longctx" not in json.dumps(steps["api"]["history"])


def test_two_people_at_once_get_their_own_sources(steps):
    assert sorted(map(notes_of, steps["two people"])) == [BERRIES, "Sources: Tower"]
