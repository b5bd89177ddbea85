"""Train the base model, then stretch it: `python -m demo.train.train base` and `... train stretch --factor 4`.

Everything random comes from --seed. A run writes `checkpoint.pt` beside its log; --resume goes on from there.
"""

import argparse
import pathlib
import random
import time
from dataclasses import dataclass

import torch

from demo.train import guides, rows, tokenizer
from demo.train import model as llama


@dataclass(frozen=True)
class Stage:
    """Batches of `batch_tokens` in rows of `lengths` tokens, until `kind` reaches `accuracy` or `steps` are up."""

    name: str
    steps: int
    lengths: tuple[int, ...]
    mixture: dict[str, float]
    kind: str = "questions"
    accuracy: float = 2.0
    batch_tokens: int = 8192
    guided: float = 0.0  # weight of the attention loss of `guides`
    decay_from: float = 1.0  # share of the steps after which the learning rate falls, to a twentieth


BASE_STAGES = (
    Stage("copy", 4000, (64,), {"repeats": 0.5, "drill": 0.5}, "drill", 0.9, 4096, guided=0.5),
    Stage(
        "look-up",
        2500,
        (128,),
        {"repeats": 0.1, "drill": 0.3, "questions": 0.45, "english": 0.15},
        "questions",
        0.93,
        guided=0.3,
    ),
    Stage("full", 1500, (256,), {"drill": 0.1, "questions": 0.6, "english": 0.3}, guided=0.1, decay_from=0.6),
)


def stretch_stages(factor: int, steps: int) -> tuple[Stage, ...]:
    """First the guides show the heads their places at the new distances, in short rows; then all lengths."""
    lengths = tuple(llama.BASE_WINDOW * 2**n for n in range(factor.bit_length()))
    return (
        Stage("find again", 600, (128, 256), {"drill": 0.4, "questions": 0.6}, "questions", 0.9, 4096, guided=0.5),
        Stage("stretch", steps, lengths, {"drill": 0.05, "questions": 0.65, "english": 0.3}, decay_from=0.3),
    )


