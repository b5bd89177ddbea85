"""Only what was uploaded is read, as text, and it is gone afterwards."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from extensions.airoboros_longctx.ui.documents import uploads
from extensions.airoboros_longctx.ui.documents.uploads import MOST_BYTES, UploadError, is_an_upload, read_upload


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Gradio's upload folder."""
    found = tmp_path / "gradio"
    found.mkdir()
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(found))
    return found


@pytest.fixture
def put(folder):
    def write(name: str, content: bytes):
        path = folder / "0a1b" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        return path

    return write


def test_a_file_becomes_a_document_and_is_deleted_with_its_folder(folder, put):
    path = put("The harbor.md", "\ufeffIt is téal.\r\n".encode())
    document = read_upload(str(path))
    assert (document.title, document.text) == ("The harbor", "It is téal.\r\n")
    assert document.metadata == (("file", "The harbor.md"),)
    assert document.on
    assert list(folder.iterdir()) == []


def test_gradio_3_hands_over_an_object(put):
    assert read_upload(SimpleNamespace(name=str(put("a.txt", b"text")))).text == "text"


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.txt", b"\xff\xfe\x00", "a.txt is not UTF-8 text; save it as UTF-8, or paste its text."),
        ("a.txt", b" \n", "a.txt is empty; a file with text is needed."),
        ("a.exe", b"text", "a.exe is of a type that is not read; .txt or .md is needed."),
        ("a.md", b"x" * (MOST_BYTES + 1), "a.md is larger than 4 MiB; split it, or paste the part you need."),
    ],
)
def test_what_cannot_be_read_is_named_and_deleted(put, name, content, sentence):
    path = put(name, content)
    with pytest.raises(UploadError) as error:
        read_upload(path)
    assert str(error.value) == sentence
    assert not path.exists()


def test_no_other_file_of_the_server_is_read_or_deleted(tmp_path, folder):
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    link = folder / "link.txt"
    link.symlink_to(secret)
    for path in (secret, folder / ".." / "secret.txt", link, f"{folder}-other/secret.txt", ""):
        assert not is_an_upload(str(path))
        with pytest.raises(UploadError, match="is not an uploaded file"):
            read_upload(str(path))
    assert secret.read_text() == "secret"
    assert link.is_symlink()


def test_the_default_folder_is_gradios_own(monkeypatch, tmp_path):
    monkeypatch.delenv("GRADIO_TEMP_DIR", raising=False)
    monkeypatch.setattr(uploads.tempfile, "gettempdir", lambda: str(tmp_path))
    assert is_an_upload(str(tmp_path / "gradio" / "x" / "a.txt"))
    assert not is_an_upload(str(tmp_path / "a.txt"))


def test_gradio_3_leaves_no_original(folder, put):
    copy, original = put("copy.txt", b"text"), folder / "first" / "a.txt"
    original.parent.mkdir()
    original.write_bytes(b"text")
    outside = folder.parent / "outside.txt"
    outside.write_bytes(b"text")
    uploads._delete_originals(
        [{"name": str(copy), "blob": {"name": str(original)}}, {"name": str(outside)}, None],
        [SimpleNamespace(name=str(copy))],
    )
    assert copy.exists()
    assert not original.parent.exists()
    assert outside.exists()
