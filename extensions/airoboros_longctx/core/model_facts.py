"""What a model folder says about itself: plain data, gathered by ``model_folder.read_model_facts``; or a server."""

from __future__ import annotations

from dataclasses import dataclass

from .rope_scaling import LINEAR


@dataclass(frozen=True)
class ScalingStatement:
    """One place that states how the context was stretched, with its own words.

    A field is None where that place does not say. ``max_position_embeddings`` is the stretched window, and
    ``trained_tokens`` the length of the sequences it was trained on, both in tokens.
    """

    source: str
    quote: str
    rope_type: str = LINEAR
    factor: float | None = None
    original_max_position_embeddings: int | None = None
    max_position_embeddings: int | None = None
    trained_tokens: int | None = None


@dataclass(frozen=True)
class Quantization:
    """How the weights were quantised. ``group_size`` -1 means one group for the whole row, None that nobody says."""

    method: str
    bits: int | None = None
    group_size: int | None = None
    desc_act: bool | None = None
    source: str = ""


@dataclass(frozen=True)
class WeightFile:
    name: str
    size_bytes: int


@dataclass(frozen=True)
class GgufFacts:
    """What only a GGUF file says. ``name`` is what its maker called the model, ``tokenizer`` whether it brings one.

    ``context_length`` (tokens) is the base window in some files and the stretched one in others.
    """

    name: str | None = None
    file_type: str | None = None
    context_length: int | None = None
    rope_dimension_count: int | None = None
    tokenizer: bool = False
    chat_template: str | None = None


@dataclass(frozen=True)
class ModelFacts:
    """A model folder as read. Nothing here is decided; ``None`` means the folder does not say.

    ``max_position_embeddings`` is the number of ``window_source`` as written: for some merges it is the base window,
    for others the stretched one. ``gguf`` is None where no GGUF file could be read. ``card_text`` is the README as
    read, at most 1 MB. ``weight_format`` is ``"fp16"`` (unquantised, in whatever precision), ``"gguf"``, ``"ggml"`` or
    a quantisation method; None where no weights are. ``problems`` are sentences about what could not be read.
    """

    path: str
    name: str
    organization: str | None = None
    model: str = ""
    branch: str | None = None
    model_type: str | None = None
    architectures: tuple[str, ...] = ()
    hidden_size: int | None = None
    num_hidden_layers: int | None = None
    num_attention_heads: int | None = None
    num_key_value_heads: int | None = None
    head_dim: int | None = None
    max_position_embeddings: int | None = None
    window_source: str = "config.json max_position_embeddings"
    rope_theta: float | None = None
    torch_dtype: str | None = None
    remote_code: bool = False
    config_scaling: ScalingStatement | None = None
    gguf_scaling: ScalingStatement | None = None
    gguf: GgufFacts | None = None
    card_scaling: ScalingStatement | None = None
    card_text: str = ""
    quantization: Quantization | None = None
    weight_files: tuple[WeightFile, ...] = ()
    weight_format: str | None = None
    tokenizer_files: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def dimension_of_a_head(self) -> int | None:
        """``head_dim`` as stated, else what the heads make of ``hidden_size``; None where neither is said."""
        if self.head_dim is not None or not (self.hidden_size and self.num_attention_heads):
            return self.head_dim
        return self.hidden_size // self.num_attention_heads

    @property
    def is_llama(self) -> bool:
        return self.model_type == "llama"

    @property
    def names(self) -> tuple[str, ...]:
        """Every spelling of the model's name, the most telling first."""
        named = (self.model, self.name, self.gguf.name if self.gguf else None)
        return tuple(dict.fromkeys(name for name in named if name))


@dataclass(frozen=True)
class AdapterFacts:
    """An adapter (LoRA) folder as read; ``None`` means the folder does not say.

    ``base_model`` is the model that it was trained on, as its maker wrote it. ``r`` is the rank, ``lora_alpha`` the
    scale of the update (alpha / r), ``target_modules`` the layers that it changes.
    """

    path: str
    name: str
    organization: str | None = None
    model: str = ""
    base_model: str | None = None
    peft_type: str | None = None
    task_type: str | None = None
    r: int | None = None
    lora_alpha: float | None = None
    target_modules: tuple[str, ...] = ()
    card_scaling: ScalingStatement | None = None
    card_text: str = ""
    size_bytes: int = 0
    problems: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Every spelling of the adapter's name, the most telling first."""
        return tuple(dict.fromkeys(name for name in (self.model, self.name) if name))


@dataclass(frozen=True)
class ServedFacts:
    """What a server says of the model called ``model``, and the user of both.

    ``window`` is the server's in tokens, None where it does not say, ``window_source`` where it says so.
    ``context_tokens`` and ``template`` are the user's. ``counted_by`` is the kind of server whose tokenizer counts, ""
    where tokens are estimated.
    """

    model: str
    server: str
    window: int | None = None
    window_source: str = ""
    context_tokens: int | None = None
    template: str | None = None
    counted_by: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The model's name as the tables spell names: without a path, an organization or the ending of a file."""
        last = self.model.replace("\\", "/").rstrip("/").rpartition("/")[2]
        return tuple(dict.fromkeys((last.removesuffix(".gguf"), last, self.model)))
