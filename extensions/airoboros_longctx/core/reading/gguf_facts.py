"""What GGUF files say about their model: the fields of ``ModelFacts`` that their metadata states.

Keys and their meaning: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. llama.cpp divides positions by
``rope.scaling.factor`` (by the older ``rope.scale_linear`` where that is missing) and takes the method for linear where
none is named (llama.cpp, llama_model::load_hparams).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..foreign_text import quoted
from ..limits import LARGEST_COUNT, LARGEST_FACTOR
from ..model_facts import GgufFacts, ScalingStatement, WeightFile
from ..rope_scaling import LINEAR
from .gguf_metadata import GgufError, GgufValue, read_gguf_metadata
from .model_config import ConfigReader
from .weight_files import alternatives, missing_shards

SOURCE = "GGUF metadata"
WINDOW_SOURCE = f"{SOURCE} context_length"
#: Several quantisations of one model say the same; more than these are not opened.
_MOST_FILES = 8
#: llama.cpp's numbers of file types (llama.h, enum llama_ftype), of those in which these models are published.
_FILE_TYPES = {
    **dict(enumerate("F32 F16 Q4_0 Q4_1".split())),
    **dict(enumerate("Q8_0 Q5_0 Q5_1 Q2_K Q3_K_S Q3_K_M Q3_K_L Q4_K_S Q4_K_M Q5_K_S Q5_K_M Q6_K".split(), start=7)),
}


@dataclass(frozen=True)
class _File:
    name: str
    facts: dict[str, Any]


def gguf_facts(folder: Path, files: Sequence[WeightFile], problems: list[str]) -> dict[str, Any]:
    """The facts of the first readable GGUF file among ``files``; what another one says differently is a problem.

    Empty where there is none. Of a split model the first part holds the metadata.
    """
    names = [file.name for file in alternatives(files) if file.name.lower().endswith(".gguf")]
    read = [file for name in names[:_MOST_FILES] if (file := _read(folder, name, problems)) is not None]
    for file in read[1:]:
        if _scaling_of(file) != _scaling_of(read[0]):
            problems.append(
                f"{quoted(read[0].name)} and {quoted(file.name)} state different scalings in their metadata;"
                " keep the files of one model in one folder."
            )
    problems += missing_shards(files)
    return read[0].facts if read else {}


def _scaling_of(file: _File) -> tuple[str, float | None] | None:
    stated: ScalingStatement | None = file.facts["gguf_scaling"]
    return None if stated is None else (stated.rope_type, stated.factor)


def _read(folder: Path, name: str, problems: list[str]) -> _File | None:
    try:
        values = read_gguf_metadata(folder / name)
    except GgufError as error:
        problems.append(f"{quoted(name)} {error}; its metadata is not used.")
        return None
    return _File(name, _facts(values, name, problems))


def _facts(values: Mapping[str, GgufValue], name: str, problems: list[str]) -> dict[str, Any]:
    architecture = values.get("general.architecture")
    if not isinstance(architecture, str) or not architecture:
        problems.append(f"{quoted(name)} names no architecture in its metadata, so nothing else in it is used.")
        return {"gguf": GgufFacts(), "gguf_scaling": None}
    of_model = {
        key[len(architecture) + 1 :]: value for key, value in values.items() if key.startswith(f"{architecture}.")
    }
    source = f"{quoted(name)} metadata"
    reader = ConfigReader({key: _largest(value) for key, value in of_model.items()}, source, problems)
    general = ConfigReader(values, source, problems)
    template = values.get("tokenizer.chat_template")
    context_length = reader.count("context_length")
    return {
        "model_type": quoted(architecture, 80),
        "hidden_size": reader.count("embedding_length"),
        "num_hidden_layers": reader.count("block_count"),
        "num_attention_heads": reader.count("attention.head_count"),
        "num_key_value_heads": reader.count("attention.head_count_kv", smallest=0) or None,
        "head_dim": reader.count("attention.key_length"),
        "max_position_embeddings": context_length,
        "rope_theta": reader.number("rope.freq_base", 1.0, 1e15),
        "gguf_scaling": _scaling(reader, of_model, context_length, problems),
        "gguf": GgufFacts(
            name=general.text("general.name"),
            file_type=_file_type(general.count("general.file_type", smallest=0)),
            context_length=context_length,
            rope_dimension_count=reader.count("rope.dimension_count"),
            tokenizer=any(key.startswith("tokenizer.ggml.") for key in values),
            chat_template=template if isinstance(template, str) else None,
        ),
    }


def _largest(value: GgufValue) -> GgufValue | None:
    """A number stated for each layer counts as its largest one."""
    return value if not isinstance(value, tuple) else max(value, default=None)


def _file_type(number: int | None) -> str | None:
    return None if number is None else _FILE_TYPES.get(number, f"type {number}")


def _scaling(
    reader: ConfigReader, values: Mapping[str, GgufValue], context_length: int | None, problems: list[str]
) -> ScalingStatement | None:
    """The scaling that llama.cpp runs by itself; None where the file leaves positions as they are."""
    key = "rope.scaling.factor" if values.get("rope.scaling.factor") is not None else "rope.scale_linear"
    rope_type = (reader.text("rope.scaling.type") or LINEAR).lower()
    if rope_type == "none" or (rope_type == LINEAR and values.get(key) in (None, 0, 1)):
        return None
    factor = reader.number(key, 1.0, LARGEST_FACTOR)
    if rope_type == LINEAR and factor is None:
        return None
    original = reader.count("rope.scaling.original_context_length")
    window = None
    if rope_type != LINEAR and (original or context_length):
        stretched = round((original or context_length or 0) * (factor or 1.0))
        window = min(max(stretched, context_length or 0), LARGEST_COUNT)
    stated = {name: values[name] for name in sorted(values) if name.startswith(("rope.scal", "rope.freq_base"))}
    return ScalingStatement(
        source=SOURCE,
        quote=quoted(", ".join(f"{name} {value}" for name, value in stated.items())),
        rope_type=rope_type,
        factor=factor,
        original_max_position_embeddings=original,
        max_position_embeddings=window,
    )
