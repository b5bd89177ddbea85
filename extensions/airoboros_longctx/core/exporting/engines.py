"""One function for each engine: a load in that engine's own documented options.

The option names and what they do were read in each engine's source; tests/unit/core/engine_options.yaml names the
releases. Every engine is told the window, and a linear or NTK scaling outright, whatever its model files say.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import Any

from ..prompts.instruction_templates import instruction_template
from ..prompts.template_formats import as_jinja
from ..rope_scaling import LINEAR, NTK
from .engine_load import EngineLoad, ExportError

#: What koboldcpp's --contextsize takes, in tokens.
KOBOLDCPP_TOKENS = (256, 262144)


@dataclass(frozen=True)
class Export:
    """The words of a command line, or the ``fragment`` of a config.json; and sentences about them for the user."""

    words: tuple[str, ...] = ()
    fragment: dict[str, Any] | None = None
    notes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """What is printed: the words quoted for a POSIX shell, or JSON."""
        return shlex.join(self.words) if self.fragment is None else json.dumps(self.fragment, indent=2)


def vllm(load: EngineLoad) -> Export:
    """For ``vllm serve``. It multiplies max_position_embeddings by a linear factor, so it gets the base window; tensor
    parallel inside a machine, pipeline parallel between machines, with Ray."""
    words = [load.model_path, "--max-model-len", str(load.context_tokens)]
    notes: list[str] = []
    if load.method in (LINEAR, NTK):
        words += ["--hf-overrides", json.dumps(_config_fragment(load))]
    if load.gpus > 1:
        words += ["--tensor-parallel-size", str(load.gpus)]
    if load.nodes > 1:
        words += ["--pipeline-parallel-size", str(load.nodes), "--distributed-executor-backend", "ray"]
        notes.append(f"Start Ray on all {load.nodes} machines first, with the same model path on each of them.")
    if load.template:
        # its chat endpoint adds no beginning-of-sequence token: the template does
        words += ["--chat-template", _one_line(load.template, begins_with_bos=True)]
    return Export(tuple(words), notes=(*notes, *_stop_note(load)))


def llama_cpp(load: EngineLoad) -> Export:
    """For ``llama-server``, which caps the context at the window that the file states unless that is overridden."""
    words, notes = _gguf(load, ("gguf",))
    words += ["--ctx-size", str(load.context_tokens)]
    if load.method == LINEAR:
        words += ["--rope-scaling", "linear", "--rope-scale", repr(load.factor)]
    if load.method == NTK:
        words += ["--rope-scaling", "none", "--rope-freq-base", repr(load.rope_theta)]
    if load.method in (LINEAR, NTK):
        words += ["--override-kv", f"llama.context_length=int:{load.max_position_embeddings}"]
    for stop in load.stop:
        words += ["--reverse-prompt", stop]
    if load.template:
        words += ["--jinja", "--chat-template", _one_line(load.template)]
    return Export(tuple(words), notes=tuple(notes))


def koboldcpp(load: EngineLoad) -> Export:
    """``--ropeconfig`` is 1/factor and the base frequency; without it koboldcpp picks an NTK base by itself for any
    window beyond the one in the file."""
    words, notes = _gguf(load, ("gguf", "ggml"))
    least, most = KOBOLDCPP_TOKENS
    if not least <= load.context_tokens <= most:
        raise ExportError(f"koboldcpp takes a --contextsize from {least} to {most}; {load.context_tokens} was planned.")
    if load.method in (LINEAR, NTK):
        words += ["--ropeconfig", repr(1 / load.factor), repr(load.rope_theta)]
    words += ["--contextsize", str(load.context_tokens)]
    return Export(tuple(words), notes=(*notes, *_stop_note(load)))


def exllamav2(load: EngineLoad) -> Export:
    """The options that ExLlamaV2's own scripts share (``exllamav2.model_init``)."""
    words = ["--model_dir", load.model_path, "--length", str(load.context_tokens)]
    if load.method == LINEAR:
        words += ["--rope_scale", repr(load.factor)]
    if load.method == NTK:
        words += ["--rope_scale", "1.0", "--rope_alpha", repr(load.alpha)]
    return Export(tuple(words), notes=_stop_note(load))


def tgi(load: EngineLoad) -> Export:
    """For ``text-generation-launcher``."""
    if load.context_tokens < 2:
        raise ExportError("text-generation-inference needs a window of at least 2 tokens.")
    if load.method == NTK:
        raise ExportError(
            "text-generation-inference has no option for another base frequency, so it cannot run NTK scaling from its"
            " command line; write what `--export transformers` prints into the model's config.json, which it reads."
        )
    words = ["--model-id", load.model_path]
    words += ["--max-input-tokens", str(load.context_tokens - 1), "--max-total-tokens", str(load.context_tokens)]
    notes: list[str] = []
    if load.method == LINEAR:
        words += ["--rope-scaling", "linear", "--rope-factor", repr(load.factor)]
        notes.append(
            "text-generation-inference applies linear scaling in releases up to 2.0.2; 2.0.3 to 3.3.7 take the same"
            " options and run the model unscaled. Use 2.0.2 or another engine."
        )
    if load.gpus > 1:
        words += ["--num-shard", str(load.gpus)]
    return Export(tuple(words), notes=(*notes, *_stop_note(load)))


def transformers(load: EngineLoad) -> Export:
    """What to merge into config.json."""
    notes: list[str] = []
    if load.method == NTK:
        notes.append("Transformers before 4.33 does not read rope_theta and would run the model unscaled.")
    if load.context_tokens < load.max_position_embeddings:
        notes.append(f"config.json cannot say it: keep a prompt and its reply within {load.context_tokens} tokens.")
    return Export(fragment=_config_fragment(load) if load.method in (LINEAR, NTK) else {}, notes=tuple(notes))


def _config_fragment(load: EngineLoad) -> dict[str, Any]:
    """config.json's keys, for every release: 4.31 to 4.57 read ``rope_scaling`` (up to 4.42 with exactly ``type`` and
    ``factor``) and, from 4.33, ``rope_theta``; 5.x reads ``rope_parameters``. vLLM reads the former up to 0.11, and in
    newer releases on Transformers 4.x lets them win over the latter, which must therefore come last."""
    linear = load.factor > 1
    method = {"rope_type": "linear", "factor": load.factor} if linear else {"rope_type": "default"}
    return {
        "max_position_embeddings": (
            load.original_max_position_embeddings if load.method == LINEAR else load.max_position_embeddings
        ),
        "rope_theta": load.rope_theta,
        "rope_scaling": {"type": "linear", "factor": load.factor} if linear else None,
        "rope_parameters": {**method, "rope_theta": load.rope_theta},
    }


def _gguf(load: EngineLoad, formats: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """The model file as an option, or a note where there is none that the engine reads."""
    if load.model_file is None or load.weight_format not in formats:
        return [], ["It reads GGUF files, and this model is none: convert it, then add --model FILE."]
    return ["--model", load.model_file], []


def _one_line(template: str, begins_with_bos: bool = False) -> str:
    """The template's Jinja without its line ends and indentation, which it does not print anyway."""
    jinja = as_jinja(instruction_template(template), begins_with_bos)
    return "".join(line.strip() for line in jinja.split("\n"))


def _stop_note(load: EngineLoad) -> tuple[str, ...]:
    if not load.stop:
        return ()
    return (f"It has no option for stop strings: send {json.dumps({'stop': list(load.stop)})} with each request.",)
