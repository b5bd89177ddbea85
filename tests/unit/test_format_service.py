"""Every form that can be asked, and recipes of the user's own that are kept."""

from __future__ import annotations

import pytest

from extensions.airoboros_longctx.core.formats.errors import FormatError
from extensions.airoboros_longctx.core.formats.ranked_reasoning import RankedRequest
from extensions.airoboros_longctx.format_service import FormList, forms

SONG = "name: song\ntitle: A song\nfields:\n  about: {label: About}\ntemplate: Sing about {about}.\n"


def test_formats_come_first_then_recipes_by_title():
    known, problems = forms(None)
    assert problems == ()
    kinds = [form.is_recipe for form in known.values()]
    assert kinds == sorted(kinds)
    recipes = [form.title for form in known.values() if form.is_recipe]
    assert recipes == sorted(recipes, key=str.casefold)
    assert {"Function call", "Ranked reasoning", "Plan with tools (reWOO)", "Summary of a text"} <= set(known)


def test_a_number_that_is_none_is_said():
    ranked = forms(None)[0]["Ranked reasoning"]
    assert ranked.request({"question": "Why?", "solutions": "3"}) == RankedRequest("Why?", 3)
    with pytest.raises(
        FormatError, match=r"^solutions \(Number of solutions, 2 to 9\) is 'three'; a whole number is needed\.$"
    ):
        ranked.message({"question": "Why?", "solutions": "three"})


def test_a_recipe_is_filled_in():
    joke = forms(None)[0]["Joke"]
    assert "herring" in joke.message({"topic": "herring"})
    assert joke.is_recipe


def test_a_recipe_of_ones_own_is_kept(tmp_path):
    folder = tmp_path / "new" / "recipes"
    found = FormList(folder)
    assert found.save(SONG) == "A song"
    assert [path.name for path in folder.iterdir()] == ["song.yaml"]
    assert (folder / "song.yaml").read_text("utf-8") == SONG
    assert FormList(folder).known["A song"].message({"about": "tides"}) == "Sing about tides."
    found.save(SONG.replace("Sing", "Hum"))
    assert found.known["A song"].message({"about": "tides"}) == "Hum about tides."


def test_a_recipe_takes_the_place_of_its_name_in_whatever_file(tmp_path):
    (tmp_path / "a-friends-song.yaml").write_text(SONG.replace("A song", "An old song"), "utf-8")
    (tmp_path / "a-letter.yaml").write_text("name: letter", "utf-8")
    found = FormList(tmp_path)
    assert found.save(SONG) == "A song"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a-friends-song.yaml", "a-letter.yaml"]
    assert "An old song" not in found.known


def test_what_is_no_recipe_is_not_kept(tmp_path):
    found = FormList(tmp_path / "recipes")
    with pytest.raises(FormatError, match=r"^The recipe lacks title, template; it has name, title,"):
        found.save("name: song")
    with pytest.raises(FormatError, match="small letters, digits and _ are needed"):
        found.save(SONG.replace("name: song", "name: ../song"))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FormatError, match=r"^The recipe could not be written to .*song\.yaml \("):
        FormList(tmp_path / "file").save(SONG)
    with pytest.raises(FormatError, match=r"^There is no folder for recipes of your own\.$"):
        FormList(None).save(SONG)


def test_a_title_that_is_taken_has_its_name_behind_it(tmp_path):
    found = FormList(tmp_path)
    assert found.save(SONG.replace("A song", "Function call")) == "Function call (song)"
    assert not found.known["Function call"].is_recipe


def test_files_are_read_again_and_what_is_wrong_is_said_by_file(tmp_path):
    found = FormList(tmp_path)
    (tmp_path / "song.yaml").write_text(SONG)
    (tmp_path / "broken.yaml").write_text("name: broken")
    assert "A song" not in found.known
    found.read()
    assert "A song" in found.known
    (problem,) = found.problems
    assert problem.startswith("broken.yaml: The recipe lacks title, template;")
    assert problem.endswith("It is not used.")
