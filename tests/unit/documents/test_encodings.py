"""Text in whatever encoding: UTF-8 and what marks itself is read for certain, the rest is guessed and said."""

from __future__ import annotations

import pytest

from extensions.airoboros_longctx.documents.plain_text import decode

RUSSIAN = "Привет, это обычный текст на русском языке о погоде и природе. "
FRENCH = "L'été, les élèves vont à la plage ; c'était très agréable."


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_what_is_certain_is_read_without_a_note(encoding):
    assert decode(RUSSIAN.encode(encoding)) == (RUSSIAN, "")


@pytest.mark.parametrize("text", [FRENCH, "It is téal.", "„Ja“, sagte sie – und gab ihm 5 €."])
def test_western_text_is_read_as_windows_1252(text):
    assert decode(text.encode("cp1252")) == (text, "It is not UTF-8; it was read as cp1252. Look whether it is right.")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [(RUSSIAN, "cp1251"), (RUSSIAN, "koi8_r"), ("これは日本語の文章です。今日は天気がいいですね。", "cp932")],
)
def test_a_script_of_its_own_is_recognised(text, encoding):
    pytest.importorskip("charset_normalizer")
    assert decode(text.encode(encoding)) == (
        text,
        f"It is not UTF-8; it was read as {encoding}. Look whether it is right.",
    )


def test_without_charset_normalizer_it_is_windows_1252_all_the_same(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert decode(RUSSIAN.encode("cp1251"))[0].startswith("Ïðèâåò")


def test_a_long_text_that_is_not_utf_8_only_at_its_end():
    assert decode(b"a" * 200_000 + b"\xe9")[0] == "a" * 200_000 + "é"
