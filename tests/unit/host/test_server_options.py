"""What the command line says of a server, and its key, which no sentence ever shows."""

from __future__ import annotations

import argparse

import pytest

from extensions.airoboros_longctx.command_line import create_parser, main
from extensions.airoboros_longctx.command_line.server_arguments import server_options
from extensions.airoboros_longctx.core.errors import AiroborosLongctxError
from extensions.airoboros_longctx.host.served.model import ServerOptions

URL = "http://127.0.0.1:5000/v1"
KEY = "sk-secret-4417"


def parsed(*arguments: str) -> argparse.Namespace:
    return create_parser().parse_args(["workbench", *arguments])


def test_without_a_server_there_are_no_options():
    assert server_options(parsed()) is None
    assert server_options(parsed("--model", "folder")) is None


def test_everything_that_can_be_said():
    arguments = ["--server", URL, "--server-model", "big", "--context", "4096", "--template", "Airoboros-3"]
    assert server_options(parsed(*arguments)) == ServerOptions(URL, "", "big", 4096, "Airoboros-3")


def test_the_key_comes_from_a_file_or_a_variable_and_is_not_shown(tmp_path, monkeypatch):
    (tmp_path / "key").write_text(f"{KEY}\n")
    monkeypatch.setenv("MY_KEY", KEY)
    from_file = server_options(parsed("--server", URL, "--api-key-file", str(tmp_path / "key")))
    from_variable = server_options(parsed("--server", URL, "--api-key-env", "MY_KEY"))
    assert from_file == from_variable == ServerOptions(URL, KEY)
    assert KEY not in repr(from_file)


def test_a_key_that_is_none(tmp_path, monkeypatch):
    (tmp_path / "two").write_text(f"{KEY}\n{KEY}\n")
    (tmp_path / "empty").write_text("\n")
    monkeypatch.delenv("MY_KEY", raising=False)
    wanted = " holds no key; one line of printable characters without blanks is needed."
    for arguments, where in (
        (("--api-key-file", str(tmp_path / "two")), f"The file {str(tmp_path / 'two')!r}"),
        (("--api-key-file", str(tmp_path / "empty")), f"The file {str(tmp_path / 'empty')!r}"),
        (("--api-key-env", "MY_KEY"), "The environment variable MY_KEY"),
    ):
        with pytest.raises(AiroborosLongctxError) as error:
            server_options(parsed("--server", URL, *arguments))
        assert str(error.value) == where + wanted


def test_a_key_file_that_is_not_there(tmp_path):
    with pytest.raises(AiroborosLongctxError) as error:
        server_options(parsed("--server", URL, "--api-key-file", str(tmp_path / "none")))
    assert str(error.value) == f"The key file {str(tmp_path / 'none')!r} could not be read: FileNotFoundError."


def test_what_is_for_a_server_needs_one(capsys):
    assert main(["workbench", "--context", "4096", "--server-model", "big"]) == 2
    assert "--server-model, --context was given without --server; it is for a server only." in capsys.readouterr().err


def test_a_template_or_an_address_that_is_none_stops_before_anything_opens(capsys):
    assert main(["workbench", "--server", URL, "--template", "Vicuna"]) == 2
    assert "Template 'Vicuna' found; one of Airoboros-1.2" in capsys.readouterr().err
    assert main(["workbench", "--server", "127.0.0.1:5000"]) == 2
    assert "'127.0.0.1:5000' is no address of a server" in capsys.readouterr().err


def test_a_folder_and_a_server_exclude_each_other(capsys):
    with pytest.raises(SystemExit):
        parsed("--model", "folder", "--server", URL)
    assert "not allowed with argument --model" in capsys.readouterr().err
