"""Where the workbench's model is picked: among folders, or among the models of a server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class ModelField:
    """What stands at the top of the page. ``choices`` are pairs of what is shown and what is loaded."""

    introduction: str
    label: str
    info: str
    choices: tuple[tuple[str, str], ...]


def folder_field(folders: Sequence[str]) -> ModelField:
    """Model folders, over Transformers."""
    return ModelField(
        "Chat with a RoPE-scaled Llama. Its context is scaled when it is loaded, and confirmed on the live model.",
        "Model folder",
        "Pick one that ships, or type the path of a folder in Hugging Face format.",
        tuple((path.replace("\\", "/").rpartition("/")[2], path) for path in folders),
    )


def served_field(names: Sequence[str]) -> ModelField:
    """Models that a server has."""
    return ModelField(
        "Chat with a model on a server. The exact prompt is made here and completed there; nothing is scaled here.",
        "Model on the server",
        "Load asks the server again, also after it has loaded another model.",
        tuple((name, name) for name in names),
    )