def make_batch(rng: random.Random, maker: rows.Rows, stage: Stage):
    """Ids, loss weights and marks (0, VALUE, SOURCE), each (rows, length), and the kind and the links of each row."""
    length = rng.choice(stage.lengths)
    kinds = rng.choices(list(stage.mixture), weights=list(stage.mixture.values()), k=stage.batch_tokens // length)
    ids = torch.zeros(len(kinds), length, dtype=torch.long)
    weights = torch.zeros(len(kinds), length)
    marks = torch.zeros(len(kinds), length, dtype=torch.uint8)
    links = []
    for i, kind in enumerate(kinds):
        row, row_weights, row_marks, row_links = getattr(maker, kind)(rng, length)
        ids[i, : len(row)] = torch.tensor(row)
        weights[i, : len(row)] = torch.tensor(row_weights)
        marks[i, : len(row)] = torch.tensor(row_marks)
        links.append(row_links)
    return ids, weights, marks, kinds, links


def batch_loss(net, ids: torch.Tensor, weights: torch.Tensor, marks: torch.Tensor, attentions: bool):
    """Weighted mean cross-entropy; the row, mark and rightness of each marked token; the attentions if wanted."""
    output = net.model(input_ids=ids[:, :-1], output_attentions=attentions)
    hidden = output.last_hidden_state
    chosen = weights[:, 1:] > 0
    logits = net.lm_head(hidden[chosen]).float()
    targets, kept = ids[:, 1:][chosen], weights[:, 1:][chosen]
    losses = torch.nn.functional.cross_entropy(logits, targets, reduction="none")
    marks = marks[:, 1:][chosen]
    marked = marks > 0
    which_row = chosen.nonzero()[:, 0]
    right = logits.detach().argmax(-1) == targets
    return (losses * kept).sum() / kept.sum(), (which_row[marked], marks[marked], right[marked]), output.attentions


class Run:
    """One training run: the model, its optimiser and how far it has come."""

    def __init__(self, folder: pathlib.Path, net, maker: rows.Rows, seed: int, rate: float, autocast: bool):
        self.folder, self.net, self.maker, self.seed, self.rate = folder, net, maker, seed, rate
        self.autocast = autocast
        self.optimizer = torch.optim.AdamW(net.parameters(), lr=rate, betas=(0.9, 0.98), weight_decay=0.01)
        self.stage, self.step, self.total = 0, 0, 0
        self.scores: dict[str, float] = {}

    def save(self) -> None:
        state = {
            "weights": self.net.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "position": [self.stage, self.step, self.total],
            "scores": self.scores,
        }
        torch.save(state, self.folder / "checkpoint.tmp")
        (self.folder / "checkpoint.tmp").replace(self.folder / "checkpoint.pt")

    def load(self) -> None:
        state = torch.load(self.folder / "checkpoint.pt", weights_only=True)
        self.net.load_state_dict(state["weights"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.stage, self.step, self.total = state["position"]
        self.scores = state["scores"]

    def _learning_rate(self, stage: Stage) -> float:
        share = self.step / stage.steps
        fall = 1.0 if share < stage.decay_from else 1 - 0.95 * (share - stage.decay_from) / (1 - stage.decay_from)
        return self.rate * min(1.0, (self.total + 1) / 100) * fall

    def one_step(self, stage: Stage) -> float:
        rng = random.Random(f"{self.seed} {stage.name} {self.step}")
        ids, weights, marks, kinds, links = make_batch(rng, self.maker, stage)
        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate(stage)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.autocast):
            loss, seen_marks, attentions = batch_loss(self.net, ids, weights, marks, stage.guided > 0)
        total = loss
        if stage.guided:
            guide_loss, seen = guides.attention_loss(attentions, links)
            total = loss + stage.guided * guide_loss
            for name, paid in seen.items():
                self.scores[name] = 0.95 * self.scores.get(name, 0.0) + 0.05 * paid
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimizer.step()
        self._note(kinds, *seen_marks)
        return loss.item()

    def _note(self, kinds: list[str], row: torch.Tensor, mark: torch.Tensor, right: torch.Tensor) -> None:
        """Running share of values right for each kind of row, and of sources."""
        names = [
            kinds[i] if what == rows.VALUE else "source" for i, what in zip(row.tolist(), mark.tolist(), strict=False)
        ]
        for name in set(names):
            now = right[torch.tensor([other == name for other in names])].float().mean().item()
            self.scores[name] = 0.95 * self.scores.get(name, 0.0) + 0.05 * now

    def go(self, stages: tuple[Stage, ...], save_every: int = 100) -> None:
        began = time.time()
        while self.stage < len(stages):
            stage = stages[self.stage]
            self.net.set_attn_implementation("eager" if stage.guided else "sdpa")
            while self.step < stage.steps and self.scores.get(stage.kind, 0.0) < stage.accuracy:
                loss = self.one_step(stage)
                self.step, self.total = self.step + 1, self.total + 1
                if self.total % 20 == 0:
                    scores = " ".join(f"{kind} {score:.2f}" for kind, score in sorted(self.scores.items()))
                    line = (
                        f"{stage.name} {self.step} ({self.total}) {time.time() - began:.0f}s loss {loss:.3f} {scores}"
                    )
                    with (self.folder / "log.txt").open("a") as log:
                        print(line, file=log)
                if self.total % save_every == 0:
                    self.save()
            self.stage, self.step = self.stage + 1, 0
            self.save()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("base", "stretch"))
    parser.add_argument("--run", type=pathlib.Path, required=True, help="folder for checkpoint and log")
    parser.add_argument("--tokenizer", type=pathlib.Path, required=True, help="tokenizer.model")
    parser.add_argument("--start", type=pathlib.Path, help="checkpoint.pt of the base run, to stretch")
    parser.add_argument("--factor", type=int, default=4)
    parser.add_argument("--steps", type=int, default=500, help="steps of a stretch")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--shape", default="128,4,4,384", help="hidden,layers,heads,intermediate")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--autocast", action="store_true", help="bfloat16 matrix products")
    parser.add_argument("--resume", action="store_true")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    options.run.mkdir(parents=True, exist_ok=True)
    pieces = tokenizer.Tokenizer(options.tokenizer)
    factor = options.factor if options.what == "stretch" else 1
    if options.start:
        weights = torch.load(options.start, weights_only=True)["weights"]
        net = llama.create_llama(factor=factor, **llama.shape_of(weights))
        net.load_state_dict(weights)
    else:
        hidden, layers, heads, intermediate = map(int, options.shape.split(","))
        net = llama.create_llama(len(pieces), factor, hidden, layers, heads, intermediate)
    run = Run(options.run, net, rows.Rows(pieces), options.seed, options.rate, options.autocast)
    if options.resume and (options.run / "checkpoint.pt").exists():
        run.load()
    run.go(BASE_STAGES if options.what == "base" else stretch_stages(factor, options.steps))


if __name__ == "__main__":
    main()
