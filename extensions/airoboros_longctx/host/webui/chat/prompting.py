"""Puts the prompt side of the webui together: templates, wrappers, the page."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ....core.documents.chat_session import ChatSession
from ....core.documents.place import Place
from ....core.documents.shelves import DocumentShelves
from ....core.prompts.instruction_templates import InstructionTemplate, instruction_templates
from ....core.prompts.template_formats import as_jinja, old_fields
from ....core.settings import Settings
from ....prompt_service import PromptService
from ..hooks import DELIBERATE
from ..rebinding import Wrapper
from ..seams import (
    BRANCH,
    DELETE,
    DISPLAY,
    GATHER,
    MARK,
    OTHER_PROMPTS,
    PROMPT,
    RENAME,
    REPLY,
    SESSION,
    STOP,
    TOOL_CALLS,
)
from ..webui_host import WebuiHost
from .chats import WebuiChats
from .display import WebuiDisplay
from .page import WebuiPage, owner_of_the_prompt
from .place import place_of
from .prompts import WebuiPrompts
from .replies import WebuiReplies
from .templates import probe_template_place, write_templates
from .tool_calls import WebuiToolCalls

if TYPE_CHECKING:
    from ....core.context_plan import ContextPlan


class LoadedPlan:
    """How prompts for the loaded model are written, as its plan says."""

    def __init__(self, plan: Callable[[], ContextPlan | None]) -> None:
        self._plan = plan

    def knows_closed_context(self) -> bool:
        plan = self._plan()
        return plan is not None and plan.instruction_template is not None

    def plainformat_separator(self) -> str | None:
        plan = self._plan()
        return plan.plainformat_separator if plan is not None else None

    def stop_strings(self) -> tuple[str, ...]:
        plan = self._plan()
        return plan.stop if plan is not None else ()

    def why_no_tool_calls(self) -> str:
        plan = self._plan()
        if plan is None or not plan.function_calling:
            return "By its name the loaded model was not trained on it: airoboros models from 2.0 on are."
        if not _reads_tool_calls():
            return "This webui has no place known to us where calls are read out of replies: v4.1 and later have."
        return ""


class WebuiPrompting:
    """``service`` knows the loaded model's plan; ``new_state`` makes the page's own state when the page is drawn."""

    def __init__(
        self,
        host: WebuiHost,
        service: Any,
        prompts: PromptService,
        settings: Callable[[], Settings],
        new_state: Callable[[], Any],
        shelves: DocumentShelves,
    ) -> None:
        self._new_state = new_state
        self._host = host
        self.prompts = WebuiPrompts(
            prompts,
            LoadedPlan(service.loaded_plan),
            settings,
            _count_tokens,
            _missing_reply_start,
            _rejection,
            shelves,
            _place,
            _tokenizer_id,
        )
        self._page: WebuiPage | None = None
        #: The duties for which this webui has no place; known once the wrappers are in theirs.
        self.lost_duties: Callable[[], tuple[str, ...]] = tuple

    def wrappers(self) -> Mapping[str, Wrapper]:
        """By duty, what runs around the webui's functions."""
        prompts, chats = self.prompts, WebuiChats(self.prompts.shelves, _installation)
        calls = WebuiToolCalls(self._warn)
        replies, display = WebuiReplies(prompts, self._warn, calls), WebuiDisplay(_waiting, _escapes_html, self._warn)
        return {
            PROMPT: lambda *given, **named: prompts.generate_chat_prompt(*given, **named),
            STOP: lambda *given, **named: prompts.get_stopping_strings(*given, **named),
            REPLY: lambda *given, **named: replies.generate_reply(*given, **named),
            OTHER_PROMPTS: lambda *given, **named: prompts.without_documents(*given, **named),
            DISPLAY: lambda *given, **named: display.chat_html_wrapper(*given, **named),
            TOOL_CALLS: lambda *given, **named: calls.parse_tool_call(*given, **named),
            MARK: lambda *given, **named: replies.generate_chat_reply(*given, **named),
            RENAME: chats.rename_history,
            DELETE: chats.delete_history,
            BRANCH: chats.handle_branch_chat_click,
            SESSION: lambda *given: self.page().create_event_handlers(*given),
            GATHER: lambda *given: self.page().gather_interface_values(*given),
        }

    def _warn(self, sentence: str) -> None:
        self._host.log(sentence, problem=True)

    def page(self) -> WebuiPage:
        if self._page is None:
            self._page = WebuiPage(
                self.prompts, self._why_documents_are_blocked, self._host.page_values, self._new_state
            )
        return self._page

    def _why_documents_are_blocked(self) -> str:
        lost = [duty for duty in self.lost_duties() if duty in (PROMPT, GATHER, REPLY, DISPLAY, MARK)]
        if lost:
            return f"Documents cannot be added: this webui has no place known to us to {lost[0]}."
        owner = owner_of_the_prompt(self._host.extension_name)
        if not owner:
            return ""
        return (
            f"Documents cannot be added: the extension {owner} builds the chat's prompts itself "
            f"(custom_generate_chat_prompt). To use documents, take {owner} out of the webui's extensions."
        )

    def write_templates(self) -> None:
        """Put the templates into the webui's folder; what could not be written is said, and the rest is used."""
        place = probe_template_place()
        if place is None:
            self._host.log("not supported here: this webui has no folder of instruction templates known to us.")
            return
        for problem in write_templates(place.folder, place.file_text):
            self._host.log(problem)
        self._host.templates = frozenset(
            name for name in instruction_templates() if any(place.folder.glob(f"{name}.y*ml"))
        )


