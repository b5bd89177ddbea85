"""What is typed and uploaded, as a check is asked for it."""

from __future__ import annotations

import pytest

from extensions.airoboros_longctx.core.checking.check_options import CheckError, CheckOptions
from extensions.airoboros_longctx.core.errors import AiroborosLongctxError
from extensions.airoboros_longctx.ui.checking.form import context_tokens, options_of, texts_of


@pytest.fixture
def uploads(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))

    def put(*contents):
        paths = []
        for number, (name, content) in enumerate(contents):
            path = tmp_path / "gradio" / str(number) / name
            path.parent.mkdir(parents=True)
            path.write_text(content)
            paths.append(path)
        return paths

    return put


@pytest.mark.parametrize(
    ("typed", "tokens"),
    [
        (None, ()),
        ("", ()),
        ("  ", ()),
        ("64", (64,)),
        ("1024, 64,256", (64, 256, 1024)),
        ("64;128 128\n512 …", (64, 128, 512)),
    ],
)
def test_lengths_are_numbers_in_any_order(typed, tokens):
    assert context_tokens(typed) == tokens


@pytest.mark.parametrize("typed", ["64, x", "-64", "1e3", "64.5", "99999999", "６４"])
def test_what_is_no_length_is_named(typed):
    with pytest.raises(CheckError, match="is no number of tokens; numbers such as 64, 256, 1024 are needed"):
        context_tokens(typed)


def test_too_many_lengths_are_refused():
    with pytest.raises(CheckError) as error:
        context_tokens(" ".join(map(str, range(100, 125))))
    assert str(error.value) == "25 context lengths were given; at most 24 are measured at once."


def test_options_are_those_of_the_fields():
    assert options_of("64, 256", True) == CheckOptions(contexts=(64, 256), compare_unscaled=True)
    assert options_of("", None) == CheckOptions()


def test_files_are_read_and_deleted(uploads):
    paths = uploads(("book.txt", "Once upon a time."), ("note.md", "And then."))
    read = texts_of([str(path) for path in paths], named=True)
    assert all(path.exists() for path in paths)
    assert read(lambda: False) == [("book.txt", "Once upon a time."), ("note.md", "And then.")]
    assert not any(path.exists() for path in paths)


def test_names_of_files_stay_with_their_owner_where_others_see_the_result(uploads):
    paths = uploads(("my diary.txt", "Dear diary."))
    assert texts_of([str(path) for path in paths], named=False)(lambda: False) == [("text 1", "Dear diary.")]


def test_file_that_cannot_be_read_is_named_and_all_are_deleted(uploads):
    paths = uploads(("empty.txt", ""), ("other.txt", "x"))
    with pytest.raises(AiroborosLongctxError) as error:
        texts_of([str(path) for path in paths], named=True)(lambda: False)
    assert str(error.value) == "empty.txt is empty; a file with text is needed."
    assert not any(path.exists() for path in paths)


def test_file_outside_the_uploads_is_neither_read_nor_deleted(uploads, tmp_path):
    uploads(("x.txt", "x"))
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    with pytest.raises(AiroborosLongctxError, match=r"secret\.txt is not an uploaded file"):
        texts_of(str(secret), named=True)(lambda: False)
    assert secret.read_text() == "secret"


def test_no_files_are_no_texts():
    assert texts_of(None, named=True)(lambda: False) == []
