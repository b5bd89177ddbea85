"""What the panel shows of the check that runs, and of the last result."""

from __future__ import annotations

import threading
from typing import Any

from ...core.checking.check_result import CheckResult
from ...core.checking.result_file import as_json
from ...core.checking.tables import as_csv, as_markdown
from ...core.errors import AiroborosLongctxError
from ...core.foreign_text import quoted
from ..documents.messages import note_html, said_html, sentence_of
from .result_html import progress_html, result_html
from .running import CheckRuns

_SOMEBODY_ELSES = "A check is running; somebody else started it. Its result will be shown here too."
_NOBODYS = "The page that started this check is gone, so anybody may stop it. Its result will be shown here too."


class CheckView:
    """``shown`` gives [Start, Stop, progress, result, number of the result]; what has not changed is left alone, so
    that nothing closes or jumps under a reader's eyes."""

    def __init__(self, runs: CheckRuns) -> None:
        self._runs = runs
        self._lock = threading.Lock()
        self._drawn: tuple[int, str] = (-1, "")

    def on_look(self, owner: str, shown: int) -> list[Any]:
        self._runs.looked(owner)
        return self.shown(owner, shown)

    def shown(self, owner: str, shown: int, refused: str = "") -> list[Any]:
        """``refused`` says why the check that was asked for did not start."""
        import gradio as gr

        try:
            state = self._runs.state()
            words, result, number = said_html(refused or state.said, True), gr.update(), shown
            if state.running:
                mine = self._runs.may_stop(owner)
                words = (said_html(refused, True) if refused else "") + progress_html(state.progress)
                if self._runs.several_people and not self._runs.is_of(owner):
                    words += note_html(_NOBODYS if mine else _SOMEBODY_ELSES)
                result, number = ("", -1) if shown != -1 else (gr.update(), -1)
                return [gr.update(visible=False), gr.update(visible=mine), words, result, number]
            if state.number != shown:
                result, number = self._result(state.number, state.result), state.number
        except Exception as error:
            words = said_html(sentence_of(error, "The check cannot be shown"), True)
            result, number = gr.update(), shown
        return [gr.update(visible=True), gr.update(visible=False), words, result, number]

    def _result(self, number: int, result: CheckResult | None) -> str:
        """The result as HTML, drawn once for all pages."""
        if result is None:
            return ""
        with self._lock:
            if self._drawn[0] != number:
                self._drawn = (number, drawn_result(result))
            return self._drawn[1]


def drawn_result(result: CheckResult) -> str:
    """The result with its plots; without them where they cannot be drawn, and a sentence says why."""
    tables = {"table.md": as_markdown(result), "table.csv": as_csv(result), "result.json": as_json(result)}
    files = {name: text.encode("utf-8", "replace") for name, text in tables.items()}
    try:
        from ...plots.drawing import DARK
        from ...plots.files import plot_files, plot_svgs

        drawn, dark = plot_files(result), plot_svgs(result, DARK)
    except AiroborosLongctxError as error:
        return result_html(result, {}, {}, files, [str(error)])
    except Exception as error:  # a release of matplotlib that nobody tried
        sentence = f"The plots could not be drawn: {type(error).__name__}: {quoted(error)}."
        return result_html(result, {}, {}, files, [sentence])
    return result_html(result, {name: drawn[name] for name in dark}, dark, {**files, **drawn})
