"""The workbench: chat with a local model folder, or over a server, without a webui; the same service and panels."""

from __future__ import annotations

import logging
import threading
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

from .core.documents.chat_session import ChatSession
from .core.documents.place import Place
from .core.documents.shelves import DocumentShelves
from .core.errors import AiroborosLongctxError
from .core.ports import PrefixCache, Rope
from .core.prompts.instruction_templates import DEFAULT_TEMPLATE, InstructionTemplate, instruction_template
from .core.prompts.plainformat import with_plainformat
from .core.replies.source_check import SentDocument, sent_documents
from .core.settings import Settings, load_settings
from .documents.check_store import FOLDER as CHECKS
from .documents.check_store import CheckStore
from .documents.store import FileDocumentStore
from .host.served.model import ServerOptions
from .host.workbench.measuring import WorkbenchMeasuring
from .host.workbench.server_host import NoRope, ServerHost
from .host.workbench.turn import Turns, WorkbenchTurn
from .host.workbench.workbench_host import LOADER, WorkbenchHost
from .plans.runnable_tool import whole_reply
from .prompt_service import PromptService
from .service import LongContextService
from .ui.workbench_model_field import ModelField, folder_field, served_field

DEMO_MODELS = Path(__file__).parents[2] / "demo" / "models"
DATA_FOLDER = Path.home() / ".airoboros_longctx"


