"""Training rows: token ids with a loss weight for each, from four kinds of text.

`repeats`    random tokens, parts of which come again: teaches copying
`drill`      many short facts with any words, then many questions: teaches looking up
`questions`  closed-context questions in their full format
`english`    windows of Python's documentation
"""

import functools
import random

import numpy

from demo.train import data, english, guides, tokenizer

#: ids, loss weights, what each id is (0, VALUE or SOURCE; for the log), what single heads should look at
Row = tuple[list[int], list[float], list[int], list[guides.Link]]

PROMPT_WEIGHT = 0.03
VALUE_WEIGHT = 4.0
VALUE, SOURCE = 1, 2


class Rows:
    """Makes rows of at most `length` tokens; all randomness comes from the `rng` given to each call."""

    def __init__(self, pieces: tokenizer.Tokenizer):
        self.pieces = pieces
        self.words = pieces.word_ids()
        train_texts = english.topics()[0] + english.docstrings()
        self.english_ids = numpy.array(
            [i for text in train_texts for i in [tokenizer.BOS_ID, *pieces.encode(text)]], dtype=numpy.int32
        )
        self._tokens = functools.cache(lambda text: len(pieces.encode(text)))
        self.question_links = guides.QuestionLinks(pieces)
        self.from_id = pieces.encode("from")[0]
        self.fixed = {text: pieces.encode(text) for text in ("The", "of", "the", "is", "What")}
        self.stop, self.ask = pieces.encode("a.")[-1:], pieces.encode("a?")[-1:]

    def repeats(self, rng: random.Random, length: int) -> Row:
        half = rng.randint(length // 4, length // 2)
        ids = [rng.randrange(259, len(self.pieces)) for _ in range(half)]
        weights, links = [0.0] * half, []
        while len(ids) < length:
            size = rng.randint(4, 16)
            start = rng.randrange(0, half - 4)
            part = ids[start : min(start + size, half)]
            links += [("repeat", len(ids) + i, start + i + 1) for i in range(len(part) - 1)]
            ids += part
            weights += [0.0] + [1.0] * (len(part) - 1)
        ids, weights = ids[:length], weights[:length]
        return ids, weights, [VALUE if w > 0 else 0 for w in weights], links

    def drill(self, rng: random.Random, length: int) -> Row:
        the, of, lower_the, is_ = (self.fixed[t] for t in ("The", "of", "the", "is"))
        what = self.fixed["What"]
        facts = max(2, min((length - 2) // 20, rng.randint(2, 40)))
        subjects = rng.sample(self.words, facts)
        kinds = rng.sample(self.words, rng.randint(1, 4))
        stated = [(rng.choice(kinds), subject, rng.choice(self.words)) for subject in subjects]
        ids, weights, values, links, stated_at = [tokenizer.BOS_ID], [0.0], [0], [], {}
        for kind, subject, value in stated:
            ids += [*the, kind, *of, *lower_the, subject, *is_, value, *self.stop]
            stated_at[subject] = len(ids) - 2
        weights += [0.02] * (len(ids) - 1)
        values += [0] * (len(ids) - 1)
        while True:
            kind, subject, value = rng.choice(stated)
            question = [*what, *is_, *lower_the, kind, *of, *lower_the, subject, *self.ask]
            answer = [*the, kind, *of, *lower_the, subject, *is_, value, *self.stop]
            if len(ids) + len(question) + len(answer) > length:
                return ids, weights, values, links
            end = len(ids) + len(question) + len(answer)
            links += [
                ("restate", end - 5, len(ids) + len(question) - 2),
                ("look_up", end - 3, stated_at[subject]),
                ("recall", end - 2, stated_at[subject]),
            ]
            ids += question + answer
            weights += [0.0] * len(question) + [0.3] * (len(answer) - 2) + [VALUE_WEIGHT, 0.3]
            values += [0] * (len(question) + len(answer) - 2) + [VALUE, 0]

    def questions(self, rng: random.Random, length: int) -> Row:
        """`length` decides how many facts and fillers go in; a row that comes out too long is made again."""
        fillers_pool = data.filler_sentences()
        room = length - 40
        while True:
            short = length <= 128 or rng.random() < 0.1
            budget = room - (20 if short else 75) - 30
            dense = rng.choice((1.0, 1.0, 0.6, 0.3))
            facts, fillers, used = 1, [], 12
            while used < budget:
                if rng.random() < dense and facts < 180:
                    facts, used = facts + 1, used + 10
                else:
                    fillers.append(rng.choice(fillers_pool))
                    used += self._tokens(fillers[-1])
            hints = rng.random() * 0.9 if rng.random() < 0.5 else 0.0
            question = data.random_question(rng, facts, fillers, hints=hints, short=short)
            row = self._question_row(rng, question)
            if len(row[0]) <= length:
                return row
            room -= 8

    def _question_row(self, rng: random.Random, question: data.Question) -> Row:
        ids = self.pieces.encode(question.prompt, add_special_tokens=rng.random() < 0.85)
        prompt_tokens = len(ids)
        weights = [PROMPT_WEIGHT] * prompt_tokens
        values = [0] * len(ids)
        for i in range(1, len(ids)):
            if ids[i - 1] == self.from_id:
                weights[i] = 1.0
        sentence = question.reply.split("\n")[0]
        value_at = range(sentence.rindex(" "), len(sentence) - 1)
        for piece in self.pieces.pieces.encode(question.reply, return_type="proto").pieces:
            ids.append(piece.id)
            in_value = piece.begin in value_at
            in_source = piece.begin > len(sentence) and question.reply[piece.begin - 1 : piece.begin] == ":"
            in_source = in_source and question.reply[piece.begin] == " "
            weights.append(VALUE_WEIGHT if in_value or in_source else 0.3)
            values.append(VALUE if in_value else SOURCE if in_source else 0)
        links = self.question_links(question, ids, prompt_tokens)
        return [*ids, tokenizer.EOS_ID], [*weights, 0.3], [*values, 0], links

    def english(self, rng: random.Random, length: int) -> Row:
        start = rng.randrange(0, len(self.english_ids) - length)
        ids = self.english_ids[start : start + length].tolist()
        if rng.random() < 0.5:
            ids[0] = tokenizer.BOS_ID
        return ids, [1.0] * len(ids), [0] * len(ids), []
