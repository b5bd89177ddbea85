"""The logits of the last positions of some rows of tokens, by the way that each kind of loaded model has for it."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import Tensor

#: Llama's logits are its head over its last hidden state and nothing else.
_HEAD_OVER_DECODER = ("llama", "mistral", "qwen2")
#: What Transformers calls the number of positions to compute logits for: from 4.45 on, and from 4.50 on.
_KEEP_ARGUMENTS = ("num_logits_to_keep", "logits_to_keep")


def transformers_model(model: Any) -> Any:
    """The Transformers model inside what a loader handed over: below a LoRA (PEFT) or an AutoGPTQ model."""
    if hasattr(model, "get_base_model"):
        model = model.get_base_model()
    inner = getattr(model, "model", None)
    if not hasattr(model, "get_output_embeddings") and hasattr(inner, "get_output_embeddings"):
        model = inner
    return model


def has_decoder(model: Any) -> bool:
    """True for a model that computes in PyTorch, layer by layer; False for a shell around another engine."""
    return isinstance(model, torch.nn.Module) and next(model.parameters(), None) is not None


def last_logits(model: Any, ids: Tensor, keep: int) -> Tensor:
    """float32 logits [rows, keep, vocabulary] that follow the last ``keep`` of the tokens ``ids`` [rows, tokens].

    Without a key-value cache, and without logits for the other positions where the model can do without: for a
    vocabulary of 32000 they would take 1 GiB for 8192 tokens. ``model`` is what ``transformers_model`` returns.
    """
    with torch.inference_mode():
        accepted = inspect.signature(model.forward).parameters
        for argument in _KEEP_ARGUMENTS:
            if argument in accepted:
                logits = model(input_ids=ids, use_cache=False, **{argument: keep}).logits
                return logits[:, -keep:].float()
        if getattr(model.config, "model_type", "") in _HEAD_OVER_DECODER:
            hidden = model.base_model(input_ids=ids, use_cache=False)[0]
            return model.get_output_embeddings()(hidden[:, -keep:]).float()
        return model(input_ids=ids, use_cache=False).logits[:, -keep:].float()


def last_logits_by_labels(model: Any, ids: Tensor, keep: int) -> Tensor:
    """The same of one row, from a loader's shell around another engine (ExLlama_HF and its like): such a shell gives
    the logits of all positions to those who also hand it labels."""
    with torch.inference_mode():
        logits = model(input_ids=ids, labels=ids, use_cache=False).logits[:, -keep:].float()
    for remembered in ("past_seq", "past_seq_negative"):
        if getattr(model, remembered, None) is not None:
            setattr(model, remembered, None)  # it no longer says what the engine's cache holds
    return logits
