"""A check on the page, as HTML: its progress, and its result in words, plots, tables and files. All text is escaped."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence

from ...core.checking.check_result import (
    OTHER_FACTOR,
    PASSKEY,
    RIGHT,
    SHORT,
    UNCLEAR,
    CheckProgress,
    CheckResult,
    RetrievalCell,
    shown_perplexity,
)
from ...core.checking.pace import spoken_time
from ...core.checking.tables import column_names
from ...core.foreign_text import quoted

#: What the page's script looks for: while it is there, the page asks for the progress again.
RUNNING = 'data-airoboros-longctx-check="running"'
_MARKS = {RIGHT: "✔", OTHER_FACTOR: "✘", SHORT: "!", UNCLEAR: "?"}
_KINDS = {PASSKEY: "Passkeys found again", "question": "Questions about a document answered right"}
_TYPES = {
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".md": "text/markdown",
    ".csv": "text/csv",
    ".json": "application/json",
}
_PLOTS = {
    "perplexity.svg": "Perplexity by context length; the numbers are in the table below.",
    "retrieval.svg": "Shares of right answers by depth and length; the numbers are in the table below.",
}


def progress_html(progress: CheckProgress | None) -> str:
    """A bar with what is being done and the time that is left."""
    share, doing, left = 0.0, "Getting ready", ""
    if progress is not None:
        share, doing = min(1.0, max(0.0, progress.share)), progress.doing
        left = f" · about {spoken_time(progress.seconds_left)} left" if progress.seconds_left is not None else ""
    return (
        f'<div class="airoboros-longctx-check-progress" {RUNNING}>'
        f'<progress max="1" value="{share:.4f}" aria-label="Progress of the check"></progress>'
        f"<p>{share:.0%}{left} · {html.escape(quoted(doing, 120))}</p></div>"
    )


def result_html(
    result: CheckResult,
    light: Mapping[str, bytes],
    dark: Mapping[str, bytes],
    files: Mapping[str, bytes],
    notes: Sequence[str] = (),
) -> str:
    """By file name: ``light`` and ``dark`` are the plots, ``files`` all that can be downloaded."""
    verdict, escape = result.verdict, html.escape
    facts = [quoted(result.model, 80), quoted(result.loader, 40), str(result.measured[0].scaling)]
    facts += [f"window {result.window} tokens", f"text: {quoted(result.text_name, 80)}" if result.text_name else ""]
    facts += [f"{'stopped after' if result.stopped else 'took'} {spoken_time(result.seconds)}"]
    notes = [*result.notes, *notes]
    return "".join(
        [
            '<div class="airoboros-longctx-check-result">',
            f'<p class="airoboros-longctx-check-verdict {escape(verdict.kind.replace("_", "-"))}" role="status">',
            f'<span aria-hidden="true">{_MARKS.get(verdict.kind, "?")}</span> {escape(verdict.sentence)}</p>',
            f'<p class="airoboros-longctx-note">{escape(" · ".join(filter(None, facts)))}</p>',
            *(f'<p class="airoboros-longctx-note">{escape(note)}</p>' for note in notes),
            '<div class="airoboros-longctx-check-plots">',
            *(_plot(name, light[name], dark.get(name, light[name])) for name in light),
            "</div>",
            f"<details><summary>All numbers</summary>{tables_html(result)}",
            f'<p class="airoboros-longctx-note">{escape(result.method)}</p></details>',
            f'<p class="airoboros-longctx-check-files">Download: {" ".join(map(_link, files.items()))}</p></div>',
        ]
    )


def _data(name: str, content: bytes) -> str:
    suffix = name[name.rindex(".") :]
    return f"data:{_TYPES[suffix]};base64,{base64.b64encode(content).decode()}"


def _plot(name: str, light: bytes, dark: bytes) -> str:
    words = html.escape(_PLOTS.get(name, name))
    images = (
        f'<img class="airoboros-longctx-check-{theme}" alt="{words}" src="{_data(name, content)}">'
        for theme, content in (("light", light), ("dark", dark))
    )
    return f'<div class="airoboros-longctx-check-plot">{"".join(images)}</div>'


def _link(file: tuple[str, bytes]) -> str:
    """The file in its own link: nothing of it is left in a folder that the server serves."""
    name, content = file
    shown = html.escape(name)
    return f'<a download="airoboros_longctx-{shown}" href="{_data(name, content)}">{shown}</a>'


def tables_html(result: CheckResult) -> str:
    """Perplexity by length, and for each kind of question and each scaling the right answers by depth and length."""
    tables = [_perplexity_table(result)] if any(one.perplexity for one in result.measured) else []
    for scaled in result.measured:
        for kind in dict.fromkeys(cell.kind for cell in scaled.retrieval):
            cells = [cell for cell in scaled.retrieval if cell.kind == kind]
            tables.append(_retrieval_table(f"{_KINDS.get(kind, quoted(kind, 40))}, {scaled.scaling}", cells))
    return "".join(tables)


def _perplexity_table(result: CheckResult) -> str:
    measured = {name: one for name, one in zip(column_names(result), result.measured, strict=True) if one.perplexity}
    lengths = sorted({point.context_tokens for one in measured.values() for point in one.perplexity})
    found = [
        {point.context_tokens: shown_perplexity(point.perplexity) for point in one.perplexity}
        for one in measured.values()
    ]
    rows = [[str(length), *(column.get(length, "") for column in found)] for length in lengths]
    return _table("Perplexity", ["Context (tokens)", *measured], rows)


def _retrieval_table(caption: str, cells: Sequence[RetrievalCell]) -> str:
    lengths = sorted({cell.context_tokens for cell in cells})
    found = {(cell.depth, cell.context_tokens): f"{cell.right} of {cell.asked}" for cell in cells}
    depths = sorted({cell.depth for cell in cells})
    rows = [[f"{depth:.0%}", *(found.get((depth, length), "") for length in lengths)] for depth in depths]
    return _table(caption, ["Depth", *(f"{length} tokens" for length in lengths)], rows)


def _table(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    cells = "".join(f'<th scope="col">{html.escape(one)}</th>' for one in head)
    lines = "".join(
        f'<tr><th scope="row">{html.escape(first)}</th>{"".join(f"<td>{html.escape(one)}</td>" for one in rest)}</tr>'
        for first, *rest in rows
    )
    return (
        f'<div class="airoboros-longctx-check-table"><table><caption>{html.escape(caption)}</caption>'
        f"<thead><tr>{cells}</tr></thead><tbody>{lines}</tbody></table></div>"
    )
