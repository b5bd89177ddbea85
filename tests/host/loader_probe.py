"""More commands for the probe extension: the webui's arguments, what its loaders hold, what its Model tab chooses."""

import contextlib
import runpy
from pathlib import Path


def _exllama():
    """What ExLlama was told, and the factors that reproduce its tables bit for bit."""
    import torch
    from modules import shared

    model = getattr(shared.model, "ex_model", None) or shared.model.model
    config, layers = model.config, model.layers
    sin, cos = layers[0].self_attn.sin, layers[0].self_attn.cos
    length, head_dim = sin.shape[-2], sin.shape[-1]
    frequencies = 1.0 / (config.rotary_embedding_base ** (torch.arange(0, head_dim, 2).float() / head_dim))
    reproduced = []
    for factor in (1, 2, 4, 8):
        angles = torch.outer(torch.arange(length).float() / factor, frequencies).repeat(1, 2)
        if torch.equal(sin[0, 0], angles.sin().half()) and torch.equal(cos[0, 0], angles.cos().half()):
            reproduced.append(factor)
    return {
        "max_seq_len": config.max_seq_len,
        "compress_pos_emb": config.compress_pos_emb,
        "table_length": length,
        "factors": reproduced,
        "tables": len({id(layer.self_attn.sin) for layer in layers}),
        "class": type(shared.model).__name__,
        "device": str(sin.device),
    }


def _exllama_file():
    """The weight file that ExLlama's model was built from, and its rotary base."""
    from modules import shared

    model = getattr(shared.model, "ex_model", None) or shared.model.model
    return {"file": Path(model.config.model_path).name, "base": model.config.rotary_embedding_base}


def _attention():
    """The class of the attention that AutoGPTQ left in the model, and its rotary embedding."""
    from modules import shared

    attention = shared.model.model.model.layers[0].self_attn
    return {"attention": type(attention).__name__, "rotary": type(attention.rotary_emb).__name__}


@contextlib.contextmanager
def _as_with_a_gpu():
    import torch
    from modules import shared

    available, cpu = torch.cuda.is_available, shared.args.cpu
    torch.cuda.is_available, shared.args.cpu = (lambda: True), False
    try:
        yield
    finally:
        torch.cuda.is_available, shared.args.cpu = available, cpu


def _model_tab():
    """The loader that the Model tab ends up with for every model when ExLlama stuck there, without and with a GPU."""
    from modules import models_settings, shared

    def chosen(name):
        state = {"loader": "ExLlama", "max_seq_len": 2048, "compress_pos_emb": 1, "truncation_length": 2048}
        return models_settings.apply_model_settings_to_state(name, state)

    names = sorted(path.name for path in Path(shared.args.model_dir).iterdir() if path.is_dir())
    answer = {"without": {name: chosen(name) for name in names}}
    with _as_with_a_gpu():
        answer["with"] = {name: chosen(name) for name in names}
    return answer


def _arguments():
    """The webui's arguments as they are now."""
    from modules import shared

    plain = (str, int, float, bool, type(None))
    return {name: value for name, value in vars(shared.args).items() if isinstance(value, plain)}


def _llama_context():
    """What the context of llama.cpp's Python binding was really made with."""
    from modules import shared

    parameters = getattr(shared.model.model, "context_params", None) or shared.model.model.params
    return {"n_ctx": parameters.n_ctx, "rope_freq_scale": parameters.rope_freq_scale}


COMMANDS = {
    "arguments": _arguments,
    "attention": _attention,
    "exllama": _exllama,
    "exllama_file": _exllama_file,
    "llama_context": _llama_context,
    "model_tab": _model_tab,
    **runpy.run_path(str(Path(__file__).with_name("prefix_probe.py")))["COMMANDS"],
}
