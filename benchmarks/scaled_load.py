"""A model scaled by us, against Transformers' own linear scaling and against the patch of 2023: speed, memory, result.

Tokens per second and perplexity are of the same loaded models in turn. The memory of a way is what its loaded model
keeps beside its weights after a pass over the whole window.
"""

from __future__ import annotations

import functools
import gc
import math
import statistics
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .corpus import english
from .document_turn import SHIPPED_MODEL
from .measuring import in_turn, row, seconds_of
from .random_llama import make_random_llama
from .rows import Options, Row

NAME = "scaled-load"
NATIVE, OF_2023 = "Transformers' own linear scaling", "the patch of 2023"
_FACTOR = 4
_CARD = "A test of speed. Set max_seq_len to {window} and compress_pos_emb to {factor}.\n"


class _Model:
    """A folder whose card asks for linear scaling by ``_FACTOR``, and three ways to load it."""

    def __init__(self, name: str, folder: Path, window: int) -> None:
        from transformers import AutoTokenizer

        self.name, self.folder, self.window = name, folder, window
        tokenizer: Any = AutoTokenizer.from_pretrained(str(folder))
        self._tokens = tokenizer(english(window * 40), return_tensors="pt")["input_ids"]

    def tokens(self, piece: int) -> Any:
        """A text as long as the window: token ids of shape ``(1, window)``."""
        return self._tokens[:, piece * self.window : (piece + 1) * self.window]

    def ours(self) -> Any:
        from extensions.airoboros_longctx.workbench import Workbench

        with tempfile.TemporaryDirectory() as data:
            workbench = Workbench(Path(data), {"prefix_cache": False})  # what kept prompts save has rows of its own
            workbench.load(str(self.folder))
            status = workbench.service.status()
            if status.plan is None or status.plan.factor != _FACTOR:
                raise AssertionError(f"{self.name} was not scaled as its card says: {status.headline}")
            return workbench.host.loaded_model().model  # type: ignore[union-attr]

    def native(self) -> Any:
        return self._load({"rope_type": "linear", "factor": float(_FACTOR)})

    def of_2023(self) -> Any:
        from .patch_of_2023 import patch_as_in_2023

        model = self._load({"rope_type": "default"})
        patch_as_in_2023(model, _FACTOR, self.window)
        return model

    def _load(self, scaling: dict[str, Any]) -> Any:
        import torch
        from transformers import AutoConfig, AutoModelForCausalLM

        config: Any = AutoConfig.from_pretrained(str(self.folder))
        config.rope_parameters = {"rope_theta": config.rope_parameters["rope_theta"], **scaling}
        model: Any = AutoModelForCausalLM.from_pretrained(str(self.folder), config=config, dtype=torch.float32)
        return model.eval()


def rows(options: Options) -> Iterator[Row]:
    shipped = _Model("shipped model", SHIPPED_MODEL, 1024)
    yield from _speeds(shipped, options)
    if not options.quick:
        with tempfile.TemporaryDirectory() as folder:
            card = _CARD.format(window=2048, factor=_FACTOR)
            random = make_random_llama(Path(folder) / "random-llama", 2048 // _FACTOR, card)
            yield from _speeds(_Model("random Llama of 28 M", random, 2048), options)
    yield from _perplexities(shipped, options)
    yield _memory(shipped, options)


def _speeds(model: _Model, options: Options) -> Iterator[Row]:
    """Greedy replies behind half of the window, in the processor's time."""
    prompt, new_tokens = model.tokens(0)[:, : model.window // 2], 8 if options.quick else 64
    ours = _reply(model.ours(), prompt, new_tokens)
    for against, load in ((NATIVE, model.native), (OF_2023, model.of_2023)):
        theirs = _reply(load(), prompt, new_tokens)
        for reply in (ours, theirs):
            reply()  # what is slow at first alone is not measured
        ways = functools.partial(seconds_of, ours), functools.partial(seconds_of, theirs)
        own, other = in_turn(*ways, options.pairs(7))
        ratios = [there / here for here, there in zip(own, other, strict=True)]
        measured = f"{new_tokens / statistics.median(own):.1f}, {new_tokens / statistics.median(other):.1f} tokens/s"
        yield row(f"{model.name}: tokens per second", against, ratios, at_least=0.98, measured=measured)


def _reply(model: Any, prompt: Any, new_tokens: int) -> Callable[[], object]:
    import torch

    lengths = {"max_new_tokens": new_tokens, "min_new_tokens": new_tokens}
    return lambda: model.generate(prompt, attention_mask=torch.ones_like(prompt), do_sample=False, **lengths)


def _perplexities(model: _Model, options: Options) -> Iterator[Row]:
    """Of texts that fill the window, a pair for each."""
    ours, pieces = model.ours(), range(options.pairs())
    for against, load in ((NATIVE, model.native), (OF_2023, model.of_2023)):
        theirs = load()
        pairs = [(_perplexity(ours, model.tokens(piece)), _perplexity(theirs, model.tokens(piece))) for piece in pieces]
        ratios = [own / other for own, other in pairs]
        measured = f"{pairs[0][0]:.9g}, {pairs[0][1]:.9g} in the first text"
        yield row(f"{model.name}: perplexity", against, ratios, exactly=1.0, measured=measured)


def _perplexity(model: Any, tokens: Any) -> float:
    import torch

    with torch.no_grad():
        logits = model(tokens[:, :-1], use_cache=False).logits
        return math.exp(torch.nn.functional.cross_entropy(logits[0], tokens[0, 1:]).item())


def _memory(model: _Model, options: Options) -> Row:
    own, other = in_turn(
        lambda: float(_bytes_beside_the_weights(model.ours, model)),
        lambda: float(_bytes_beside_the_weights(model.of_2023, model)),
        options.pairs(),
    )
    layers = model.ours().config.num_hidden_layers
    return row(
        f"{model.name}: memory of the tables, {layers} layers",
        OF_2023,
        [here / there for here, there in zip(own, other, strict=True)],
        at_most=1 / layers,
        measured=f"{own[0]:,.0f}, {other[0]:,.0f} bytes",
    )


def _bytes_beside_the_weights(load: Callable[[], Any], model: _Model) -> int:
    """Of all tensors that live when the model has been loaded and run, and did not before."""
    before = _living()
    loaded = load()
    _perplexity(loaded, model.tokens(0))
    weights = {parameter.untyped_storage().data_ptr() for parameter in loaded.parameters()}
    return sum(size for place, size in _living().items() if place not in before and place not in weights)


def _living() -> dict[int, int]:
    """The bytes of every storage of a tensor that is alive, by its address."""
    import torch

    gc.collect()
    tensors = [found for found in gc.get_objects() if issubclass(type(found), torch.Tensor)]
    storages = [tensor.untyped_storage() for tensor in tensors if tensor.device.type != "meta"]
    return {storage.data_ptr(): storage.nbytes() for storage in storages}
