"""The Documents panel as a person works it in a browser, for the workbench's and the webui's page."""

from __future__ import annotations

import re

PANEL = "#airoboros-longctx-documents"
LIST = ".airoboros-longctx-list"


def row(page, title):
    return page.locator(f"{LIST} li").filter(has=page.get_by_text(title, exact=True))


def titles(page):
    """The titles of the rows, in order."""
    return page.locator(f"{LIST} li .name b").all_inner_texts()


def wait_for_titles(page, *expected):
    for _ in range(150):
        if titles(page) == list(expected):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"the rows stayed {titles(page)}; {list(expected)} was expected")


def press(page, button, title):
    """Press a button of a row: Preview, Edit, Remove, ↑ or ↓."""
    name = {"↑": "^Move .* up$", "↓": "^Move .* down$"}.get(button, f"^{button} ")
    row(page, title).get_by_role("button", name=re.compile(name)).click()


def said(page, words):
    page.locator(".airoboros-longctx-said", has_text=words).first.wait_for(timeout=30_000)


def upload(page, *files):
    """Pick several files at once: (name, text or bytes)."""
    page.locator(f"{PANEL} input[type=file]").first.set_input_files(
        files=[
            {"name": name, "mimeType": "text/plain", "buffer": text if isinstance(text, bytes) else text.encode()}
            for name, text in files
        ]
    )


def open_editor(page):
    if not page.get_by_label("Document text").is_visible():
        page.locator("#airoboros-longctx-editor .label-wrap").first.click()
        page.get_by_label("Document text").wait_for(timeout=15_000)


def paste(page, title, metadata, text):
    open_editor(page)
    page.locator(PANEL).get_by_label("Title").fill(title)
    page.locator(PANEL).get_by_label("Metadata").fill(metadata)
    page.get_by_label("Document text").fill(text)
    before = page.locator(f"{LIST} li").count()
    page.get_by_role("button", name="Add document").click()
    page.locator(f"{LIST} li").nth(before).wait_for(timeout=30_000)


def exact_prompt(page, words):
    """The shown prompt, once it holds ``words``."""
    box, text = page.locator("#airoboros-longctx-exact-prompt code"), ""
    for _ in range(100):
        text = box.text_content() if box.count() else ""
        if words in text:
            return text
        page.wait_for_timeout(100)
    raise AssertionError(f"the prompt never held {words!r}: {text!r}")
