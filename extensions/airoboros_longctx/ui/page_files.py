"""The style sheets and scripts of the panels, put together for the page."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).parent
_STYLES = ("style.css", "documents/documents.css", "formats/formats.css", "checking/check.css")
#: They keep the status line fresh where Gradio has no timer, give code its buttons, work the list of documents, and
#: follow a check.
_SCRIPTS = ("refresh.js", "code_block.js", "documents/documents.js", "checking/check.js")


def style_css() -> str:
    """The panels' style sheet."""
    return "\n".join((_HERE / name).read_text(encoding="utf-8") for name in _STYLES)


def panels_js(seconds: float) -> str:
    """The panels' scripts. ``seconds`` is how often the status line is looked at."""
    scripts = "\n".join((_HERE / name).read_text(encoding="utf-8") for name in _SCRIPTS)
    return scripts.replace("SECONDS", f"{seconds:g}")
