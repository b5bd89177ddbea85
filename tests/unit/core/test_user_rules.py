"""The file of the user's rules: read whatever is in it, written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from extensions.airoboros_longctx.core.errors import SettingsError
from extensions.airoboros_longctx.core.user_rules import UserRule, add_user_rule, read_user_rules

RULE = UserRule("my-llama-16k", "linear", 4.0, 4096)


@pytest.fixture
def rules_file(tmp_path: Path) -> Path:
    return tmp_path / "user_data" / "rules.yaml"


def test_no_file_is_no_rules(rules_file: Path) -> None:
    assert read_user_rules(rules_file) == ((), ())


def test_rules_are_read_back_newest_first(rules_file: Path) -> None:
    other = UserRule("modèle-*", "linear", 2.0)
    add_user_rule(rules_file, RULE)
    add_user_rule(rules_file, other)
    assert read_user_rules(rules_file) == ((other, RULE), ())
    assert [path.name for path in rules_file.parent.iterdir()] == [rules_file.name]


def test_a_rule_for_the_same_pattern_is_replaced(rules_file: Path) -> None:
    add_user_rule(rules_file, RULE)
    changed = UserRule(RULE.pattern, "linear", 8.0, 2048)
    add_user_rule(rules_file, changed)
    assert read_user_rules(rules_file) == ((changed,), ())


def test_what_somebody_else_wrote_is_kept(rules_file: Path) -> None:
    rules_file.parent.mkdir()
    rules_file.write_text("- {pattern: other, factor: 2}\n- {pattern: broken, factor: -1}\n", encoding="utf-8")
    add_user_rule(rules_file, RULE)
    assert [item["pattern"] for item in yaml.safe_load(rules_file.read_text(encoding="utf-8"))] == [
        "other",
        "broken",
        RULE.pattern,
    ]
    rules, problems = read_user_rules(rules_file)
    assert [rule.pattern for rule in rules] == [RULE.pattern, "other"]
    assert problems == ("rules.yaml, rule 2: the factor is -1; a number from 1 to 1024 is needed. It is not used.",)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"{", "rules.yaml is not valid YAML"),
        (b"!!python/object/apply:os.system ['true']", "rules.yaml is not valid YAML"),
        (b"just text", "rules.yaml: a list of rules was expected"),
        (b"- 7", "rules.yaml, rule 1: 7 was found"),
        (b"- {pattern: x, factor: 4, colour: red}", "rules.yaml, rule 1: the key 'colour' is unknown"),
        (b"- {pattern: 3, factor: 4}", "rules.yaml, rule 1: the pattern is 3"),
        (b"- {pattern: x, factor: 4, rope_type: 3}", "rules.yaml, rule 1: the rope_type is 3"),
        (b"- {pattern: x}", "rules.yaml, rule 1: the factor is None"),
        (b"- {pattern: x, factor: .nan}", "rules.yaml, rule 1: the factor is nan"),
        (
            b"- {pattern: x, factor: 4, original_max_position_embeddings: 0.5}",
            "rules.yaml, rule 1: original_max_position_embeddings is 0.5",
        ),
        (b"\xff\xfe\x00", "rules.yaml is not valid YAML"),
        (b"[" * 50_000, "rules.yaml is not valid YAML"),
        (b"- {pattern: x, factor: 4}\n" * 20_000, "rules.yaml is larger than 256 KiB"),
    ],
)
def test_a_broken_file_is_a_sentence(rules_file: Path, content: bytes, problem: str) -> None:
    rules_file.parent.mkdir()
    rules_file.write_bytes(content)
    rules, problems = read_user_rules(rules_file)
    assert rules == ()
    assert len(problems) == 1
    assert problems[0].startswith(problem)


@pytest.mark.parametrize("content", [b"{", b"just text"])
def test_a_broken_file_is_never_written_over(rules_file: Path, content: bytes) -> None:
    rules_file.parent.mkdir()
    rules_file.write_bytes(content)
    with pytest.raises(SettingsError, match="repair or remove it"):
        add_user_rule(rules_file, RULE)
    assert rules_file.read_bytes() == content


def test_a_folder_where_the_file_should_be(rules_file: Path) -> None:
    rules_file.mkdir(parents=True)
    assert read_user_rules(rules_file)[1] == ("rules.yaml is not a plain file; none of its rules is used.",)
    with pytest.raises(SettingsError, match="is not a plain file"):
        add_user_rule(rules_file, RULE)


def test_a_file_in_the_way_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(SettingsError, match="could not be written"):
        add_user_rule(tmp_path / "file" / "rules.yaml", RULE)
