"""The next question over the same text, in real webuis: it reads what is new, and says what it says without us."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.host.conftest import CONFIRMED, WINDOW

pytestmark = pytest.mark.host
TEXT = "The color of the harbor is teal. The code of Alda is 4417. The tower of Brin is red and old. " * 14
QUESTIONS = ("What is the color of the harbor?", "What is the code of Alda?", "What is the color of the tower of Brin?")
PROMPTS = [f"{TEXT}\n{question} ASSISTANT:" for question in QUESTIONS]


@pytest.fixture(scope="module")
def started(start, models):
    def run(**options):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("LONGCTX_PROBE_MORE", str(Path(__file__).with_name("prefix_probe.py")))
            arguments = ["--model", models.scaled.name, "--loader", "Transformers", *options.pop("arguments", ())]
            return start(models.all(), arguments=arguments, page=False, **options)

    return run


@pytest.fixture(scope="module")
def server(started):
    return started()


def test_token_by_token_what_the_webui_says_alone(started, server):
    alone = started(extensions=("airoboros_longctx",), settings="airoboros_longctx-prefix_cache: false\n")
    for prompt in (*PROMPTS, PROMPTS[0][: len(TEXT) // 2], PROMPTS[1]):
        replies = [one.complete(prompt, 24, WINDOW) for one in (server, alone)]
        assert replies[0] == replies[1]
    found, without = server.ask("kept"), alone.ask("kept")
    assert found["left_alone"] == {}
    assert found["last"][0] > 200  # the last prompt was kept up to half of the text
    assert without["held"] == 0
    alone.stop()


def test_only_what_is_new_is_read(server):
    server.complete(PROMPTS[0], 4, WINDOW)
    server.complete(PROMPTS[2], 4, WINDOW)
    kept, read = server.ask("kept")["last"]
    assert kept > 400
    assert read < 40


def test_the_status_line_says_it(server):
    server.complete(PROMPTS[0], 4, WINDOW)
    found = server.ask("kept")
    tokens = sum(found["last"]) - 1
    assert found["status"].startswith(f"{CONFIRMED} · prefix of {tokens:,} tokens kept, ")


def test_all_goes_with_the_model_and_comes_with_the_next(server, models):
    server.complete(PROMPTS[0], 4, WINDOW)
    assert server.ask("kept")["held"] > 0
    server.unload()
    found = server.ask("kept")
    assert (found["loaded"], found["stores"], found["held"], found["watched"]) == (False, 0, 0, 0)
    server.load(models.scaled.name, loader="Transformers")
    server.complete(PROMPTS[0], 4, WINDOW)
    server.complete(PROMPTS[1], 4, WINDOW)
    found = server.ask("kept")
    assert (found["watched"], found["wrapped"]) == (1, True)
    assert found["last"][0] > 400


def test_with_several_people_nothing_of_an_unknown_one_is_kept(started):
    server = started(arguments=["--multi-user"])
    for prompt in PROMPTS[:2]:
        server.complete(prompt, 4, WINDOW)
    found = server.ask("kept")
    assert found["left_alone"] == {"nobody knows who asks": 2}
    assert found["held"] == 0
    server.stop()
