"""The weight and tokenizer files of a model folder: names and sizes only, never opened."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from ..foreign_text import quoted
from ..model_facts import Quantization, WeightFile

#: Most trusted format first: a folder with both holds the same model twice.
WEIGHT_SUFFIXES = (".gguf", ".safetensors", ".pt", ".bin")
_NOT_WEIGHTS = re.compile(
    r"^(?:adapter_|training_args|optimizer|scheduler|rng_state|scaler|tokenizer|random_states|trainer_|non_lora)|"
    r"(?:_optimizer|\.index)\.",
    re.IGNORECASE,
)
TOKENIZER_FILES = frozenset(
    "tokenizer.model tokenizer.json tokenizer_config.json special_tokens_map.json added_tokens.json vocab.json"
    " merges.txt".split()
)
_SHARD = re.compile(r"-(\d{5})-of-(\d{5})(?=\.[^.]+$)")
_MOST_SENTENCES = 3
_GGML = re.compile(r"ggml", re.IGNORECASE)
_GPTQ = re.compile(r"gptq|\b[2348]-?bit\b", re.IGNORECASE)
_BITS = re.compile(r"(?<![\d.])([2348])-?bit", re.IGNORECASE)
_GROUP = re.compile(r"(?<![\w.])(-?\d{1,4})g(?![a-z0-9])", re.IGNORECASE)
_NO_ACT_ORDER = re.compile(r"no[-_. ]?act[-_. ]?order|act[-_. ]?order[-_.]false", re.IGNORECASE)
_ACT_ORDER = re.compile(r"act[-_. ]?order", re.IGNORECASE)


def is_weight_file(name: str) -> bool:
    """True for weights of a whole model; adapters and a trainer's leftovers are none."""
    return name.lower().endswith(WEIGHT_SUFFIXES) and _NOT_WEIGHTS.search(name) is None


def is_adapter_file(name: str) -> bool:
    return name.lower().startswith("adapter_model.") or name.lower() == "adapter_config.json"


def weight_format(files: Iterable[WeightFile], stated: Quantization | None, name: str) -> str | None:
    """``gguf``, ``ggml``, the quantisation method, or ``fp16``; None where nothing tells. ``name`` is the folder's."""
    names = [file.name for file in files]
    if any(file.lower().endswith(".gguf") for file in names):
        return "gguf"
    if stated is not None:
        return stated.method
    if any(file.lower().endswith(".bin") and _GGML.search(file) for file in names):
        return "ggml"
    for method in ("gptq", "awq", "exl2", "exl3"):
        if re.search(rf"(?:^|[-_.]){method}(?:$|[-_.])", name, re.IGNORECASE):
            return method
    if not names:
        return None
    return "gptq" if any(_GPTQ.search(file) for file in names) else "fp16"


def quantization_from_names(names: Iterable[str]) -> Quantization | None:
    """GPTQ parameters as file and branch names spell them: ``4bit-128g.no-act-order``. None where none does."""
    for name in names:
        bits = _BITS.search(name)
        if bits is None:
            continue
        group = _GROUP.search(name)
        return Quantization(
            method="gptq",
            bits=int(bits[1]),
            group_size=int(group[1]) if group else None,
            desc_act=act_order(name),
            source=f"the name {name}",
        )
    return None


def act_order(name: str) -> bool | None:
    """What a weight file's name says about act-order (desc_act); None where it says nothing."""
    if _NO_ACT_ORDER.search(name):
        return False
    return True if _ACT_ORDER.search(name) else None


def alternatives(files: Iterable[WeightFile]) -> tuple[WeightFile, ...]:
    """The files of the best format there that are each a whole model; of a split one its first part stands for it."""
    files = sorted(files, key=lambda file: file.name)
    for suffix in WEIGHT_SUFFIXES:
        whole: dict[str, WeightFile] = {}
        for file in files:
            if file.name.lower().endswith(suffix):
                whole.setdefault(whole_name(file.name), file)
        if whole:
            return tuple(whole[name] for name in sorted(whole))
    return ()


def whole_name(name: str) -> str:
    """``model-00002-of-00003.gguf`` → ``model.gguf``."""
    return _SHARD.sub("", name)


def parts_of(files: Iterable[WeightFile], name: str) -> tuple[WeightFile, ...]:
    """The file ``name`` and every other part of the model that it is a part of."""
    return tuple(file for file in files if whole_name(file.name) == whole_name(name))


def missing_shards(files: Sequence[WeightFile]) -> list[str]:
    """A sentence for split models of which not every part is there, for the first few."""
    there = Counter(whole_name(file.name) for file in files)
    found = []
    for file in alternatives(files):
        shard, parts = _SHARD.search(file.name), there[whole_name(file.name)]
        if shard and parts != int(shard[2]):
            found.append(
                f"{quoted(whole_name(file.name))} is split into {int(shard[2])} files and {parts} of them"
                f" {'is' if parts == 1 else 'are'} here; get the others."
            )
    return found[:_MOST_SENTENCES]
