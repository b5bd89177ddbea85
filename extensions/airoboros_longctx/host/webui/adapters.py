"""The LoRAs that are applied to the webui's model now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

#: What holds an adapter without wrapping the model: ExLlama's and ExLlamaV2's own attributes.
_OWN_ATTRIBUTES = ("lora", "loras")


def applied_adapters(shared: Any, model: Any) -> tuple[Path, ...]:
    """Their folders. The model says whether any is applied: up to v1.7 the webui keeps the names after removing them.

    A wrapper of peft's takes the model's place, and gives it back when the last adapter goes.
    """
    holders = (model, getattr(model, "generator", None))
    own = any(getattr(holder, name, None) for holder in holders for name in _OWN_ATTRIBUTES)
    if not own and type(model).__module__.partition(".")[0] != "peft":
        return ()
    names = getattr(shared, "lora_names", None) or list(getattr(model, "peft_config", ()))
    return tuple(_folder(shared.args.lora_dir, str(name)) for name in names)


def _folder(lora_dir: str, name: str) -> Path:
    """As the webui does: a path that is there counts by its last part."""
    return Path(lora_dir) / (Path(name).name if Path(name).exists() else name)
