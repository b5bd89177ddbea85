"""GGUF metadata: what the library's own writer wrote is read, and no file makes the reader fail or eat memory."""

from __future__ import annotations

import os
import struct
import sys
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extensions.airoboros_longctx.core.reading.gguf_metadata import GgufError, read_gguf_metadata

from .gguf_files import LINEAR_4_GGUF, LLAMA_GGUF, gguf_bytes, header, text, write_gguf


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "model.gguf"


def test_what_the_gguf_package_writes_is_read(file: Path) -> None:
    gguf = pytest.importorskip("gguf")
    numpy = pytest.importorskip("numpy")
    writer = gguf.GGUFWriter(file, "llama")
    writer.add_name("airoboros 33b")
    writer.add_context_length(2048)
    writer.add_embedding_length(6656)
    writer.add_block_count(60)
    writer.add_head_count(52)
    writer.add_head_count_kv([52] * 60)
    writer.add_rope_dimension_count(128)
    writer.add_rope_freq_base(10000.0)
    writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
    writer.add_rope_scaling_factor(4.0)
    writer.add_rope_scaling_orig_ctx_len(2048)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_K_M)
    writer.add_tokenizer_model("llama")
    writer.add_token_list([f"token {number}" for number in range(5000)])
    writer.add_token_scores([0.0] * 5000)
    writer.add_chat_template("{{ messages }}")
    writer.add_bool("general.some_flag", True)
    writer.add_tensor("output.weight", numpy.zeros((4, 4), numpy.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    assert read_gguf_metadata(file) == {
        "general.architecture": "llama",
        "general.name": "airoboros 33b",
        "llama.context_length": 2048,
        "llama.embedding_length": 6656,
        "llama.block_count": 60,
        "llama.attention.head_count": 52,
        "llama.attention.head_count_kv": (52,) * 60,
        "llama.rope.dimension_count": 128,
        "llama.rope.freq_base": 10000.0,
        "llama.rope.scaling.type": "linear",
        "llama.rope.scaling.factor": 4.0,
        "llama.rope.scaling.original_context_length": 2048,
        "general.file_type": 15,
        "tokenizer.ggml.model": "llama",
        "tokenizer.chat_template": "{{ messages }}",
        "general.some_flag": True,
    }


def test_the_gguf_package_reads_the_files_made_by_hand(file: Path) -> None:
    gguf = pytest.importorskip("gguf")
    reader = gguf.GGUFReader(write_gguf(file, LINEAR_4_GGUF))
    assert reader.fields["llama.rope.scaling.factor"].contents() == 4.0
    assert {key for key in reader.fields if not key.startswith("GGUF.")} == set(LINEAR_4_GGUF)


@pytest.mark.parametrize("version", [1, 2, 3])
def test_every_version(file: Path, version: int) -> None:
    values = {**LINEAR_4_GGUF, "tokenizer.ggml.tokens": ["a", "bc"], "llama.some_numbers": [1, 2], "flag": False}
    expected = {key: value for key, value in values.items() if key != "tokenizer.ggml.tokens"}
    assert read_gguf_metadata(write_gguf(file, values, version)) == {**expected, "llama.some_numbers": (1, 2)}


TOO_LONG = 2**63
KEY = text("k")
HOSTILE = {
    "empty": (b"", "is no GGUF file (it does not begin with “GGUF”)"),
    "another file": (b"PK\x03\x04" * 8, "is no GGUF file (it does not begin with “GGUF”)"),
    "magic alone": (b"GGUF", "ends in the middle of its metadata"),
    "big-endian": (
        b"GGUF" + struct.pack(">IQQ", 3, 0, 0),
        "is a big-endian GGUF file, which is not read here",
    ),
    "version 0": (header(0, version=0), "is a big-endian GGUF file, which is not read here"),
    "version 4": (header(0, version=4), "is of GGUF version 4; versions 1 to 3 are read"),
    "many keys": (header(TOO_LONG), f"claims {TOO_LONG} metadata keys, more than any model has"),
    "keys that are not there": (header(5), "ends in the middle of its metadata"),
    "a long key": (header(1) + text(b"k" * 70_000), "has a metadata key of impossible length"),
    "a key longer than the file": (
        header(1) + struct.pack("<Q", TOO_LONG),
        "ends in the middle of its metadata",
    ),
    "a text longer than the file": (
        header(1) + KEY + struct.pack("<IQ", 8, TOO_LONG),
        "ends in the middle of its metadata",
    ),
    "numbers longer than the file": (
        header(1) + KEY + struct.pack("<IIQ", 9, 12, TOO_LONG),
        "ends in the middle of its metadata",
    ),
    "texts without end": (
        header(1) + KEY + struct.pack("<IIQ", 9, 8, TOO_LONG),
        f"claims {TOO_LONG} texts in its metadata, more than any vocabulary has",
    ),
    "an array of arrays": (
        header(1) + KEY + struct.pack("<IIQ", 9, 9, 1) * 3,
        "has a metadata array of type 9, which is not read",
    ),
    "an unknown type": (header(1) + KEY + struct.pack("<I", 99), "has a metadata value of unknown type 99"),
    "a key twice": (
        header(2) + (KEY + struct.pack("<II", 4, 1)) * 2,
        "states k twice",
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_broken_or_hostile_file_is_a_sentence(file: Path, case: str) -> None:
    content, sentence = HOSTILE[case]
    file.write_bytes(content)
    with pytest.raises(GgufError) as caught:
        read_gguf_metadata(file)
    assert str(caught.value) == sentence


def test_a_claim_costs_no_memory(file: Path) -> None:
    """A file with holes: 8 GiB by its size, so the length of its text and of its array are no lie."""
    claimed = 3 << 30
    with file.open("wb") as out:
        out.write(header(3) + text("text") + struct.pack("<IQ", 8, claimed))
        out.seek(claimed, os.SEEK_CUR)
        out.write(text("numbers") + struct.pack("<IIQ", 9, 0, claimed))
        out.seek(claimed, os.SEEK_CUR)
        out.write(text("last") + struct.pack("<II", 4, 7))
    tracemalloc.start()
    try:
        values = read_gguf_metadata(file)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert values == {"last": 7}
    assert peak < 4 << 20


def test_every_cut_is_noticed(file: Path) -> None:
    whole = gguf_bytes({**LLAMA_GGUF, "tokenizer.ggml.tokens": ["a", "bc"], "tokenizer.ggml.scores": [1, 2]})
    for length in range(len(whole)):
        file.write_bytes(whole[:length])
        with pytest.raises(GgufError):
            read_gguf_metadata(file)


@given(content=st.binary(max_size=400), keys=st.integers(0, 20), version=st.sampled_from([1, 2, 3]))
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, keys: int, version: int
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.gguf"
    file.write_bytes(header(keys, version, "I" if version == 1 else "Q") + content)
    with suppress(GgufError):
        assert len(read_gguf_metadata(file)) <= keys


@pytest.mark.skipif(sys.platform == "win32", reason="named pipes are files of their own on Windows")
def test_what_is_not_a_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.gguf")
    for path in (tmp_path, tmp_path / "pipe.gguf", tmp_path / "nothing.gguf"):
        with pytest.raises(GgufError, match="is not a plain file"):
            read_gguf_metadata(path)


def test_text_that_is_no_utf_8(file: Path) -> None:
    file.write_bytes(header(1) + KEY + struct.pack("<I", 8) + text(b"\xff\xfe a"))
    assert read_gguf_metadata(file) == {"k": "�� a"}
