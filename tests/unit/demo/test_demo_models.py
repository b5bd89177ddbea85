"""The shipped folders: what is in them, and that they do in miniature what the real models do."""

import json
import pathlib

import pytest

from demo.train import data

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("safetensors")

from demo.train import evaluate, export  # noqa: E402

MODELS = pathlib.Path(__file__).resolve().parents[3] / "demo" / "models"
FOLDERS = {"airoboros-tiny-1.4.1-PI-1024": 4, "airoboros-tiny-1.4.1-lxctx-PI-2048": 8}

pytestmark = pytest.mark.parametrize("name", FOLDERS)


@pytest.fixture(scope="module")
def loaded():
    """{(name, factor): model}, each loaded once."""
    return {}


def share_right(loaded, name, factor, length, count=20):
    folder = MODELS / name
    if (name, factor) not in loaded:
        loaded[name, factor] = export.load(folder, factor)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    prompt_tokens = length - evaluate.REPLY_TOKENS
    questions = [data.keyed_question(seed, prompt_tokens, seed % 5 / 4, tokenizer) for seed in range(count)]
    replies = evaluate.keyed_replies(loaded[name, factor], tokenizer, questions)
    return sum(map(evaluate.value_right, questions, replies)) / count


def test_config_is_a_plain_llama_without_scaling(name):
    config = json.loads((MODELS / name / "config.json").read_text(encoding="utf-8"))
    assert config["model_type"] == "llama"
    assert config["architectures"] == ["LlamaForCausalLM"]
    assert not {"rope_scaling", "rope_parameters"} & config.keys()
    assert config["max_position_embeddings"] == 256
    assert config["hidden_size"] % 128 == config["intermediate_size"] % 128 == 0


def test_folder_is_small_and_whole(name):
    folder = MODELS / name
    needed = {"config.json", "generation_config.json", "model.safetensors", "README.md", "measurements.json"}
    needed |= {"tokenizer.model", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"}
    assert needed <= {path.name for path in folder.iterdir()}
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 16 * 1024 * 1024


def test_card_states_window_and_factor(name):
    factor = FOLDERS[name]
    card = (MODELS / name / "README.md").read_text(encoding="utf-8")
    assert f"You'll need to set max_seq_len to {256 * factor} and compress_pos_emb to {factor}." in card


def test_measured_figures_meet_what_was_asked(name):
    factor = FOLDERS[name]
    measured = json.loads((MODELS / name / "measurements.json").read_text(encoding="utf-8"))
    for length in ("256", "512", "1024"):  # one, two and four base windows
        by_depth = measured["keyed"]["scaled"][length]
        assert sum(value for value, _ in by_depth.values()) / len(by_depth) >= 0.95
    far = [value for value, _ in measured["keyed"]["unscaled"]["1024"].values()]
    assert sum(far) / len(far) <= 0.25
    scaled, unscaled = measured["perplexity"]["scaled"], measured["perplexity"]["unscaled"]
    assert unscaled[str(256 * factor)] >= 3 * scaled[str(256 * factor)]


def test_same_ids_as_sentencepiece(name):
    sentencepiece = pytest.importorskip("sentencepiece")
    folder = MODELS / name
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    question = data.keyed_question(1, 600, 0.5, tokenizer)
    for text in (question.prompt, question.message, question.reply, "a  b\n\n\nc ", "USER: x ASSISTANT: ", "漢 🙂 é"):
        assert tokenizer.encode(text, add_special_tokens=False) == pieces.encode(text)
        assert tokenizer.encode(text) == [1, *pieces.encode(text)]


def test_scaled_finds_the_fact_at_one_and_four_base_windows(loaded, name):
    for length in (256, 1024):
        assert share_right(loaded, name, FOLDERS[name], length) >= 0.9


def test_unscaled_fails_without_an_error(loaded, name):
    assert share_right(loaded, name, 1, 1024) <= 0.3
