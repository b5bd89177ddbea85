"""GGUF files by hand, byte by byte: what a writer would refuse to write can be written too."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

UINT32, FLOAT32, BOOL, STRING, ARRAY = 4, 6, 7, 8, 9

#: The metadata of a Llama of 2023, as llama.cpp's converter wrote it for a model without rope_scaling.
LLAMA_GGUF: dict[str, object] = {
    "general.architecture": "llama",
    "general.name": "LLaMA v1",
    "general.file_type": 15,
    "llama.context_length": 2048,
    "llama.embedding_length": 6656,
    "llama.block_count": 60,
    "llama.attention.head_count": 52,
    "llama.attention.head_count_kv": 52,
    "llama.rope.dimension_count": 128,
    "tokenizer.ggml.model": "llama",
}
LINEAR_4_GGUF = {**LLAMA_GGUF, "llama.rope.scaling.type": "linear", "llama.rope.scaling.factor": 4.0}


def text(value: str | bytes, length: str = "Q") -> bytes:
    content = value.encode() if isinstance(value, str) else value
    return struct.pack(f"<{length}", len(content)) + content


def value_bytes(value: object, length: str = "Q") -> bytes:
    if isinstance(value, bool):
        return struct.pack("<I?", BOOL, value)
    if isinstance(value, int):
        return struct.pack("<II", UINT32, value)
    if isinstance(value, float):
        return struct.pack("<If", FLOAT32, value)
    if isinstance(value, str):
        return struct.pack("<I", STRING) + text(value, length)
    assert isinstance(value, list)
    kind = STRING if value and isinstance(value[0], str) else UINT32
    items = b"".join(text(item, length) if kind == STRING else struct.pack("<I", item) for item in value)
    return struct.pack(f"<II{length}", ARRAY, kind, len(value)) + items


def header(keys: int, version: int = 3, length: str = "Q") -> bytes:
    return b"GGUF" + struct.pack(f"<I{length}{length}", version, 0, keys)


def gguf_bytes(values: Mapping[str, object], version: int = 3) -> bytes:
    length = "I" if version == 1 else "Q"
    pairs = b"".join(text(key, length) + value_bytes(value, length) for key, value in values.items())
    return header(len(values), version, length) + pairs


def write_gguf(path: Path, values: Mapping[str, object], version: int = 3) -> Path:
    path.write_bytes(gguf_bytes(values, version) + b"\0" * 64)
    return path
