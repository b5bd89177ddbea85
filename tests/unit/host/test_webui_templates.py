"""Our templates in the webui's folder: written, updated, and never over a file of the user's."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

from extensions.airoboros_longctx.core.prompts.instruction_templates import instruction_templates
from extensions.airoboros_longctx.core.prompts.template_formats import as_jinja_yaml, as_old_yaml
from extensions.airoboros_longctx.host.webui.chat.templates import (
    TemplatePlace,
    probe_template_place,
    signed,
    template_place,
    write_templates,
)

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


@pytest.mark.parametrize("text", ["mine\n", signed("name: Airoboros-1.4\n")])
def test_a_link_is_not_written_through_or_replaced(tmp_path, text):
    target = tmp_path / "elsewhere"
    target.write_text(text)
    (tmp_path / "Airoboros-1.4.yaml").symlink_to(target)
    assert len(write_templates(tmp_path, newer)) == 1
    assert target.read_text() == text
    assert (tmp_path / "Airoboros-1.4.yaml").is_symlink()


def test_a_copy_of_ours_under_another_ending_is_the_users(tmp_path):
    copy = tmp_path / "Airoboros-1.4.yml"
    copy.write_text(signed("name: Airoboros-1.4\n"))
    (problem,) = write_templates(tmp_path, newer)
    assert str(copy) in problem
    assert not (tmp_path / "Airoboros-1.4.yaml").exists()


def test_a_folder_that_cannot_be_written_is_said_once(tmp_path):
    (tmp_path / "file").write_text("")
    (problem,) = write_templates(tmp_path / "file", body)
    assert problem.startswith(f"{', '.join(NAMES)} could not be written into {tmp_path / 'file'} (")
    assert problem.endswith("): the dropdown may lack them.")
    (problem,) = write_templates(tmp_path / "missing" / "too", body)
    assert str(tmp_path / "missing" / "too") in problem


def test_a_folder_that_may_not_be_looked_into_is_said_once(tmp_path, monkeypatch):
    def refused(path):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os.path, "lexists", refused)
    (problem,) = write_templates(tmp_path, body)
    assert "(Permission denied)" in problem


def test_a_write_that_fails_half_way_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    write_templates(tmp_path, body)
    before = {path.name: path.read_text() for path in tmp_path.iterdir()}

    def full(path, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    (problem,) = write_templates(tmp_path, newer)
    assert "No space left on device" in problem
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == before


def test_the_last_folder_is_made_where_its_parent_is(tmp_path):
    assert write_templates(tmp_path / "instruction-templates", body) == ()
    assert len(list((tmp_path / "instruction-templates").iterdir())) == len(NAMES)


@pytest.mark.parametrize("data", [b"\xff\xfe not text", b"", b"# Written by airoboros_longctx\n"])
def test_what_cannot_be_read_as_ours_is_the_users(tmp_path, data):
    path = tmp_path / "Airoboros-3.yaml"
    path.write_bytes(data)
    assert len(write_templates(tmp_path, body)) == 1
    assert path.read_bytes() == data


def test_a_folder_under_the_name_is_left_alone(tmp_path):
    (tmp_path / "Airoboros-3.yaml").mkdir()
    assert len(write_templates(tmp_path, body)) == 1


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        ("user_data/instruction-templates", "user_data/instruction-templates"),  # v3.1 and later
        ("instruction-templates", "instruction-templates"),  # v1.6 to v3.0
        ("characters/instruction-following", "characters/instruction-following"),  # before
        ("something/else", None),
    ],
)
@pytest.mark.parametrize(("reads_jinja", "file_text"), [(True, as_jinja_yaml), (False, as_old_yaml)])
def test_the_place_is_found_by_looking(tmp_path, there, expected, reads_jinja, file_text):
    (tmp_path / there).mkdir(parents=True)
    place = template_place(None, reads_jinja, tmp_path)
    assert place == (None if expected is None else TemplatePlace(tmp_path / expected, file_text))


def test_a_user_data_folder_that_the_webui_names_counts_alone(tmp_path):
    (tmp_path / "user_data" / "instruction-templates").mkdir(parents=True)
    assert template_place(tmp_path / "elsewhere", True, tmp_path) is None
    (tmp_path / "elsewhere").mkdir()
    place = template_place(tmp_path / "elsewhere", True, tmp_path)
    assert place == TemplatePlace(tmp_path / "elsewhere" / "instruction-templates", as_jinja_yaml)


@pytest.mark.parametrize(
    ("module", "file_text"), [("chat", as_jinja_yaml), ("models_settings", as_jinja_yaml), ("", as_old_yaml)]
)
def test_a_webui_reads_jinja_where_a_function_of_its_loads_it(tmp_path, monkeypatch, module, file_text):
    names = ("modules", "modules.chat", "modules.models_settings", "modules.shared")
    modules = {name: ModuleType(name) for name in names}
    for name, found in modules.items():
        monkeypatch.setitem(sys.modules, name, found)
        if name != "modules":
            setattr(modules["modules"], name.removeprefix("modules."), found)
    if module:
        modules[f"modules.{module}"].load_instruction_template = lambda name: ""
    modules["modules.shared"].user_data_dir = tmp_path
    assert probe_template_place() == TemplatePlace(tmp_path / "instruction-templates", file_text)
