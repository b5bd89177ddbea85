"""A headless Chromium or Chrome of the system's."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
).split()


@contextmanager
def chromium_page(width: int = 1200, height: int = 900, **options: Any) -> Iterator[Any]:
    """A page of a fresh browser. Skips the test where there is no browser or no Playwright."""
    playwright = pytest.importorskip("playwright.sync_api")
    executable = next(filter(None, map(shutil.which, _NAMES)), None)
    if executable is None:
        pytest.skip(f"no browser found (looked for {', '.join(_NAMES)})")
    with playwright.sync_playwright() as runner:
        browser = runner.chromium.launch(executable_path=executable, args=_FLAGS)
        try:
            yield browser.new_page(viewport={"width": width, "height": height}, **options)
        finally:
            browser.close()
