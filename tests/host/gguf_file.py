"""Writing a GGUF file (version 2) by its specification, https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.

Standard library only: tests write files of a few keys, and a host's own Python writes whole models.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

UINT32, INT32, FLOAT32, STRING, ARRAY = 4, 5, 6, 8, 9
F32, F16 = 0, 1
ALIGNMENT = 32


def _string(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


def _value(kind: int, value: object) -> bytes:
    if kind == STRING:
        return _string(str(value))
    return struct.pack({UINT32: "<I", INT32: "<i", FLOAT32: "<f"}[kind], value)


def _metadata(key: str, kind: int, value: object) -> bytes:
    if isinstance(value, (list, tuple)):
        items = b"".join(_value(kind, item) for item in value)
        return _string(key) + struct.pack("<IIQ", ARRAY, kind, len(value)) + items
    return _string(key) + struct.pack("<I", kind) + _value(kind, value)


def write_gguf(
    path: Path,
    metadata: Mapping[str, tuple[int, object]],
    tensors: Sequence[tuple[str, tuple[int, ...], int, bytes]] = (),
) -> None:
    """``metadata`` maps a key to its type and value; a list is an array of that type.

    ``tensors`` are name, shape (as in PyTorch; the file has it reversed), type and little-endian data.
    """
    header = b"GGUF" + struct.pack("<IQQ", 2, len(tensors), len(metadata))
    header += b"".join(_metadata(key, kind, value) for key, (kind, value) in metadata.items())
    data = b""
    for name, shape, kind, raw in tensors:
        header += _string(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *reversed(shape))
        header += struct.pack("<IQ", kind, len(data))
        data += raw + b"\0" * (-len(raw) % ALIGNMENT)
    path.write_bytes(header + b"\0" * (-len(header) % ALIGNMENT) + data)


def llama_metadata(name: str, window: int, **more: tuple[int, object]) -> dict[str, tuple[int, object]]:
    """The keys of a Llama that every reader looks for; ``more`` has double underscores for dots."""
    return {
        "general.architecture": (STRING, "llama"),
        "general.name": (STRING, name),
        "llama.context_length": (UINT32, window),
        "llama.block_count": (UINT32, 4),
        **{key.replace("__", "."): value for key, value in more.items()},
    }
