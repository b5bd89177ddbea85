"""The panel "Check this model's context", as a person uses it."""

from __future__ import annotations

from typing import Any

PANEL = "#airoboros-longctx-check"
RESULT = "#airoboros-longctx-check-result"
VERDICT = f"{RESULT} .airoboros-longctx-check-verdict[role=status]"
PROGRESS = f"{PANEL} progress"
RIGHT = "Scaled ×4 is right"


def open_panel(page: Any) -> None:
    """Open the accordion, wherever on the page it is."""
    heading = page.get_by_text("Check this model's context").first
    heading.wait_for(state="attached", timeout=120_000)
    field = page.get_by_label("Context lengths (tokens)")
    if not field.is_visible():
        heading.evaluate("element => (element.closest('button, .label-wrap') || element).click()")
    field.wait_for(timeout=30_000)


def press(page: Any, name: str) -> None:
    page.get_by_role("button", name=name).evaluate("button => button.click()")


def start(page: Any, contexts: str) -> None:
    page.get_by_label("Context lengths (tokens)").fill(contexts)
    press(page, "Start the check")


def wait_for_share(page: Any, share: float) -> None:
    """Until so much of the check is done."""
    page.wait_for_function(
        "([selector, share]) => (document.querySelector(selector)?.value ?? 0) >= share",
        arg=[PROGRESS, share],
        timeout=120_000,
    )


def verdict(page: Any, seconds: int = 240) -> str:
    page.locator(VERDICT).wait_for(timeout=1000 * seconds)
    return str(page.locator(VERDICT).inner_text())


def widths_of_plots(page: Any) -> list[int]:
    """The natural widths of the plots that are to be seen: 0 for one that the browser could not draw."""
    return list(
        page.locator(f"{RESULT} img").evaluate_all(
            "images => images.filter((one) => one.offsetParent).map((one) => one.naturalWidth)"
        )
    )
