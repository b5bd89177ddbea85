"""Files become documents one by one: what cannot be read is named, a cancel keeps what was read, nothing is left."""

from __future__ import annotations

import threading

import pytest

from extensions.airoboros_longctx.documents.read_document import DocumentReadError, ReadDocument
from extensions.airoboros_longctx.ui.documents import bring_in
from extensions.airoboros_longctx.ui.documents.bring_in import BringInLimits, on_address, on_cancel, on_files

gradio = pytest.importorskip("gradio")


@pytest.fixture
def put(folder):
    def write(*contents: tuple[str, bytes]):
        paths = []
        for number, (name, content) in enumerate(contents):
            path = folder / str(number) / name
            path.parent.mkdir()
            path.write_bytes(content)
            paths.append(str(path))
        return paths

    return write


def last(events):
    """The documents' titles, what was said and what went wrong; the page is idle again and nothing is under way."""
    *_, (brought, stopping, words, reading, adding, source) = events
    assert (stopping, words, source) == (None, "", None)
    assert (reading, adding) == (gradio.update(visible=False), gradio.update(visible=True))
    return [document.title for document in brought[0]], *brought[1:]


def test_files_that_can_be_read_are_taken_and_the_others_named(folder, put, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    files = put(("a.txt", b"first"), ("empty.txt", b""), ("b.md", b"second"))
    titles, said, problems = last(on_files([*files, str(secret)]))
    assert (titles, said) == (["a", "b"], "2 added.")
    assert problems.startswith("empty.txt is empty; ")
    assert problems.endswith("secret.txt is not an uploaded file; only files that were uploaded on this page are read.")
    assert secret.exists()
    assert list(folder.iterdir()) == []


def test_the_metadata_is_the_files_own(put):
    *_, (brought, *_) = on_files(put(("a.txt", b"first")))
    assert brought[0][0].metadata == (("file", "a.txt"),)


def test_the_page_is_busy_at_once(put):
    words, reading, adding = next(iter(on_files(put(("a.txt", b"first")))))[2:5]
    assert "Reading …" in words
    assert (reading, adding) == (gradio.update(visible=True), gradio.update(visible=False))


def test_ten_thousand_files_are_bounded_and_all_deleted(folder, put):
    files = put(*((f"{number}.txt", b"x") for number in range(30)))
    titles, said, problems = last(on_files(files, BringInLimits(files=3)))
    assert (titles, said) == (["0", "1", "2"], "3 added.")
    assert problems == "30 files came; the first 3 were taken, which is the most at once."
    assert list(folder.iterdir()) == []


def test_texts_together_are_bounded(put):
    files = put(*((f"{number}.txt", b"x" * 60) for number in range(5)))
    titles, _, problems = last(on_files(files, BringInLimits(characters=100)))
    assert titles == ["0", "1"]
    assert problems == "3 were not read: at most 100 characters are taken at once."


def test_many_problems_are_summed_up(put):
    _, said, problems = last(on_files(put(*((f"{number}.txt", b"") for number in range(13)))))
    assert said == ""
    assert problems.count("is empty") == 10
    assert problems.endswith("3 more of these are not shown.")


def test_progress_is_said_and_a_cancel_keeps_what_was_read(put, monkeypatch):
    monkeypatch.setattr(bring_in, "_SAY_EVERY_SECONDS", 0.01)
    at_work = threading.Event()

    def read(path, name, *, progress, cancelled):
        if name == "a.txt":
            return ReadDocument("a", "first")
        progress(12, 340)
        at_work.set()
        while not cancelled():
            threading.Event().wait(0.001)
        raise DocumentReadError("b.pdf was not read: it was cancelled.")

    monkeypatch.setattr(bring_in, "read_document", read)
    events, seen = on_files(put(("a.txt", b"x"), ("b.pdf", b"x"), ("c.txt", b"x"))), []
    stopping = None
    for event in events:
        seen.append(event)
        stopping = event[1] if isinstance(event[1], threading.Event) else stopping
        if at_work.is_set() and "page 12 of 340" in str(event[2]):
            on_cancel(stopping)
    assert any("Reading file 2 of 3, page 12 of 340 …" in str(event[2]) for event in seen)
    assert last(seen) == (["a"], "Cancelled; 1 of 3 were added.", "")
    on_cancel(None)


def test_a_page_that_goes_away_ends_the_reading(folder, put, monkeypatch):
    monkeypatch.setattr(bring_in, "_SAY_EVERY_SECONDS", 0.01)
    ended = threading.Event()

    def read(path, name, *, progress, cancelled):
        while not cancelled():
            threading.Event().wait(0.001)
        ended.set()
        return ReadDocument("a", "first")

    monkeypatch.setattr(bring_in, "read_document", read)
    events = on_files(put(("a.txt", b"x")))
    next(events)
    next(events)
    events.close()
    assert ended.is_set()
    assert list(folder.iterdir()) == []


def test_what_fails_unexpectedly_is_one_sentence(put, monkeypatch):
    def read(path, name, *, progress, cancelled):
        raise ValueError("odd")

    monkeypatch.setattr(bring_in, "read_document", read)
    assert last(on_files(put(("a.txt", b"x")))) == ([], "", "The file could not be read: ValueError: odd")


def test_an_address_is_fetched_or_its_refusal_said(monkeypatch):
    def fetch(url, *, progress, cancelled):
        if "private" in url:
            raise DocumentReadError("private is no public address.")
        return ReadDocument("Page", "text", (("url", url),), ("2 pictures have no text.",))

    monkeypatch.setattr(bring_in, "fetch_document", fetch)
    assert last(on_address(" https://web.site ")) == (["Page"], "1 added.", "Page: 2 pictures have no text.")
    assert last(on_address("http://private/")) == ([], "", "private is no public address.")
    assert last(on_address(None)) == ([], "", "No address was given; one such as https://web.site/page is needed.")
