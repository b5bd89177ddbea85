"""Only what was uploaded is read, and it is gone afterwards."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from extensions.airoboros_longctx.ui.documents import uploads
from extensions.airoboros_longctx.ui.documents.uploads import UploadError, delete_upload, is_an_upload, uploaded_path


@pytest.fixture
def put(folder):
    def write(name: str, content: bytes):
        path = folder / "0a1b" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        return path

    return write


def test_an_upload_is_a_path_or_an_object_and_is_deleted_with_its_folder(folder, put):
    path = put("a.txt", b"text")
    assert uploaded_path(str(path)) == uploaded_path(SimpleNamespace(name=str(path))) == path
    delete_upload(SimpleNamespace(name=str(path)))
    assert list(folder.iterdir()) == []
    delete_upload(path)


def test_no_other_file_of_the_server_is_read_or_deleted(tmp_path, folder):
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    link = folder / "link.txt"
    link.symlink_to(secret)
    for path in (secret, folder / ".." / "secret.txt", link, f"{folder}-other/secret.txt", ""):
        assert not is_an_upload(str(path))
        with pytest.raises(UploadError, match="is not an uploaded file; only files that were uploaded on this page"):
            uploaded_path(str(path))
        delete_upload(str(path))
    assert secret.read_text() == "secret"
    assert link.is_symlink()


def test_the_default_folder_is_gradios_own(monkeypatch, tmp_path):
    monkeypatch.delenv("GRADIO_TEMP_DIR", raising=False)
    monkeypatch.setattr(uploads.tempfile, "gettempdir", lambda: str(tmp_path))
    assert is_an_upload(str(tmp_path / "gradio" / "x" / "a.txt"))
    assert not is_an_upload(str(tmp_path / "a.txt"))


def test_gradio_3_asks_again_for_files_that_were_read_and_deleted(put):
    there = put("a.txt", b"text")
    deleted = there.with_name("b.txt")
    given = [{"name": str(deleted), "is_file": True}, {"name": str(there), "is_file": True}, {"data": "x"}, None]
    assert [uploads._is_gone(one) for one in given] == [True, False, False, False]


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
