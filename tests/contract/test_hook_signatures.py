"""What script.py shows the webui: only hooks that it knows, with the parameters that every release can fill."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from extensions.airoboros_longctx import extension, script

#: The hooks of text-generation-webui and their parameters. Releases up to v1.5 count them: with two, a text hook gets
#: (text, state), with any other number only the text.
HOOKS: dict[str, list[str]] = {
    "setup": [],
    "ui": [],
    "custom_css": [],
    "custom_js": [],
    "history_modifier": ["history"],
    "state_modifier": ["state"],
    "chat_input_modifier": ["text", "visible_text", "state"],
    "input_modifier": ["string", "state"],
    "output_modifier": ["string", "state"],
    "bot_prefix_modifier": ["string", "state"],
    "tokenizer_modifier": ["state", "prompt", "input_ids", "input_embeds"],
    "logits_processor_modifier": ["processor_list", "input_ids"],
    "custom_generate_chat_prompt": ["text", "state", "kwargs"],
}

public_functions = [
    name for name, value in vars(script).items() if inspect.isfunction(value) and not name.startswith("_")
]


@pytest.mark.parametrize("name", public_functions)
def test_a_hook_takes_what_every_release_hands_over(name: str) -> None:
    assert name in HOOKS, f"{name} in script.py is no hook of the webui: keep it elsewhere, or name it _{name}"
    assert list(inspect.signature(getattr(script, name)).parameters) == HOOKS[name]


def test_the_webui_writes_its_settings_where_the_extension_reads_them() -> None:
    assert script.params is extension.params


def test_the_update_wizard_installs_nothing_over_the_webuis_own_packages() -> None:
    requirements = Path(script.__file__).with_name("requirements.txt").read_text(encoding="utf-8")
    assert [line for line in requirements.splitlines() if line.strip() and not line.startswith("#")] == []
