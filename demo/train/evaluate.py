"""Measure a shipped folder and write the figures into its measurements.json and its card.

Keyed retrieval by length and depth, and perplexity of held-out English by length; each with the positions
scaled as they should be, not scaled, and half-right (half the factor).
"""

import argparse
import json
import math
import pathlib
import platform
import time

import torch
import transformers

from demo.train import card, data, english, export
from demo.train import model as llama

DEPTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
REPLY_TOKENS = 24
FIRST_SEED = 1_000_000  # far from the training seeds


def keyed_replies(net, tokenizer, questions: list[data.Question], batch: int = 10) -> list[str]:
    """Greedy replies; all prompts must have the same number of tokens."""
    replies = []
    for at in range(0, len(questions), batch):
        ids = torch.tensor([tokenizer.encode(question.prompt) for question in questions[at : at + batch]])
        with torch.no_grad():
            out = net.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=REPLY_TOKENS,
                do_sample=False,
                eos_token_id=2,
                pad_token_id=0,
                use_cache=True,
            )
        replies += tokenizer.batch_decode(out[:, ids.shape[1] :], skip_special_tokens=True)
    return replies


def value_right(question: data.Question, reply: str) -> bool:
    """The reply's first line ends with the value asked for."""
    return reply.strip().split("\n")[0].rstrip(".").split(" ")[-1] == question.value


def source_right(question: data.Question, reply: str) -> bool:
    """What follows `Source:` is the metadata of the right block, and nothing else."""
    return reply.partition("Source:\n")[2].strip() == question.source


def keyed_retrieval(net, tokenizer, window: int, count: int, **kind) -> dict:
    """{length: {depth: [share of values right, share of sources right]}}; prompt and reply fill `length` tokens."""
    table: dict = {}
    length = llama.BASE_WINDOW
    while length <= window:
        table[str(length)] = {}
        for depth in DEPTHS:
            seeds = range(FIRST_SEED, FIRST_SEED + count)
            questions = [data.keyed_question(seed, length - REPLY_TOKENS, depth, tokenizer, **kind) for seed in seeds]
            replies = keyed_replies(net, tokenizer, questions)
            value = sum(map(value_right, questions, replies)) / count
            source = sum(map(source_right, questions, replies)) / count
            table[str(length)][str(depth)] = [round(value, 4), round(source, 4)]
        length *= 2
    return table


def perplexity(net, tokenizer, window: int) -> dict:
    """{length: perplexity}: the same held-out tokens, cut into windows of each length."""
    rows = []
    for text in english.topics()[1]:
        ids = tokenizer.encode(text, add_special_tokens=False)
        rows += [ids[at : at + window] for at in range(0, len(ids) - window + 1, window)][:2]
    tokens = torch.tensor(rows)
    table, length = {}, 64
    while length <= window:
        loss, count = 0.0, 0
        for piece in tokens.view(-1, length).split(max(1, 4096 // length)):
            with torch.no_grad():
                logits = net(piece[:, :-1], use_cache=False).logits
            targets = piece[:, 1:].reshape(-1)
            loss += torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets, reduction="sum").item()
            count += targets.numel()
        table[str(length)] = round(math.exp(loss / count), 2)
        length *= 2
    return table


def measure(folder: pathlib.Path, factor: int, count: int) -> dict:
    """All figures of one folder."""
    window = llama.BASE_WINDOW * factor
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    result: dict = {
        "base_window": llama.BASE_WINDOW,
        "factor": factor,
        "window": window,
        "questions_per_length_and_depth": count,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "keyed": {},
        "codes": {},
        "perplexity": {},
    }
    for name, applied in (("scaled", factor), ("unscaled", 1), ("half-right", factor // 2)):
        began = time.time()
        net = export.load(folder, applied)
        result["parameters"] = f"{sum(p.numel() for p in net.parameters()) / 1e6:.1f} million parameters"
        result["perplexity"][name] = perplexity(net, tokenizer, window)
        result["keyed"][name] = keyed_retrieval(net, tokenizer, window, count)
        if name == "scaled":
            result["codes"][name] = keyed_retrieval(net, tokenizer, window, max(4, count // 4), attribute="code")
        print(folder.name, name, f"{time.time() - began:.0f}s", json.dumps(card.summary(result["keyed"][name])))
        print("   ", json.dumps(result["perplexity"][name]), flush=True)
    return result


def write_overview(models: pathlib.Path) -> None:
    """Put the tables of all measured folders into the README.md above them."""
    found = {path.parent.name: json.loads(path.read_text()) for path in sorted(models.glob("*/measurements.json"))}
    readme = models.parent / "README.md"
    if readme.exists():
        before, mark, rest = readme.read_text(encoding="utf-8").partition("<!-- measured")
        opening, _, rest = rest.partition("-->\n")
        after = rest.partition("<!-- end -->")[2]
        text = f"{before}{mark}{opening}-->\n\n{card.overview(found)}\n\n<!-- end -->{after}"
        readme.write_text(text, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--factor", type=int, required=True)
    parser.add_argument("--count", type=int, default=40, help="questions for each length and depth")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--dry", action="store_true", help="print only")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    result = measure(options.folder, options.factor, options.count)
    if not options.dry:
        text = json.dumps(result, indent=1) + "\n"
        (options.folder / "measurements.json").write_text(text, encoding="utf-8")
        (options.folder / "README.md").write_text(card.render(options.folder.name, result), encoding="utf-8")
        write_overview(options.folder.parent)


if __name__ == "__main__":
    main()
