"""A check's result as text: the model cards' table (a row for each context length, a column for each scaling)."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from ..foreign_text import quoted
from .check_result import PASSKEY, QUESTION, CheckResult, ScalingMeasured, scaling_name, shown_perplexity
from .comparing import answers, measured_lengths

KINDS = {PASSKEY: "Pass keys found", QUESTION: "Questions answered"}


def column_names(result: CheckResult) -> list[str]:
    """One for each of ``result.measured``; the first says that the model was loaded so."""
    names = [scaling_name(one.scaling) for one in result.measured]
    return [f"{names[0]} (as loaded)", *names[1:]]


def as_markdown(result: CheckResult) -> str:
    """The whole result, with a line end at its end: verdict, tables, method and notes."""
    parts = [f"# Context check of {quoted(result.model)}", result.verdict.sentence]
    if result.stopped:
        parts.append("The check was stopped: what was measured until then is shown.")
    if any(one.perplexity for one in result.measured):
        parts += ["## Perplexity by context length", perplexity_markdown(result)]
    for kind, title in KINDS.items():
        grids = [one for one in result.measured if _cells(one, kind)]
        if grids:
            parts.append(f"## {title}, by context length and depth")
        for one in grids:
            name = column_names(result)[result.measured.index(one)]
            parts += [
                f"{name[0].upper()}{name[1:]}; depth 0 is the beginning of the prompt:",
                retrieval_markdown(one, kind),
            ]
    loader = f"Loader {quoted(result.loader)}, window {result.window} tokens, {result.seconds:.0f} s."
    text = f" Text: {quoted(result.text_name)}." if result.text_name else ""
    parts += [" ".join(filter(None, [result.method, loader])) + text, *result.notes]
    return "\n\n".join(parts) + "\n"


def perplexity_markdown(result: CheckResult) -> str:
    """A row for each context length, a column for each scaling."""
    lengths = sorted({point.context_tokens for one in result.measured for point in one.perplexity})
    columns = [{point.context_tokens: point.perplexity for point in one.perplexity} for one in result.measured]
    rows = [
        [str(length), *(shown_perplexity(column[length]) if length in column else "" for column in columns)]
        for length in lengths
    ]
    return markdown_table(["context", *column_names(result)], rows)


def retrieval_markdown(measured: ScalingMeasured, kind: str) -> str:
    """A row for each context length, a column for each depth."""
    cells = _cells(measured, kind)
    depths = sorted({depth for _, depth in cells})
    rows = []
    for length in sorted({length for length, _ in cells}):
        found = [cells.get((length, depth)) for depth in depths]
        rows.append([str(length), *(f"{one[0]} of {one[1]}" if one else "" for one in found)])
    return markdown_table(["context", *(f"{depth:g}" for depth in depths)], rows)


def as_csv(result: CheckResult) -> str:
    """A row for each context length; for each scaling its perplexity and the shares of pass keys and answers found."""
    lengths = sorted({length for one in result.measured for length in measured_lengths(one)})
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    heads = ("perplexity", "pass keys found", "questions answered")
    writer.writerow(["context_tokens", *(f"{name}: {head}" for name in column_names(result) for head in heads)])
    for length in lengths:
        row: list[object] = [length]
        for one in result.measured:
            row += [point.perplexity for point in one.perplexity if point.context_tokens == length] or [""]
            for kind in KINDS:
                found = answers(one, (length,), kind)
                row.append(round(found.share, 4) if found.asked else "")
        writer.writerow(row)
    return text.getvalue()


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---:"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cells(measured: ScalingMeasured, kind: str) -> dict[tuple[int, float], tuple[int, int]]:
    return {(one.context_tokens, one.depth): (one.right, one.asked) for one in measured.retrieval if one.kind == kind}
