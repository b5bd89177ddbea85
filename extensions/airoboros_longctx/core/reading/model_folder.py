"""Reads a model folder into ``ModelFacts``. Nothing in it is run, trusted or required; weights are never opened."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import ModelFolderError
from ..foreign_text import quoted
from ..model_facts import ModelFacts, Quantization, WeightFile
from .adapter_folder import adapter_facts_in
from .folder_files import card_text, file_sizes, json_object
from .gguf_facts import WINDOW_SOURCE, gguf_facts
from .model_card import card_scaling
from .model_config import config_facts, quantization
from .model_name import parse_model_name
from .weight_files import (
    TOKENIZER_FILES,
    is_adapter_file,
    is_weight_file,
    parts_of,
    quantization_from_names,
    weight_format,
    whole_name,
)

#: The files that state a quantisation beside config.json, and the method each implies.
_QUANTIZATION_FILES = {"quantize_config.json": "gptq", "quant_config.json": "awq"}


def read_model_facts(path: str | Path) -> ModelFacts:
    """What the model at ``path`` says about itself: a model folder, or one GGUF or GGML file.

    Whatever cannot be read leaves a sentence in ``problems``. Raises ModelFolderError where nothing is there.
    """
    folder = Path(path)
    try:
        if folder.is_file():
            return _single_file(folder)
        if not folder.is_dir():
            raise ModelFolderError(
                f"No model at {quoted(folder)!r}: nothing is there. A model folder (with a config.json)"
                " or a GGUF file was expected; check the path."
            )
        sizes = file_sizes(folder)
    except (OSError, ValueError) as error:
        raise ModelFolderError(f"The model folder {quoted(folder)!r} could not be read: {quoted(error)}.") from error
    return _folder(folder, sizes)


def _named(folder: Path, name: str) -> ModelFacts:
    parts = parse_model_name(name)
    return ModelFacts(
        path=str(folder), name=name, organization=parts.organization, model=parts.model, branch=parts.branch
    )


def _single_file(file: Path) -> ModelFacts:
    suffix = file.suffix.lower()
    formats = {".gguf": "gguf", ".ggml": "ggml"}
    if suffix == ".bin" and "ggml" in file.name.lower():
        formats[".bin"] = "ggml"
    facts = _named(file, quoted(Path(whole_name(file.name)).stem if suffix in formats else file.name))
    problems: list[str] = []
    if suffix not in formats:
        problems.append(f"{quoted(file.name)} is a single file, but no GGUF or GGML one; a model folder was expected.")
    weights: tuple[WeightFile, ...] = (WeightFile(file.name, file.stat().st_size),)
    stated: dict[str, Any] = {}
    if formats.get(suffix) == "gguf":
        if whole_name(file.name) != file.name:
            beside = [WeightFile(name, size) for name, size in sorted(file_sizes(file.parent).items())]
            weights = parts_of(beside, file.name)
        stated = gguf_facts(file.parent, weights, problems)
        stated["window_source"] = WINDOW_SOURCE
    problems = list(dict.fromkeys(problems))
    return replace(facts, **stated, weight_files=weights, weight_format=formats.get(suffix), problems=tuple(problems))


def _folder(folder: Path, sizes: dict[str, int]) -> ModelFacts:
    problems: list[str] = []
    facts = _named(folder, quoted(folder.resolve().name if folder.name in ("", ".", "..") else folder.name))
    config = json_object(folder / "config.json", problems)
    if config is None and not os.path.lexists(folder / "config.json") and not _holds_gguf(sizes):
        problems.append("There is no config.json, so the architecture and the base window are not known.")
    card = card_text(folder, sizes, problems)
    weights = tuple(WeightFile(name, sizes[name]) for name in sorted(sizes) if is_weight_file(name))
    stated = _quantization(folder, config or {}, facts.branch, weights, problems)
    form = weight_format(weights, stated, facts.name)
    if stated is None and form == "gptq":
        stated = Quantization("gptq", source="the folder's name")
    if not weights:
        problems.append(_no_weights(folder, sizes))
    described = {} if config is None else config_facts(config, problems)
    described = _described(described, gguf_facts(folder, weights, problems), problems)
    statement = card_scaling(card, problems)
    return replace(
        facts,
        **described,
        card_scaling=statement,
        card_text=card,
        quantization=stated,
        weight_files=weights,
        weight_format=form,
        tokenizer_files=tuple(sorted(name for name in sizes if name in TOKENIZER_FILES)),
        problems=tuple(dict.fromkeys(problems)),
    )


def _no_weights(folder: Path, sizes: dict[str, int]) -> str:
    if not any(is_adapter_file(name) for name in sizes):
        return "The folder holds no weight files."
    base = adapter_facts_in(folder, sizes).base_model
    named = f", {base}" if base else ""
    return f"The folder holds an adapter (LoRA) only; it is merged with, or loaded onto, its base model{named}."


def _described(config: dict[str, Any], gguf: dict[str, Any], problems: list[str]) -> dict[str, Any]:
    """config.json's fields and a GGUF's over them: the loaders of GGUF files do not read config.json."""
    stated = {key: value for key, value in gguf.items() if value is not None}
    window = stated.get("max_position_embeddings")
    if window is None:
        return {**config, **stated}
    written = config.get("max_position_embeddings")
    if written not in (None, window):
        problems.append(
            f"{WINDOW_SOURCE} is {window} and config.json max_position_embeddings is {written}; the GGUF's own is used."
        )
    return {**config, **stated, "window_source": WINDOW_SOURCE}


def _holds_gguf(sizes: dict[str, int]) -> bool:
    return any(name.lower().endswith(".gguf") or "ggml" in name.lower() for name in sizes)


def _quantization(
    folder: Path, config: dict[str, Any], branch: str | None, weights: tuple[WeightFile, ...], problems: list[str]
) -> Quantization | None:
    """quantize_config.json, then config.json's quantization_config, then the names of the branch and the files."""
    for name, method in _QUANTIZATION_FILES.items():
        values = json_object(folder / name, problems)
        if values is not None:
            return quantization(values, name, problems, method)
    values = config.get("quantization_config")
    if isinstance(values, dict):
        return quantization(values, "config.json quantization_config", problems)
    if values is not None:
        problems.append("config.json: quantization_config is not an object; it is not used.")
    names = [file.name for file in weights if not file.name.lower().endswith((".gguf", ".bin"))]
    return quantization_from_names([*([branch] if branch and names else []), *names])
