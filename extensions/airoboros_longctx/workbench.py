"""The workbench: chat with a local model folder without a webui, with the same service and panels."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from .core.errors import AiroborosLongctxError
from .core.instruction_templates import InstructionTemplate, instruction_template, render_conversation
from .core.settings import load_settings
from .host.workbench import LOADER, WorkbenchHost
from .service import LongContextService

DEMO_MODELS = Path(__file__).parents[2] / "demo" / "models"
DATA_FOLDER = Path.home() / ".airoboros_longctx"
DEFAULT_TEMPLATE = "Airoboros-1.4"


class Workbench:
    """One process, one model, any number of open pages. Each page keeps its own conversation."""

    def __init__(self, data_folder: Path = DATA_FOLDER) -> None:
        from .rope.engine import RopeEngine

        self.host = WorkbenchHost(data_folder)
        self.service = LongContextService(self.host, RopeEngine(), lambda: load_settings({})[0])

    @staticmethod
    def shipped_models() -> list[str]:
        """Folders of the models that come with the repository, the default first."""
        return sorted(str(path.parent) for path in DEMO_MODELS.glob("*/config.json"))

    def loaded_folder(self) -> str | None:
        """The folder of the model that is loaded now."""
        loaded = self.host.loaded_model()
        return loaded.name if loaded is not None else None

    def load(self, folder: str) -> None:
        """Load, scale and confirm the model in ``folder``. Raises AiroborosLongctxError with a sentence."""
        self.host.require_model(folder)
        pending = self.service.before_load(folder, LOADER)
        try:
            model = self.host.load(folder)
        finally:
            self.service.end_of_load(pending)
        self.service.after_load(pending, model)

    def template(self) -> InstructionTemplate:
        """The format of the loaded model's generation."""
        plan = self.service.status().plan
        return instruction_template((plan and plan.instruction_template) or DEFAULT_TEMPLATE)

    def prompt(self, question: str, history: Sequence[tuple[str, str]], reserved_tokens: int) -> str:
        """The prompt that fits the window with ``reserved_tokens`` kept for the reply; the oldest turns give way.

        Raises AiroborosLongctxError where the question alone does not fit: nothing of it is ever cut.
        """
        window = self.host.truncation_length
        prompt = ""
        for start in range(len(history) + 1):
            prompt = render_conversation(self.template(), question, history[start:])
            if self.host.count_tokens(prompt) <= window - reserved_tokens:
                return prompt
        raise AiroborosLongctxError(
            f"The question takes {self.host.count_tokens(prompt)} tokens and {reserved_tokens} are kept for the reply; "
            f"the window has {window}. Shorten the question or the reply."
        )

    def reply(
        self,
        question: str,
        history: Sequence[tuple[str, str]],
        max_new_tokens: int,
        temperature: float,
        stopping: threading.Event,
    ) -> Iterator[str]:
        """The reply as it grows, until it ends or ``stopping`` is set."""
        if self.host.loaded_model() is None:
            raise AiroborosLongctxError("No model is loaded; load one first.")
        prompt = self.prompt(question, history, max_new_tokens)
        yield from self.host.generate(prompt, max_new_tokens, temperature, self.template().stop, stopping)


def run(model: str | None, listen: str, port: int, open_browser: bool) -> None:
    """Serve the workbench at ``listen``:``port`` until it is interrupted; ``model`` defaults to the shipped one.

    A model that cannot be loaded is said so, and the workbench opens without it.
    """
    from .ui.status_panel import style_css
    from .ui.workbench_page import create_workbench_page

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    workbench = Workbench()
    first = model or next(iter(workbench.shipped_models()), None)
    if first is not None:
        try:
            workbench.load(first)
        except AiroborosLongctxError as error:
            workbench.host.log(str(error), problem=True)
    page = create_workbench_page(workbench)
    page.queue(default_concurrency_limit=None)
    page.launch(
        server_name=listen,
        server_port=port,
        inbrowser=open_browser,
        css=style_css(),
        quiet=True,
        prevent_thread_lock=True,
        footer_links=[],
    )
    print(f"The workbench is ready at http://{listen}:{port} (Ctrl+C closes it).", flush=True)
    page.block_thread()
