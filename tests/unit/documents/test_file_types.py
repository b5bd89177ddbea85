"""The packages are declared once for each of those who install them, and always the same."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from extensions.airoboros_longctx.documents import file_types
from extensions.airoboros_longctx.documents.file_types import PACKAGES, READERS, missing_packages, readable_types

ROOT = Path(__file__).parents[3]


def declared(path: str) -> list[str]:
    lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_every_list_of_packages_is_the_same():
    wanted = sorted(PACKAGES.values())
    assert sorted(declared("requirements/documents.txt")) == wanted
    assert sorted(declared("extensions/airoboros_longctx/requirements-documents.txt")) == wanted
    extra = (ROOT / "pyproject.toml").read_text(encoding="utf-8").partition("\ndocuments = [")[2].partition("\n]")[0]
    assert sorted(re.findall('"([^"]+)"', extra)) == wanted


def test_nothing_is_installed_by_the_webui_itself():
    assert declared("extensions/airoboros_longctx/requirements.txt") == []


def test_every_type_is_named_once_and_has_its_reader():
    assert len(set(readable_types())) == len(readable_types())
    assert set(
        "txt md html htm pdf docx pptx xlsx csv tsv epub py js json yaml toml xml c cpp java go rs sh sql".split()
    ) <= {suffix.removeprefix(".") for suffix in readable_types()}
    folder = ROOT / "extensions/airoboros_longctx/documents/readers"
    for choice in READERS.values():
        assert (folder / f"{choice.module}.py").is_file()
        assert set(choice.packages) <= set(PACKAGES)


def test_what_is_missing_is_said_with_the_command(monkeypatch):
    monkeypatch.setattr(file_types.importlib.util, "find_spec", lambda name: None)
    assert missing_packages(".txt") == missing_packages(".csv") == missing_packages("") == ""
    assert missing_packages(".PDF") == (
        'Reading .pdf files needs pypdf, which is not installed: run pip install "pypdf>=5,<8" in the Python '
        "environment of this program, then try again."
    )
    assert missing_packages(".html") == (
        "Reading .html files needs trafilatura and lxml_html_clean, which are not installed: run pip install "
        '"trafilatura>=2,<3" "lxml_html_clean>=0.4,<0.5" in the Python environment of this program, then try again.'
    )


def test_what_was_installed_a_moment_ago_is_found(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(PACKAGES, "installed_later", "installed-later>=1")
    monkeypatch.setitem(READERS, ".odd", file_types.ReaderChoice("odd", ("installed_later",)))
    assert "installed-later, which is not installed" in missing_packages(".odd")
    (tmp_path / "installed_later.py").touch()
    assert missing_packages(".odd") == ""


def test_no_reader_is_imported_with_the_room():
    script = (
        "import sys\n"
        "from extensions.airoboros_longctx.documents import reading, web_page\n"
        "print([name for name in sys.modules if name.startswith('extensions.airoboros_longctx.documents.readers')])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("suffix", [".exe", ".odt", ""])
def test_what_is_not_read_says_what_is(suffix):
    assert file_types.why_not_read(suffix).startswith("is ")
    assert suffix not in readable_types()