def _reads_tool_calls() -> bool:
    return hasattr(sys.modules.get("modules.tool_parsing"), "parse_tool_call")


def _place(state: dict[str, Any], session: ChatSession) -> Place:
    from modules import shared

    return place_of(state, session, shared.args, _installation())


def _installation() -> str:
    """The webui's folder: it runs in it."""
    return str(Path.cwd())


def _count_tokens(text: str) -> int:
    from modules import text_generation

    return int(text_generation.get_encoded_length(text))


def _tokenizer_id() -> str:
    from modules import shared

    return f"{shared.model_name} {id(shared.tokenizer)}"


def _waiting() -> str:
    from modules import shared

    return str(getattr(shared, "processing_message", ""))


def _escapes_html() -> bool:
    """True from v1.6 on: a reply reaches the page's Markdown with its HTML as text."""
    from modules import chat

    return hasattr(chat, "html")


def _rejection(sentence: str, param: str) -> Exception:
    """What makes the webui's API answer with status 400, the sentence and the field of the request that is meant.

    Its own exception does so from v4.2 on; before, any of its errors is a 500, and FastAPI's exception is needed.
    """
    own, web = sys.modules.get("modules.api.errors"), sys.modules.get("fastapi")
    if own is not None:
        error: Exception = own.InvalidRequestError(message=sentence, param=param)
    else:
        error = web.HTTPException(status_code=400, detail=sentence) if web is not None else ValueError(sentence)
    setattr(error, DELIBERATE, True)
    return error


def _missing_reply_start(state: dict[str, Any]) -> str:
    """What a template ends with and this release cuts off: up to v3.11 the space after ``ASSISTANT:``."""
    from modules import chat

    if "turn_template" in state:
        active = _old_template_of(state)
    elif hasattr(chat, "get_generation_prompt"):
        active = _jinja_template_of(state)
    else:
        active = None
    return active.reply_start if active is not None else ""


def _jinja_template_of(state: dict[str, Any]) -> InstructionTemplate | None:
    """The shipped template whose text is the active one."""
    text = str(state.get("instruction_template_str") or "").strip()
    for template in instruction_templates().values():
        if text in (as_jinja(template), as_jinja(template, begins_with_bos=True)):
            return template
    return None


def _old_template_of(state: dict[str, Any]) -> InstructionTemplate | None:
    """The shipped template whose fields, in the old format, are the active ones."""
    for template in instruction_templates().values():
        fields = old_fields(template)
        if (
            state.get("turn_template") == fields["turn_template"].replace("\n", r"\n")
            and state.get("context_instruct") == fields["context"]
            and str(state.get("name1_instruct")).strip() == fields["user"].strip()
            and str(state.get("name2_instruct")).strip() == fields["bot"].strip()
        ):
            return template
    return None
