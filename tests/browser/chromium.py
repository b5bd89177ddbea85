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


class NoBrowser(Exception):
    """There is no browser, or no Playwright."""


@contextmanager
def browser_page(width: int = 1200, height: int = 900, **options: Any) -> Iterator[Any]:
    """A page of a fresh browser. Raises NoBrowser."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise NoBrowser("Playwright is not installed") from error
    executable = next(filter(None, map(shutil.which, _NAMES)), None)
    if executable is None:
        raise NoBrowser(f"no browser found (looked for {', '.join(_NAMES)})")
    with sync_playwright() as runner:
        browser = runner.chromium.launch(executable_path=executable, args=_FLAGS)
        try:
            yield browser.new_page(viewport={"width": width, "height": height}, **options)
        finally:
            browser.close()


@contextmanager
def chromium_page(width: int = 1200, height: int = 900, **options: Any) -> Iterator[Any]:
    """The same for a test: it is skipped where there is no browser."""
    try:
        with browser_page(width, height, **options) as page:
            yield page
    except NoBrowser as reason:
        pytest.skip(str(reason))
