"""What the README says is true."""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks import readme, rows
from extensions.airoboros_longctx.command_line.families import families_table
from extensions.airoboros_longctx.core.settings import describe_settings
from tests.releases import compatibility
from tests.releases.rows import read_json

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_families_table_is_the_generated_one() -> None:
    assert families_table() in README


def test_compatibility_table_is_the_generated_one() -> None:
    made = compatibility.table(read_json(compatibility.KEPT))
    assert compatibility.in_readme(README, made) == README


def test_table_of_benchmarks_is_the_generated_one() -> None:
    made = readme.table(rows.read_json(readme.KEPT))
    assert readme.in_readme(README, made) == README


def test_every_linked_file_is_there() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_setting_shown_exists() -> None:
    shown = set(re.findall(r"airoboros_longctx-(\w+)", README))
    assert shown
    assert shown <= {setting.name for setting in describe_settings()}
