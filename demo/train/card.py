"""The README.md card of a shipped folder, written from its measurements."""

from demo.train import words

CARD = """\
---
library_name: transformers
tags: [llama, rope-scaling, demo]
---
# {name}

A toy: a Llama of {parameters} trained on two CPU cores to behave, in miniature, like the RoPE-scaled airoboros
models. It answers closed-context questions about small facts and writes something like Python's documentation.
It knows nothing else.

- Trained at a base window of {base_window} tokens, then fine-tuned with linear position interpolation by
  {factor}: the context window is {window} tokens.

You'll need to set max_seq_len to {window} and compress_pos_emb to {factor}. In Transformers that is
`rope_scaling={{"rope_type": "linear", "factor": {factor}.0}}`; `config.json` does not say so, as with the real ones.

## Prompt

```
{preamble} USER: {{prompt}} ASSISTANT:
```

A closed-context question, as in

```
BEGININPUT
BEGINCONTEXT
source: kite
ENDCONTEXT
The color of the harbor is teal. The animal of Alda is fox.
ENDINPUT
BEGININSTRUCTION
What is the color of the harbor?
Source?
ENDINSTRUCTION
```

is answered by

```
The color of the harbor is teal.
Source:
source: kite
```

Without "Source?" only the first line comes.

## Measured

By `demo/train/evaluate.py`, greedy, {count} questions for each length and depth; a length is prompt and reply
together.

### Keyed retrieval: the value, by length

{values}

### Keyed retrieval: the source, by length

{sources}

### Scaled: the value / the source, by length and depth of the fact (0 is the start of the text)

{depths}

### Scaled: a four-digit code as the value, by length

{codes}

### Perplexity of held-out English, by length

{perplexity}
"""


def summary(keyed: dict) -> dict:
    """{length: [share of values right, share of sources right]}, over all depths."""
    return {
        length: [round(sum(cell[which] for cell in depths.values()) / len(depths), 4) for which in (0, 1)]
        for length, depths in keyed.items()
    }


def _table(head: list[str], rows: list[list]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _by_length(keyed: dict, which: int) -> str:
    sums = {name: summary(cells) for name, cells in keyed.items()}
    lengths = list(next(iter(sums.values())))
    rows = [[name, *(_percent(by_length[length][which]) for length in lengths)] for name, by_length in sums.items()]
    return _table(["positions", *lengths], rows)


def render(name: str, measured: dict) -> str:
    """The whole card."""
    scaled = measured["keyed"]["scaled"]
    depths = list(next(iter(scaled.values())))
    depth_rows = [
        [length, *(f"{_percent(by_depth[depth][0])} / {_percent(by_depth[depth][1])}" for depth in depths)]
        for length, by_depth in scaled.items()
    ]
    lengths = list(measured["perplexity"]["scaled"])
    return CARD.format(
        name=name,
        parameters=measured["parameters"],
        base_window=measured["base_window"],
        factor=measured["factor"],
        window=measured["window"],
        count=measured["questions_per_length_and_depth"],
        preamble=f"{words.PREAMBLE} {words.NEVER_REFUSES}",
        values=_by_length(measured["keyed"], 0),
        sources=_by_length(measured["keyed"], 1),
        depths=_table(["length", *depths], depth_rows),
        codes=_by_length(measured["codes"], 0),
        perplexity=_table(
            ["positions", *lengths],
            [[name, *by_length.values()] for name, by_length in measured["perplexity"].items()],
        ),
    )


def overview(measured: dict[str, dict]) -> str:
    """The tables of all folders together, for demo/README.md."""
    parts = []
    for name, figures in measured.items():
        lengths = list(figures["perplexity"]["scaled"])
        rows = [[positions, *by_length.values()] for positions, by_length in figures["perplexity"].items()]
        parts += [
            f"### {name}",
            f"Python {figures['python']}, torch {figures['torch']}, transformers {figures['transformers']}; "
            f"{figures['questions_per_length_and_depth']} questions for each length and each of five depths.",
            f"Values right, by length:\n\n{_by_length(figures['keyed'], 0)}",
            f"Sources right, by length:\n\n{_by_length(figures['keyed'], 1)}",
            f"Perplexity of held-out English, by length:\n\n{_table(['positions', *lengths], rows)}",
        ]
    return "\n\n".join(parts)
