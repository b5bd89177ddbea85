"""What config.json and the quantisation configs of a model folder say, with a sentence for whatever is malformed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..foreign_text import quoted, quoted_value
from ..limits import LARGEST_COUNT, LARGEST_FACTOR
from ..model_facts import Quantization, ScalingStatement
from ..rope_scaling import LINEAR, NO_SCALING


class ConfigReader:
    """Typed reads from one JSON object. What has the wrong type is None and leaves a sentence in ``problems``."""

    def __init__(self, values: Mapping[str, Any], source: str, problems: list[str]) -> None:
        self._values, self._source, self._problems = values, source, problems

    def count(self, key: str, smallest: int = 1) -> int | None:
        """A whole number from ``smallest`` on; 2048.0 counts as one."""
        value = self._values.get(key)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and smallest <= value <= LARGEST_COUNT:
            return value
        self._wrong(key, value, f"a whole number from {smallest} on")
        return None

    def number(self, key: str, smallest: float, largest: float) -> float | None:
        value = self._values.get(key)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and smallest <= value <= largest:
            return float(value)
        self._wrong(key, value, f"a number from {smallest:g} to {largest:g}")
        return None

    def text(self, key: str) -> str | None:
        value = self._values.get(key)
        if isinstance(value, str):
            return quoted(value, 80)
        self._wrong(key, value, "a text")
        return None

    def flag(self, key: str) -> bool | None:
        value = self._values.get(key)
        if isinstance(value, bool):
            return value
        self._wrong(key, value, "true or false")
        return None

    def mapping(self, key: str) -> Mapping[str, Any]:
        value = self._values.get(key)
        if isinstance(value, dict):
            return value
        self._wrong(key, value, "an object")
        return {}

    def texts(self, key: str) -> tuple[str, ...]:
        value = self._values.get(key)
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(quoted(item, 80) for item in value[:8])
        self._wrong(key, value, "a list of texts")
        return ()

    def _wrong(self, key: str, value: object, wanted: str) -> None:
        if value is not None:
            self._problems.append(f"{self._source}: {key} is {quoted_value(value, 60)}; {wanted} was expected.")


def config_facts(config: Mapping[str, Any], problems: list[str]) -> dict[str, Any]:
    """The fields of ModelFacts that config.json states."""
    reader = ConfigReader(config, "config.json", problems)
    rope = ConfigReader(reader.mapping("rope_parameters"), "config.json, rope_parameters", problems)
    theta = reader.number("rope_theta", 1.0, 1e15)
    return {
        "model_type": reader.text("model_type"),
        "architectures": reader.texts("architectures"),
        "hidden_size": reader.count("hidden_size"),
        "num_hidden_layers": reader.count("num_hidden_layers"),
        "num_attention_heads": reader.count("num_attention_heads"),
        "num_key_value_heads": reader.count("num_key_value_heads"),
        "head_dim": reader.count("head_dim"),
        "max_position_embeddings": reader.count("max_position_embeddings"),
        "rope_theta": rope.number("rope_theta", 1.0, 1e15) if theta is None else theta,
        "torch_dtype": reader.text("torch_dtype") or reader.text("dtype"),
        "remote_code": any(str(key).startswith("AutoModel") for key in reader.mapping("auto_map")),
        "config_scaling": config_scaling(config, problems),
    }


def config_scaling(config: Mapping[str, Any], problems: list[str]) -> ScalingStatement | None:
    """The scaling that ``rope_scaling`` or Transformers 5's ``rope_parameters`` states; None where neither does."""
    stated = [key for key in ("rope_scaling", "rope_parameters") if config.get(key)]
    found = [statement for key in stated if (statement := _scaling_under(key, config, problems)) is not None]
    if len({(statement.rope_type, statement.factor) for statement in found}) > 1:
        problems.append("config.json: rope_scaling and rope_parameters contradict each other; rope_scaling is taken.")
    return found[0] if found else None


def _scaling_under(key: str, config: Mapping[str, Any], problems: list[str]) -> ScalingStatement | None:
    source = f"config.json {key}"
    values = ConfigReader(config, "config.json", problems).mapping(key)
    reader = ConfigReader(values, source, problems)
    new, old = reader.text("rope_type"), reader.text("type")
    if new and old and new != old:
        problems.append(f"{source}: rope_type {new!r} and type {old!r} contradict each other; rope_type is taken.")
    rope_type = (new or old or NO_SCALING).lower()
    if rope_type == NO_SCALING:
        if values.get("factor") is not None:
            problems.append(f"{source}: a factor without a method (rope_type) is not used.")
        return None
    factor = reader.number("factor", 1.0, LARGEST_FACTOR)
    if rope_type == LINEAR and factor is None:
        problems.append(f"{source}: linear scaling without a usable factor; it is not used.")
        return None
    original = reader.count("original_max_position_embeddings")
    if original is None:
        original = ConfigReader(config, "config.json", []).count("original_max_position_embeddings")
    return ScalingStatement(
        source=source,
        quote=quoted({name: values[name] for name in list(values)[:8]}),
        rope_type="longrope" if rope_type == "su" else rope_type,
        factor=factor,
        original_max_position_embeddings=original,
        max_position_embeddings=_stated_window(rope_type, factor, original, config),
    )


def _stated_window(rope_type: str, factor: float | None, original: int | None, config: Mapping[str, Any]) -> int | None:
    """The stretched window of a method that is left to its owner; a linear one is worked out with all statements.

    Transformers reads ``max_position_embeddings`` as the base for dynamic and yarn unless an original one is
    stated beside it, and llama3 and longrope state the window itself: the larger of the two is meant every time.
    """
    written = ConfigReader(config, "config.json", []).count("max_position_embeddings")
    base = original or written
    if rope_type == LINEAR or base is None:
        return None
    stretched = base if factor is None else round(base * factor)
    return min(max(stretched, written or 0), LARGEST_COUNT)


def quantization(values: Mapping[str, Any], source: str, problems: list[str], method: str = "") -> Quantization | None:
    """The quantisation that ``values`` states; ``method`` is assumed where it names none."""
    reader = ConfigReader(values, source, problems)
    named = (reader.text("quant_method") or method).lower()
    if not named and "bits" in values and "group_size" in values:
        named = "gptq"
    if not named:
        return None
    return Quantization(
        method=named,
        bits=_whole(reader.number("bits", 1.0, 32.0)) if "bits" in values else None,
        group_size=reader.count("group_size", smallest=-1),
        desc_act=reader.flag("desc_act"),
        source=source,
    )


def _whole(bits: float | None) -> int | None:
    """exl2 states fractions such as 4.65 bits."""
    return None if bits is None else math.floor(bits)
