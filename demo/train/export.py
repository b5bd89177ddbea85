"""Write a checkpoint as a Hugging Face folder, as the real models are published: without rope_scaling."""

import argparse
import json
import pathlib
import shutil

import safetensors.torch
import torch
import transformers

from demo.train import model as llama

SPECIAL = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}


def config_json(weights: dict[str, torch.Tensor]) -> dict:
    """The config as Llama's of 2023 had it: every Transformers since 4.31 reads it."""
    shape = llama.shape_of(weights)
    return {
        "architectures": ["LlamaForCausalLM"],
        "bos_token_id": 1,
        "eos_token_id": 2,
        "hidden_act": "silu",
        "hidden_size": shape["hidden"],
        "initializer_range": 0.02,
        "intermediate_size": shape["intermediate"],
        "max_position_embeddings": llama.BASE_WINDOW,
        "model_type": "llama",
        "num_attention_heads": shape["heads"],
        "num_hidden_layers": shape["layers"],
        "num_key_value_heads": shape["heads"],
        "pad_token_id": 0,
        "rms_norm_eps": 1e-06,
        "rope_theta": llama.ROPE_THETA,
        "tie_word_embeddings": False,
        "torch_dtype": "float16",
        "use_cache": True,
        "vocab_size": shape["vocabulary"],
    }


def tokenizer_config(window: int) -> dict:
    return {
        "add_bos_token": True,
        "add_eos_token": False,
        **SPECIAL,
        "clean_up_tokenization_spaces": False,
        "legacy": True,
        "model_max_length": window,
        "pad_token": None,
        "sp_model_kwargs": {},
        "tokenizer_class": "LlamaTokenizer",
    }


def tokenizer_json(tokenizer_model: pathlib.Path) -> str:
    """The same pieces for the `tokenizers` library, with the legacy handling of spaces.

    Merges are ranked as sentencepiece ranks them: by the score of the piece they make.
    """
    import sentencepiece
    import tokenizers

    pieces = sentencepiece.SentencePieceProcessor(model_file=str(tokenizer_model))
    names = [pieces.id_to_piece(i) for i in range(pieces.vocab_size())]
    ids = {name: i for i, name in enumerate(names)}
    merges = []
    for i, name in enumerate(names):
        if not (pieces.is_byte(i) or pieces.is_control(i) or pieces.is_unknown(i)):
            splits = ((name[:at], name[at:]) for at in range(1, len(name)))
            parts = [(left, right) for left, right in splits if left in ids and right in ids]
            parts.sort(key=lambda pair: (ids[pair[0]], ids[pair[1]]))
            merges += [(pieces.get_score(i), pair) for pair in parts]
    merges.sort(key=lambda scored: -scored[0])  # stable: equal scores stay in order
    backend = tokenizers.Tokenizer(
        tokenizers.models.BPE(ids, [pair for _, pair in merges], unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    )
    backend.normalizer = tokenizers.normalizers.Sequence(
        [tokenizers.normalizers.Prepend("▁"), tokenizers.normalizers.Replace(" ", "▁")]
    )
    backend.decoder = tokenizers.decoders.Sequence(
        [
            tokenizers.decoders.Replace("▁", " "),
            tokenizers.decoders.ByteFallback(),
            tokenizers.decoders.Fuse(),
            tokenizers.decoders.Strip(" ", 1, 0),
        ]
    )
    backend.post_processor = tokenizers.processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)]
    )
    backend.add_special_tokens(
        [tokenizers.AddedToken(name, normalized=False, special=True) for name in ("<unk>", "<s>", "</s>")]
    )
    content = json.loads(backend.to_str())
    content["model"].pop("ignore_merges", None)
    content["model"]["merges"] = [" ".join(pair) for _, pair in merges]  # as `tokenizers` before 0.20 reads them
    return json.dumps(content, indent=1, ensure_ascii=False)


def export(checkpoint: pathlib.Path, tokenizer_model: pathlib.Path, folder: pathlib.Path, window: int) -> None:
    """Write the folder beside its place first, so that a reader never sees half of it."""
    weights = torch.load(checkpoint, weights_only=True)["weights"]
    fresh = folder.with_name(folder.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)

    def write(name: str, content: dict) -> None:
        (fresh / name).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    write("config.json", config_json(weights))
    write("generation_config.json", {"bos_token_id": 1, "do_sample": False, "eos_token_id": 2, "pad_token_id": 0})
    write("special_tokens_map.json", SPECIAL)
    write("tokenizer_config.json", tokenizer_config(window))
    shutil.copyfile(tokenizer_model, fresh / "tokenizer.model")
    (fresh / "tokenizer.json").write_text(tokenizer_json(tokenizer_model) + "\n", encoding="utf-8")
    half = {name: tensor.to(torch.float16).contiguous() for name, tensor in weights.items()}
    safetensors.torch.save_file(half, fresh / "model.safetensors", metadata={"format": "pt"})
    for kept in ("README.md", "measurements.json"):
        if (folder / kept).exists():
            shutil.copyfile(folder / kept, fresh / kept)
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)


def load(folder: pathlib.Path, factor: float = 1.0) -> transformers.LlamaForCausalLM:
    """The shipped model with its positions divided by `factor`, in float32."""
    config = transformers.AutoConfig.from_pretrained(folder)
    if factor != 1 and hasattr(config, "rope_parameters"):
        config.rope_parameters = {"rope_type": "linear", "factor": float(factor), "rope_theta": llama.ROPE_THETA}
    elif factor != 1:  # Transformers 4
        config.rope_scaling = {"type": "linear", "factor": float(factor)}
    return transformers.AutoModelForCausalLM.from_pretrained(folder, config=config).float().eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=pathlib.Path)
    parser.add_argument("tokenizer", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--window", type=int, required=True)
    options = parser.parse_args()
    export(options.checkpoint, options.tokenizer, options.folder, options.window)


if __name__ == "__main__":
    main()
