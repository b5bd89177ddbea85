"""Reads an adapter (LoRA) folder into ``AdapterFacts``. Its weights are never opened."""

from __future__ import annotations

from pathlib import Path

from ..errors import ModelFolderError
from ..foreign_text import quoted
from ..model_facts import AdapterFacts
from .folder_files import card_text, file_sizes, json_object
from .model_card import card_scaling
from .model_config import ConfigReader
from .model_name import parse_model_name
from .weight_files import is_adapter_file

_CONFIG = "adapter_config.json"


def read_adapter_facts(path: str | Path) -> AdapterFacts:
    """What the adapter in the folder ``path`` (the webui's ``loras/NAME``) says about itself.

    Whatever cannot be read leaves a sentence in ``problems``. Raises ModelFolderError where no folder is there.
    """
    folder = Path(path)
    try:
        if not folder.is_dir():
            raise ModelFolderError(
                f"No adapter at {quoted(folder)!r}: no folder is there. A folder with an {_CONFIG} was expected;"
                " check the path."
            )
        sizes = file_sizes(folder)
    except (OSError, ValueError) as error:
        raise ModelFolderError(f"The adapter folder {quoted(folder)!r} could not be read: {quoted(error)}.") from error
    return adapter_facts_in(folder, sizes)


def adapter_facts_in(folder: Path, sizes: dict[str, int]) -> AdapterFacts:
    """The same for a folder that is known to be there; ``sizes`` are its files' bytes by name."""
    problems: list[str] = []
    config = json_object(folder / _CONFIG, problems)
    if config is None and not problems:
        problems.append(f"There is no {_CONFIG}, so the adapter's base model is not known.")
    weights = [name for name in sizes if is_adapter_file(name) and name.lower() != _CONFIG]
    if not weights:
        problems.append("The folder holds no adapter weights (adapter_model.bin or adapter_model.safetensors).")
    reader = ConfigReader(config or {}, _CONFIG, problems)
    targets = (config or {}).get("target_modules")
    card = card_text(folder, sizes, problems)
    statement = card_scaling(card, problems)
    name = quoted(folder.resolve().name if folder.name in ("", ".", "..") else folder.name)
    parts = parse_model_name(name)
    return AdapterFacts(
        path=str(folder),
        name=name,
        organization=parts.organization,
        model=parts.model,
        base_model=reader.text("base_model_name_or_path") or None,
        peft_type=reader.text("peft_type"),
        task_type=reader.text("task_type"),
        r=reader.count("r"),
        lora_alpha=reader.number("lora_alpha", 0.0, 1e6),
        # Newer adapters may name their layers by one pattern.
        target_modules=(quoted(targets, 80),) if isinstance(targets, str) else reader.texts("target_modules"),
        card_scaling=statement,
        card_text=card,
        size_bytes=sum(sizes[name] for name in weights),
        problems=tuple(dict.fromkeys(problems)),
    )
