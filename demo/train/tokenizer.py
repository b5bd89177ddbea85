"""Train the sentencepiece tokenizer the way Llama's was, and the files Transformers wants beside it."""

import argparse
import io
import pathlib
import random

import sentencepiece

from demo.train import data, english, words

VOCABULARY_SIZE = 2048
BOS_ID, EOS_ID = 1, 2


class Tokenizer:
    """sentencepiece behind the one call of a Transformers tokenizer that `data` needs."""

    def __init__(self, path: pathlib.Path | str):
        self.pieces = sentencepiece.SentencePieceProcessor(model_file=str(path))

    def __len__(self) -> int:
        return self.pieces.vocab_size()

    def encode(self, text: str, add_special_tokens: bool = False) -> list[int]:
        ids = self.pieces.encode(text)
        return [BOS_ID, *ids] if add_special_tokens else ids

    def decode(self, ids: list[int]) -> str:
        return self.pieces.decode(ids)

    def word_ids(self) -> list[int]:
        """Ids of pieces that are a whole word of letters with its leading space."""
        found = []
        for i in range(len(self)):
            piece = self.pieces.id_to_piece(i)
            if len(piece) > 3 and piece[0] == "▁" and piece[1:].isalpha() and piece.isascii() is False:
                found.append(i)
        return found


def training_lines(seed: int = 1) -> list[str]:
    """Lines in which the template's words and the word lists are frequent, and English."""
    rng = random.Random(seed)
    train_topics, _ = english.topics()
    lines = [line.strip() for text in train_topics + english.docstrings() for line in text.split("\n") if line.strip()]
    every = words.NOUNS + words.NAMES + words.SOURCES + [v for values in words.VALUES.values() for v in values]
    for _ in range(400):
        rng.shuffle(every)
        lines += [" ".join(every[i : i + 12]) for i in range(0, len(every), 12)]
    for _ in range(1500):
        question = data.random_question(rng, facts=4)
        # No line break reaches the trainer; a digit is also a piece of its own, so what follows one is
        # learned as it stands after a line break: without a leading space.
        lines.append((question.prompt + question.reply).replace("\n", "0"))
    return lines


def train(folder: pathlib.Path) -> None:
    """Write tokenizer.model into `folder`."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(training_lines()),
        model_writer=model,
        model_type="bpe",
        vocab_size=VOCABULARY_SIZE,
        byte_fallback=True,
        split_digits=True,
        add_dummy_prefix=True,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        allow_whitespace_only_pieces=True,
        character_coverage=0.99995,
        unk_id=0,
        bos_id=BOS_ID,
        eos_id=EOS_ID,
        pad_id=-1,
        num_threads=1,
        minloglevel=1,
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.model").write_bytes(model.getvalue())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    train(parser.parse_args().folder)
