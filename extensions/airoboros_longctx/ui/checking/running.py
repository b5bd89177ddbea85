"""The one check that runs in this process, and the last result of the model that is loaded.

It belongs to no page: a page that is closed or loaded again finds it where it is.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from ...check_service import CheckService
from ...core.checking.check_options import CheckOptions
from ...core.checking.check_result import CheckProgress, CheckResult
from ...core.checking.checked_model import CheckedModel
from ...core.errors import AiroborosLongctxError
from ...core.foreign_text import quoted
from ...core.ports import LoadedModel
from .checked_host import CheckedHost, NothingToCheckError

#: Reads what the check is made on; given a function that says whether to stop.
ReadTexts = Callable[[Callable[[], bool]], Sequence[tuple[str, str]]]
#: A page looks once a second; one in the background as seldom as browsers let it, which is once a minute.
PAGE_IS_GONE_SECONDS = 90.0


class CheckIsRunningError(AiroborosLongctxError):
    """Somebody else's check is under way."""


class KeptChecks(Protocol):
    """Where results outlive the process."""

    def read(self, mark: str) -> CheckResult | None: ...
    def keep(self, mark: str, result: CheckResult) -> None: ...


@dataclass(frozen=True)
class CheckState:
    """What a page shows. ``number`` changes with the result; ``said`` is a sentence about what went wrong."""

    running: bool = False
    progress: CheckProgress | None = None
    said: str = ""
    result: CheckResult | None = None
    number: int = 0


class CheckRuns:
    """Starts, stops and remembers checks.

    ``model_to_check`` raises a sentence where there is none; ``mark`` names the loaded model and how it runs, "" where
    there is none; ``say`` writes to the host's log; ``clock`` is in seconds.
    """

    def __init__(
        self,
        host: CheckedHost,
        service: CheckService,
        model_to_check: Callable[[], CheckedModel],
        mark: Callable[[], str],
        kept: KeptChecks | None,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._host, self._service, self._model_to_check, self._mark_now = host, service, model_to_check, mark
        self._kept, self.say, self._clock = kept, say, clock
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._owner, self._owner_looked = "", 0.0
        self._progress: CheckProgress | None = None
        self._said = ""
        self._mark = ""
        self._result: CheckResult | None = None
        self._number = 0

    @property
    def several_people(self) -> bool:
        return self._host.several_people

    # -- what a page asks --------------------------------------------------------------------------------------------

    def start(self, options: CheckOptions, read_texts: ReadTexts, owner: str) -> None:
        """Begin a check of the loaded model, for the page ``owner``. Raises AiroborosLongctxError with a sentence."""
        with self._lock:
            if self._runs():
                raise CheckIsRunningError("A check is running; wait until it has ended, or stop it.")
            model, loaded, mark = self._model_to_check(), self._host.loaded_model(), self._mark_now()
            if loaded is None:
                raise NothingToCheckError("No model is loaded; load one first.")
            self._stopping, self._owner, self._owner_looked = threading.Event(), owner, self._clock()
            self._progress, self._said = CheckProgress(0.0, None, "Getting ready"), ""
            arguments = (mark, loaded, model, options, read_texts, self._stopping)
            self._thread = threading.Thread(target=self._run, args=arguments, name="context check", daemon=True)
            self._thread.start()

    def stop(self, owner: str) -> None:
        """End the check at its next step; what was measured is kept. Nothing happens for a page that may not."""
        if self.may_stop(owner):
            self._stopping.set()

    def may_stop(self, owner: str) -> bool:
        """Where several people use the server, the page that started it alone, and anybody once that page is gone."""
        return self.is_of(owner) or not self.several_people or self._page_is_gone()

    def is_of(self, owner: str) -> bool:
        """True for the page that started the last check."""
        return bool(owner) and owner == self._owner

    def looked(self, owner: str) -> None:
        """The page ``owner`` is still there."""
        if self.is_of(owner):
            self._owner_looked = self._clock()

    def _page_is_gone(self) -> bool:
        """True once the page that started the check has not looked for a minute and a half: it was closed, or loaded
        again, which makes it another one."""
        return self._clock() - self._owner_looked > PAGE_IS_GONE_SECONDS

    def state(self) -> CheckState:
        """What is so now: the check under way, or the last result of the model that is loaded."""
        with self._lock:
            running = self._runs()
            mark = self._mark if running else self._mark_now()
            if mark != self._mark:
                self._mark = mark
                self._show(self._kept.read(mark) if self._kept is not None and mark else None)
            return CheckState(
                running,
                self._progress if running else None,
                self._said,
                None if running else self._result,
                self._number,
            )

    # -- the check itself, in its own thread ---------------------------------------------------------------------------

    def _runs(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _show(self, result: CheckResult | None) -> None:
        self._result = result
        self._number += 1

    def _run(
        self,
        mark: str,
        loaded: LoadedModel,
        model: CheckedModel,
        options: CheckOptions,
        read_texts: ReadTexts,
        stopping: threading.Event,
    ) -> None:
        said, result = "", None

        def is_gone() -> bool:
            now = self._host.loaded_model()
            return now is None or now.model is not loaded.model or now.adapters != loaded.adapters

        def stop() -> bool:
            return stopping.is_set() or is_gone()

        try:
            texts = tuple(read_texts(stop))
            if not stop():
                options = replace(options, texts=texts)
                result = self._service.check(model, options, self._on_progress, stop, self._host.between)
        except AiroborosLongctxError as error:
            said = str(error)
        except Exception as error:
            said = f"The check failed: {type(error).__name__}: {quoted(error)}. The model is as it was."
            self.say(said)
        if is_gone():
            name = quoted(loaded.name, 80)
            said, result = f"The check ended: {name} was unloaded, or changed, while it was measured.", None
        elif not said and (result is None or not any(one.perplexity or one.retrieval for one in result.measured)):
            said, result = "The check was stopped before anything was measured.", None
        with self._lock:
            self._said = said
            if result is not None:
                self._mark = mark
                self._show(result)
        if result is not None and not result.stopped and self._kept is not None:
            try:
                self._kept.keep(mark, result)
            except OSError as error:
                self.say(f"The result of the check was not kept: {error.strerror or type(error).__name__}.")

    def _on_progress(self, progress: CheckProgress) -> None:
        self._progress = progress
