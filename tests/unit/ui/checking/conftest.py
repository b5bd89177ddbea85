"""A host with a model to check, and a service that measures what a test tells it to."""

from __future__ import annotations

import threading
from contextlib import nullcontext

import pytest

from extensions.airoboros_longctx.core.checking.check_result import (
    PASSKEY,
    CheckProgress,
    CheckResult,
    CheckVerdict,
    PerplexityPoint,
    RetrievalCell,
    ScalingMeasured,
)
from extensions.airoboros_longctx.core.checking.checked_model import CheckedModel
from extensions.airoboros_longctx.core.ports import LoadedModel
from extensions.airoboros_longctx.core.prompts.instruction_templates import DEFAULT_TEMPLATE, instruction_template
from extensions.airoboros_longctx.core.rope_scaling import RopeScaling
from extensions.airoboros_longctx.ui.checking.checked_host import NothingToCheckError
from extensions.airoboros_longctx.ui.checking.running import CheckRuns

FOUR = RopeScaling("linear", 4, 256)
MEASURED = ScalingMeasured(
    FOUR,
    (PerplexityPoint(64, 9.5, 100), PerplexityPoint(1024, 8.25, 100)),
    (RetrievalCell(PASSKEY, 1024, 0.0, 2, 2), RetrievalCell(PASSKEY, 1024, 1.0, 1, 2)),
)


def result(model="tiny", stopped=False, measured=(MEASURED,)):
    verdict = CheckVerdict("right", "linear ×4 is right.", 1024)
    return CheckResult(model, "Transformers", 1024, 256, measured, verdict, "a text", "So and so.", 12.0, stopped)


class FakeHost:
    several_people = False

    def __init__(self):
        self.loaded = LoadedModel("tiny", "Transformers", object())

    def loaded_model(self):
        return self.loaded

    def between(self):
        return nullcontext()

    def load(self, name):
        self.loaded = LoadedModel(name, "Transformers", object()) if name else None


class FakeService:
    """A check that says half of it is done, and goes on when ``go_on`` is set or it is told to stop."""

    def __init__(self):
        self.go_on, self.halfway = threading.Event(), threading.Event()
        self.options, self.error, self.results = [], None, [result()]

    def check(self, model, options, progress, stop, between):
        self.options.append(options)
        progress(CheckProgress(0.5, 90.0, "perplexity at 1024 tokens"))
        self.halfway.set()
        while not self.go_on.wait(0.005):
            if stop():
                return result(stopped=True)
        if self.error is not None:
            raise self.error
        return self.results[-1]


class FakeKept:
    def __init__(self):
        self.results = {}

    def read(self, mark):
        return self.results.get(mark)

    def keep(self, mark, kept):
        self.results[mark] = kept


class Program:
    """All of it together. ``log`` is what the host's log got."""

    def __init__(self):
        self.host, self.service, self.kept, self.log = FakeHost(), FakeService(), FakeKept(), []
        self.seconds = 1000.0
        self.runs = self.new_runs()

    def new_runs(self):
        return CheckRuns(
            self.host, self.service, self._model, self._mark, self.kept, self.log.append, lambda: self.seconds
        )

    def _mark(self):
        return self.host.loaded.name if self.host.loaded else ""

    def _model(self):
        if self.host.loaded is None:
            raise NothingToCheckError("No model is loaded; load one first.")
        template = instruction_template(DEFAULT_TEMPLATE)
        return CheckedModel("tiny", "Transformers", None, FOUR, 1024, template, self.host.loaded.model)

    def end(self):
        """Wait until the check has ended; returns what is so then."""
        self.runs._thread.join(10)
        state = self.runs.state()
        assert not state.running
        return state


@pytest.fixture
def program():
    made = Program()
    yield made
    made.service.go_on.set()
    if made.runs._thread is not None:
        made.runs._thread.join(10)
