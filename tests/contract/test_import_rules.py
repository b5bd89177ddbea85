"""The rooms of the extension: which of them may import which, and which may import what from outside."""

from __future__ import annotations

import sys
from pathlib import Path

import grimp
import pytest
from importlinter.cli import lint_imports

PACKAGE = "extensions.airoboros_longctx"
ROOT = Path(__file__).resolve().parents[2]

#: What a room may import besides the standard library and the rooms below it (those are in pyproject.toml).
#: `modules` is the webui itself.
FROM_OUTSIDE: dict[str, set[str]] = {
    "core": {"yaml"},
    "service": set(),
    "rope": {"torch", "transformers"},
    "checking": {"torch"},
    "plots": {"matplotlib"},
    "prefix_cache": {"torch", "transformers", "psutil"},
    "documents": {"pypdf", "docx", "pptx", "openpyxl", "trafilatura", "defusedxml", "charset_normalizer"},
    "host": {"modules", "torch", "transformers"},
    "ui": {"gradio"},
    "workbench": {"gradio", "torch", "transformers"},
    "extension": set(),
    "script": set(),
    "command_line": set(),
    "__main__": set(),
}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(PACKAGE, include_external_packages=True, cache_dir=None)


def room_of(module: str) -> str:
    return module.removeprefix(f"{PACKAGE}.").split(".")[0]


def test_every_room_imports_only_the_rooms_below_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert lint_imports(no_cache=True) == 0, "see the contracts above; they are in pyproject.toml"


def test_a_room_imports_from_outside_only_what_it_is_there_for(graph: grimp.ImportGraph) -> None:
    inside = {module for module in graph.modules if module.startswith(f"{PACKAGE}.")}
    for module in sorted(inside):
        imported = {
            name.split(".")[0] for name in graph.find_modules_directly_imported_by(module) if name not in inside
        }
        allowed = FROM_OUTSIDE.get(room_of(module), set())
        too_many = imported - {"extensions"} - sys.stdlib_module_names - allowed
        assert not too_many, f"{module} imports {sorted(too_many)}; its room may import {sorted(allowed)}"


def test_only_its_own_room_names_the_modules_of_the_webui() -> None:
    """An import by name escapes the graph: no other room may hold such a name either."""
    folder = ROOT / PACKAGE.replace(".", "/")
    elsewhere = [path for path in folder.rglob("*.py") if path.relative_to(folder).parts[:2] != ("host", "webui")]
    assert elsewhere
    assert [str(path) for path in elsewhere if '"modules.' in path.read_text(encoding="utf-8")] == []