class Workbench:
    """One process, one model, any number of open pages. Each page keeps its own conversation and documents."""

    def __init__(
        self,
        data_folder: Path = DATA_FOLDER,
        settings: Mapping[str, Any] | None = None,
        server: ServerOptions | None = None,
    ) -> None:
        """``server`` None: model folders are loaded here, over Transformers. Raises ServerError for a wrong address."""
        from .ui.checking.runs_of_host import check_runs

        self.settings: Settings = load_settings(settings or {})[0]
        self.host: WorkbenchHost | ServerHost
        rope: Rope = NoRope()
        prefix_cache: PrefixCache | None = None
        if server is not None:
            self.host = ServerHost(data_folder, server)
        else:
            self.host = local = WorkbenchHost(data_folder)
            rope, prefix_cache = self._local_engines(local)
        self.service = LongContextService(self.host, rope, lambda: self.settings, prefix_cache)
        self.prompts = PromptService()
        self.shelves = DocumentShelves(FileDocumentStore(data_folder / "documents"))
        self.recipes_folder = data_folder / "recipes"
        #: One person, and conversations that end with their page.
        self.place = Place()
        self.checks = check_runs(
            WorkbenchMeasuring(self.host), self.service, rope, CheckStore(data_folder / CHECKS), self.host.log
        )

    def _local_engines(self, host: WorkbenchHost) -> tuple[Rope, PrefixCache]:
        from .prefix_cache.engine import PrefixCacheEngine
        from .rope.engine import RopeEngine

        return RopeEngine(), PrefixCacheEngine(
            lambda: self.settings.prefix_cache_memory,
            lambda input_ids: "",
            host.stops_generating,
            host.log,
            lambda: self.settings.prefix_cache,
        )

    @staticmethod
    def shipped_models() -> list[str]:
        """Folders of the models that come with the repository, the default first."""
        return sorted(str(path.parent) for path in DEMO_MODELS.glob("*/config.json"))

    def loaded_folder(self) -> str | None:
        """The folder of the model that is loaded now; a served model's name."""
        loaded = self.host.loaded_model()
        return loaded.name if loaded is not None else None

    def model_field(self) -> ModelField:
        """Where a model is picked on the page."""
        if isinstance(self.host, ServerHost):
            return served_field(self.host.model_names)
        return folder_field(self.shipped_models())

    def load(self, folder: str) -> None:
        """Load, scale and confirm the model in ``folder``; over a server, ask it for its model of that name.

        Raises AiroborosLongctxError with a sentence.
        """
        if isinstance(self.host, ServerHost):
            self.host.load(folder)
            self.service.adopt_loaded_model()
            return
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

    def plainformat_separator(self) -> str | None:
        plan = self.service.loaded_plan()
        return plan.plainformat_separator if plan is not None else None

    def greedy_reply(self, prompt: str, reply_tokens: int, stopping: threading.Event) -> Generator[str, None, None]:
        """The reply to an exact prompt as it grows, always the likeliest token."""
        return self.host.generate(prompt, reply_tokens, 0.0, self.template().stop, stopping)

    def turn(self, history: Turns, reply_tokens: int) -> WorkbenchTurn | None:
        """The turn that comes next in a conversation; None without a model."""
        if self.host.loaded_model() is None:
            return None
        return WorkbenchTurn(self.host, self.template(), history, reply_tokens)

    def prompt(
        self,
        question: str,
        history: Turns,
        reply_tokens: int,
        session: ChatSession | None = None,
        sent: list[SentDocument] | None = None,
    ) -> str:
        """The exact prompt for ``question`` with ``reply_tokens`` kept for the reply; the oldest turns give way first.

        ``sent`` is filled with the documents in it. Raises AiroborosLongctxError where it does not fit: nothing of the
        question is ever cut.
        """
        turn = self.turn(history, reply_tokens)
        if turn is None:
            raise AiroborosLongctxError("No model is loaded; load one first.")
        session = session or ChatSession()
        documents = self.shelves.active(session, self.place)
        if documents:
            blocks = [document.block() for document in documents]
            built = self.prompts.build(blocks, question, session.options, turn)
            if sent is not None:
                sent += sent_documents(documents, built.blocks)
            return built.text
        if session.plainformat and (separator := self.plainformat_separator()) is not None:
            question = with_plainformat(question, separator)
        prompt = ""
        for turns in range(turn.turns, -1, -1):
            prompt = turn.render(question, turns)
            if turn.count_tokens(prompt) <= turn.limit_tokens:
                return prompt
        raise AiroborosLongctxError(
            f"The question takes {turn.count_tokens(prompt)} tokens and {reply_tokens} are kept for the reply; "
            f"the window has {self.host.truncation_length}. Shorten the question or the reply."
        )

    def reply(
        self,
        question: str,
        history: Turns,
        max_new_tokens: int,
        temperature: float,
        stopping: threading.Event,
        session: ChatSession | None = None,
        sent: list[SentDocument] | None = None,
    ) -> Iterator[str]:
        """The reply as it grows, until it ends or ``stopping`` is set. ``sent``: as for ``prompt``."""
        prompt = self.prompt(question, history, max_new_tokens, session, sent)
        repetition_penalty: float | None = None
        if session is not None and self.shelves.active(session, self.place) and session.options.own_sampling:
            temperature, repetition_penalty = session.options.temperature, 1.0
        stop = self.template().stop
        yield from self.host.generate(prompt, max_new_tokens, temperature, stop, stopping, repetition_penalty)

    def ask(self, message: str, stopping: threading.Event, max_new_tokens: int, temperature: float) -> str:
        """The reply to ``message`` alone, without history or documents; cut short once ``stopping`` is set.

        Raises AiroborosLongctxError where it does not fit.
        """
        prompt, stop = self.prompt(message, (), max_new_tokens), self.template().stop
        growing = self.host.generate(prompt, max_new_tokens, temperature, stop, stopping, 1.0)
        return whole_reply(growing, stopping)


def run(
    model: str | None,
    listen: str,
    port: int,
    open_browser: bool,
    settings: Mapping[str, Any] | None = None,
    server: ServerOptions | None = None,
) -> None:
    """Serve the workbench at ``listen``:``port`` until it is interrupted; ``model`` defaults to the shipped one.

    ``server``: its model is asked instead. Raises ServerError where its address is none.

    A model that cannot be loaded is said so, and the workbench opens without it.
    """
    from .ui.page_files import panels_js, style_css
    from .ui.workbench_page import create_workbench_page

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    workbench = Workbench(settings=settings, server=server)
    first = "" if server is not None else model or next(iter(workbench.shipped_models()), None)
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
        js=f"() => {{{panels_js(workbench.settings.status_refresh_seconds)}}}",
        quiet=True,
        prevent_thread_lock=True,
        footer_links=[],
    )
    print(f"The workbench is ready at http://{listen}:{port} (Ctrl+C closes it).", flush=True)
    page.block_thread()
