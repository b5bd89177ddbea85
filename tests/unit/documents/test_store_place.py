"""Where documents are kept: in the user's own folder, and never where a webui hands out files."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from extensions.airoboros_longctx import extension
from extensions.airoboros_longctx.core.documents.chat_session import ChatDocument
from extensions.airoboros_longctx.core.settings import Settings, load_settings
from extensions.airoboros_longctx.documents.store_errors import DocumentStoreError
from extensions.airoboros_longctx.documents.store_place import store_folder

from .conftest import EVERYWHERE


@pytest.fixture
def webui(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A webui's folder, in the home of its user."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "webui" / "extensions").mkdir(parents=True)
    return tmp_path / "webui"


def test_the_default_is_a_dot_folder_in_the_home(webui, tmp_path):
    expected = tmp_path / ".airoboros_longctx" / "documents"
    assert store_folder("", [webui]) == store_folder("  ", [webui]) == expected
    assert store_folder("", [tmp_path]) == expected, "a webui that runs in the home itself serves no dot folder"
    assert not expected.exists()


@pytest.mark.parametrize("named", ["~/kept", "{home}/kept", "{home}/webui2", "{home}/webui/.kept", "{home}/webui/.a/b"])
def test_a_folder_of_ones_own(named, webui, tmp_path):
    named = named.format(home=tmp_path)
    assert store_folder(named, [webui]) == Path(named).expanduser()


SERVED = ["{webui}", "{webui}/documents", "{webui}/extensions/.kept", "{webui}/user_data/cache/.kept",
          "{webui}/../webui/documents", "~/webui/kept", "{webui}/.kept/../kept"]  # fmt: skip


@pytest.mark.parametrize("named", SERVED)
def test_a_folder_that_is_served_is_refused(named, webui):
    named = named.format(webui=webui)
    with pytest.raises(DocumentStoreError) as found:
        store_folder(named, [webui])
    assert str(found.value) == (
        f"No documents are stored: the folder {str(Path(named).expanduser())!r} is in {str(webui)!r}, from where the "
        "webui hands out files to everybody who reaches it. Name another folder with documents_folder."
    )


@pytest.mark.skipif(sys.platform == "win32", reason="makes links as POSIX does")
def test_links_do_not_lead_into_a_served_folder_or_out_of_it(webui, tmp_path):
    (webui / "kept").mkdir()
    (tmp_path / "link in").symlink_to(webui / "kept")
    (tmp_path / "outside").mkdir()
    (webui / "link out").symlink_to(tmp_path / "outside")
    (tmp_path / "the webui").symlink_to(webui)
    for named in (tmp_path / "link in", webui / "link out", tmp_path / "the webui" / "kept"):
        with pytest.raises(DocumentStoreError):
            store_folder(str(named), [webui])
    with pytest.raises(DocumentStoreError):
        store_folder(str(webui / "kept"), [tmp_path / "the webui"])


@pytest.mark.parametrize("named", ["documents", "./documents", "../x", "a\0b", "~nobody-of-that-name/x"])
def test_a_folder_that_is_no_whole_path_is_refused(named, webui):
    with pytest.raises(DocumentStoreError) as found:
        store_folder(named, [])
    shown = named.replace("\0", " ")
    assert str(found.value) == (
        f"No documents are stored: documents_folder is {shown!r}; a whole path such as /home/me/documents is needed."
    )


# -- in a webui --------------------------------------------------------------------------------------------------------


class Host:
    """A webui that serves one folder."""

    def __init__(self, served: Path) -> None:
        self.served, self.lines = served, list[str]()

    def served_folders(self) -> tuple[Path, ...]:
        return (self.served,)

    def log(self, message: str, *, problem: bool = False) -> None:
        assert problem
        self.lines.append(message)


def store_of(host: Any, **chosen: object) -> Any:
    settings, problems = load_settings(chosen)
    assert problems == ()
    return extension.document_store(settings, host)


def test_a_webui_stores_documents_by_default(webui, tmp_path):
    host = Host(webui)
    store = store_of(host)
    store.change(EVERYWHERE, lambda found: [ChatDocument("title", "text")])
    assert len(list((tmp_path / ".airoboros_longctx" / "documents").rglob("document-*.json"))) == 1
    assert host.lines == []


def test_a_webui_stores_nothing_when_told_so(webui):
    host = Host(webui)
    assert store_of(host, store_documents=False, documents_folder="not even looked at") is None
    assert host.lines == []


def test_a_webui_stores_nothing_where_it_serves_files_and_says_so(webui):
    host = Host(webui)
    assert store_of(host, documents_folder=str(webui / "kept")) is None
    (line,) = host.lines
    assert line.startswith("No documents are stored: the folder ")
    assert not (webui / "kept").exists()


def test_a_webui_whose_folder_is_gone_stores_nothing(webui):
    def gone() -> tuple[Path, ...]:
        raise FileNotFoundError(2, "No such file", "/home/ada")

    host = Host(webui)
    host.served_folders = gone
    assert store_of(host) is None
    assert host.lines == ["No documents are stored: their folder could not be found (FileNotFoundError)."]


@pytest.mark.parametrize("value", [None, 1, ["a"], {"a": "b"}])
def test_a_folder_that_is_no_text_is_said(value):
    settings, problems = load_settings({"documents_folder": value})
    assert settings == Settings()
    assert problems == (
        f'The setting documents_folder is {value!r}; a text in quotation marks is needed, so "" is used.',
    )


def test_the_folders_a_webui_serves(tmp_path, monkeypatch):
    from extensions.airoboros_longctx.host.webui.webui_host import WebuiHost

    monkeypatch.chdir(tmp_path)
    host = WebuiHost.__new__(WebuiHost)
    host._shared = SimpleNamespace()
    assert host.served_folders() == (tmp_path,)
    host._shared = SimpleNamespace(user_data_dir="/data/user_data")
    assert host.served_folders() == (tmp_path, Path("/data/user_data"))


def test_a_store_that_cannot_even_be_looked_at_is_none_and_no_question_is_refused_for_it(webui, monkeypatch):
    """A server with somebody else's HOME, as in many a container."""

    def closed(folder: Path) -> Any:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(Path, "iterdir", closed)
    host = Host(webui)
    assert store_of(host) is None
    assert host.lines == [
        "The stored documents cannot be read: Permission denied. Let this user read their folder, name another one "
        "with documents_folder, or switch the store off with store_documents: false."
    ]
