"""Every tool that a plan may call here and now."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..core.documents.chat_session import ChatDocument
from .entry_point_tools import entry_point_tools
from .runnable_tool import RunnableTool
from .tools.calculator import calculator
from .tools.document_search import document_search
from .tools.knowledge_model import knowledge_model
from .tools.web_page import web_page


@dataclass(frozen=True)
class AvailableTools:
    """``problems``: a sentence for every installed tool that is broken."""

    tools: tuple[RunnableTool, ...]
    problems: tuple[str, ...] = ()


def available_tools(
    ask: Callable[[str, threading.Event], str] | None,
    documents: Callable[[], Sequence[ChatDocument]] | None,
    fetch: Callable[[str, Callable[[], bool]], str] | None,
    step_seconds: float | None = None,
) -> AvailableTools:
    """The tools that ship, then those of other packages.

    None leaves a tool out: ``ask`` without a model, ``documents`` where there are none, ``fetch`` unless the setting
    plans_web_pages allows it. ``step_seconds`` is the time limit of a question to the model, None its own.
    """
    shipped: list[RunnableTool] = []
    if documents is not None:
        shipped.append(document_search(documents))
    if ask is not None:
        shipped.append(knowledge_model(ask) if step_seconds is None else knowledge_model(ask, step_seconds))
    shipped.append(calculator())
    if fetch is not None:
        shipped.append(web_page(fetch))
    installed, problems = entry_point_tools(tool.name for tool in shipped)
    return AvailableTools((*shipped, *installed), problems)
