"""Our templates in the webui's folder: written, updated, and never over a file of the user's."""

from __future__ import annotations

import os

import pytest

from extensions.airoboros_longctx.core.instruction_templates import instruction_templates
from extensions.airoboros_longctx.host.webui_templates import signed, write_templates

NAMES = sorted(instruction_templates())


def body(template):
    return f"name: {template.name}\n"


def newer(template):
    return f"name: {template.name}\nversion: 2\n"


def test_every_template_is_written_and_signed(tmp_path):
    assert write_templates(tmp_path, body) == ()
    assert sorted(path.stem for path in tmp_path.iterdir()) == NAMES
    text = (tmp_path / "Airoboros-1.4.yaml").read_text()
    assert text == signed("name: Airoboros-1.4\n")
    assert text.startswith("# Written by airoboros_longctx")


def test_ours_are_kept_up_to_date_and_not_rewritten_for_nothing(tmp_path):
    write_templates(tmp_path, body)
    path = tmp_path / "Airoboros-1.4.yaml"
    os.utime(path, (1, 1))
    write_templates(tmp_path, body)
    assert path.stat().st_mtime == 1
    assert write_templates(tmp_path, newer) == ()
    assert path.read_text() == signed("name: Airoboros-1.4\nversion: 2\n")


@pytest.mark.parametrize(
    "name", ["Airoboros-1.4.yaml", "Airoboros-1.4.yml", "Airoboros-1.4.jinja", "Airoboros-1.4.json"]
)
def test_a_file_of_the_users_is_left_alone(tmp_path, name):
    mine = tmp_path / name
    mine.write_text("mine\n")
    (problem,) = write_templates(tmp_path, body)
    assert str(mine) in problem
    assert mine.read_text() == "mine\n"
    assert len(list(tmp_path.glob("Airoboros-1.4.*"))) == 1


def test_an_edited_one_is_the_users_now(tmp_path):
    write_templates(tmp_path, body)
    path = tmp_path / "Airoboros-1.4.yaml"
    path.write_text(path.read_text() + "# my own line\n")
    edited = path.read_text()
    (problem,) = write_templates(tmp_path, newer)
    assert "was edited" in problem
    assert path.read_text() == edited


def test_a_link_is_not_written_through(tmp_path):
    target = tmp_path / "elsewhere"
    target.write_text("mine\n")
    (tmp_path / "Airoboros-1.4.yaml").symlink_to(target)
    assert len(write_templates(tmp_path, body)) == 1
    assert target.read_text() == "mine\n"


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    problems = write_templates(tmp_path / "missing", body)
    assert len(problems) == len(NAMES)
    assert "could not be written" in problems[0]
