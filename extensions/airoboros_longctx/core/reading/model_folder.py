"""Reads a model folder into ``ModelFacts``. Nothing in it is run, trusted or required; weights are never opened."""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from ..errors import ModelFolderError
from ..foreign_text import UnreadableFileError, quoted, read_bytes, read_json_object
from ..model_facts import ModelFacts, Quantization, WeightFile
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

CARD_BYTES = 1 << 20
_MOST_FILES = 10_000
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
        sizes = _file_sizes(folder)
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
            beside = [WeightFile(name, size) for name, size in sorted(_file_sizes(file.parent).items())]
            weights = parts_of(beside, file.name)
        stated = gguf_facts(file.parent, weights, problems)
        stated["window_source"] = WINDOW_SOURCE
    problems = list(dict.fromkeys(problems))
    return replace(facts, **stated, weight_files=weights, weight_format=formats.get(suffix), problems=tuple(problems))


def _file_sizes(folder: Path) -> dict[str, int]:
    """Bytes of each plain file, by name; a link that leads nowhere is none."""
    with os.scandir(folder) as entries:
        sizes = ((entry.name, _size(entry)) for entry in islice(entries, _MOST_FILES))
        return {name: size for name, size in sizes if size is not None}


def _size(entry: os.DirEntry[str]) -> int | None:
    try:
        return entry.stat().st_size if entry.is_file() else None
    except OSError:
        return None


def _folder(folder: Path, sizes: dict[str, int]) -> ModelFacts:
    problems: list[str] = []
    facts = _named(folder, quoted(folder.resolve().name if folder.name in ("", ".", "..") else folder.name))
    config = _json(folder / "config.json", problems)
    if config is None and not os.path.lexists(folder / "config.json") and not _holds_gguf(sizes):
        problems.append("There is no config.json, so the architecture and the base window are not known.")
    card = _card(folder, sizes, problems)
    weights = tuple(WeightFile(name, sizes[name]) for name in sorted(sizes) if is_weight_file(name))
    stated = _quantization(folder, config or {}, facts.branch, weights, problems)
    form = weight_format(weights, stated, facts.name)
    if stated is None and form == "gptq":
        stated = Quantization("gptq", source="the folder's name")
    if not weights:
        adapter = any(is_adapter_file(name) for name in sizes)
        problems.append(
            "The folder holds an adapter (LoRA) only; it is merged with, or loaded onto, its base model."
            if adapter
            else "The folder holds no weight files."
        )
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


def _json(path: Path, problems: list[str]) -> dict[str, Any] | None:
    if not os.path.lexists(path):
        return None
    try:
        return read_json_object(path)
    except UnreadableFileError as error:
        problems.append(f"{path.name} {error}; it is not used.")
        return None


def _card(folder: Path, sizes: dict[str, int], problems: list[str]) -> str:
    names = [name for name in sizes if name.lower() == "readme.md"]
    if not names:
        if os.path.lexists(folder / "README.md"):
            problems.append("README.md is not a plain file; the model card is not used.")
        return ""
    try:
        content, more = read_bytes(folder / sorted(names)[0], CARD_BYTES)
    except UnreadableFileError as error:
        problems.append(f"README.md {error}; the model card is not used.")
        return ""
    if more:
        problems.append(f"README.md is larger than {CARD_BYTES >> 20} MiB; only its beginning was read.")
    return content.decode("utf-8-sig", "replace")


def _quantization(
    folder: Path, config: dict[str, Any], branch: str | None, weights: tuple[WeightFile, ...], problems: list[str]
) -> Quantization | None:
    """quantize_config.json, then config.json's quantization_config, then the names of the branch and the files."""
    for name, method in _QUANTIZATION_FILES.items():
        values = _json(folder / name, problems)
        if values is not None:
            return quantization(values, name, problems, method)
    values = config.get("quantization_config")
    if isinstance(values, dict):
        return quantization(values, "config.json quantization_config", problems)
    if values is not None:
        problems.append("config.json: quantization_config is not an object; it is not used.")
    names = [file.name for file in weights if not file.name.lower().endswith((".gguf", ".bin"))]
    return quantization_from_names([*([branch] if branch and names else []), *names])
