"""What happens where the webui builds a prompt: documents and PLAINFORMAT enter here, and nowhere else.

The chat's history keeps what the person typed. Every way a prompt is made calls ``generate_chat_prompt``: send,
regenerate, Continue, "Start reply with", impersonate, the token counter, ``/v1/internal/chat-prompt``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ....core.documents.chat_session import ChatSession
from ....core.documents.place import Place
from ....core.documents.shelves import DocumentShelves
from ....core.errors import AiroborosLongctxError
from ....core.prompts.closed_context import ClosedContext, render
from ....core.prompts.document_options import DocumentOptions
from ....core.prompts.instructions import instruction_text
from ....core.prompts.plainformat import with_plainformat
from ....core.settings import Settings
from ....prompt_service import PromptService
from .asked import SESSION_KEY, Asked, LoadedStyle, WebuiAsking
from .turn import WebuiTurn

if TYPE_CHECKING:
    from ....core.formats.tool_request import ToolRequest
    from ....core.replies.source_check import SentDocument

_NOTHING_SENT = "Nothing was sent to the model. Change the documents, or switch them off, and regenerate."
#: A list in the state of one request: the ``SentDocument`` s of the prompt that was built for it.
SENT_KEY = "airoboros_longctx-sent"
#: An instruction that the model would write itself ends here; so does an impersonated question.
_STOP_IN_DOCUMENTS = ("USER:", "ASSISTANT:", "ENDINSTRUCTION")


class RefusedPrompt(str):
    """A prompt that must not be answered. ``sentence`` says why; the text is what would have been asked."""

    sentence: str

    @classmethod
    def because(cls, sentence: str, text: str) -> RefusedPrompt:
        refused = cls(text)
        refused.sentence = sentence
        return refused

    def __add__(self, more: str) -> RefusedPrompt:
        return RefusedPrompt.because(self.sentence, str.__add__(self, more))


def _param_of(error: AiroborosLongctxError) -> str:
    """The field of the API request that ``error`` is about."""
    from ....core.formats.errors import FormatError  # here, so that the webui starts without it

    return "tools" if isinstance(error, FormatError) else "documents"


class WebuiPrompts:
    """The wrappers around the webui's prompt functions. ``count_tokens`` is the webui's own counter."""

    def __init__(
        self,
        prompts: PromptService,
        style: LoadedStyle,
        settings: Callable[[], Settings],
        count_tokens: Callable[[str], int],
        reply_start: Callable[[dict[str, Any]], str],
        reject: Callable[[str, str], Exception],
        shelves: DocumentShelves,
        place: Callable[[dict[str, Any], ChatSession], Place],
        tokenizer_id: Callable[[], str] = str,
    ) -> None:
        asking = WebuiAsking(style, settings, shelves, place)
        self.asked, self.asked_or_nothing = asking.asked, asking.asked_or_nothing
        self._prompts = prompts
        self._style = style
        self._count_tokens = count_tokens
        self._reply_start = reply_start
        self._reject = reject
        self.shelves, self.place = shelves, place
        self._tokenizer_id = tokenizer_id

    def plainformat_separator(self) -> str | None:
        return self._style.plainformat_separator()

    def stop_strings(self) -> tuple[str, ...]:
        return self._style.stop_strings()

    # -- the wrappers ---------------------------------------------------------------------------------------------

    def generate_chat_prompt(self, original: Callable[..., Any], user_input: str, state: Any, **arguments: Any) -> Any:
        try:
            asked = self.asked(state, arguments)
        except AiroborosLongctxError as error:
            if SESSION_KEY not in state:
                raise self._reject(str(error), _param_of(error)) from error
            return RefusedPrompt.because(f"{error} {_NOTHING_SENT}", user_input)
        except Exception as error:
            sentence = f"The documents could not be read: {type(error).__name__}: {error}."
            return RefusedPrompt.because(f"{sentence} {_NOTHING_SENT}", user_input)
        turn = self.turn(original, state, arguments, asked.replaces_attached)
        if asked.tools is not None and not asked.documents:
            prompt = self._with_functions(asked.tools, original, state, arguments)
        elif asked.documents:
            prompt = self._with_documents(asked, user_input, state, turn)
        elif asked.plainformat and not turn.impersonates:
            prompt = self._with_plainformat(original, user_input, state, arguments, turn)
        else:
            output = original(user_input, state, **arguments)
            if not asked.page or not isinstance(output, str) or turn.continues or turn.impersonates:
                return output
            prompt = output + self._missing_reply_start(state)
        return (prompt, [prompt]) if arguments.get("also_return_rows") else prompt

    def turn(
        self, original: Callable[..., Any], state: dict[str, Any], arguments: dict[str, Any], without_attached: bool
    ) -> WebuiTurn:
        """``without_attached``: as ``Asked.replaces_attached`` says."""
        counting = (self._count_tokens, self._tokenizer_id())
        return WebuiTurn(original, state, arguments, *counting, self._reply_start(state), without_attached)

    def _missing_reply_start(self, state: dict[str, Any]) -> str:
        return self._reply_start(state) if state.get("mode") == "instruct" else ""

    def _with_documents(self, asked: Asked, user_input: str, state: dict[str, Any], turn: WebuiTurn) -> str:
        options, question = asked.options, turn.question if turn.continues else user_input
        question = asked.tools.question if asked.tools is not None else question
        sent: list[SentDocument] = state.get(SENT_KEY, [])
        sent.clear()
        if turn.impersonates:
            options, question = replace(options, only_from_documents=False, name_sources=False), ""
        try:
            built = self._prompts.build(asked.blocks(), question, options, turn)
            from ....core.replies.source_check import sent_documents  # here, so that the webui starts without it

            sent += sent_documents(asked.documents, built.blocks)
            return built.text
        except AiroborosLongctxError as error:
            return self._refused(str(error), asked, question, options, turn)
        except Exception as error:
            sentence = f"The documents could not be put into the prompt: {type(error).__name__}: {error}."
            return self._refused(sentence, asked, question, options, turn)

    def _with_functions(
        self, request: ToolRequest, original: Callable[..., Any], state: dict[str, Any], arguments: dict[str, Any]
    ) -> str:
        """The request for a call behind the latest turns that fit. Its message is never cut."""
        rows = [list(turn) for turn in request.turns]
        history = {**state["history"], "internal": rows, "visible": rows, "metadata": {}}
        turn = self.turn(original, state, {**arguments, "history": history}, False)
        try:
            return self._prompts.build_call(request, turn)
        except AiroborosLongctxError as error:
            raise self._reject(str(error), "tools") from error

    def _refused(
        self, sentence: str, asked: Asked, question: str, options: DocumentOptions, turn: WebuiTurn
    ) -> RefusedPrompt:
        if not asked.page:
            raise self._reject(sentence, "tools" if asked.tools else "documents")
        try:
            message = render(ClosedContext(asked.blocks(), instruction_text(question, options)))
            text = turn.render(message, 0)
        except Exception:
            text = question
        return RefusedPrompt.because(f"{sentence} {_NOTHING_SENT}", text)

    def _with_plainformat(
        self, original: Callable[..., Any], user_input: str, state: Any, arguments: dict[str, Any], turn: WebuiTurn
    ) -> str:
        separator = self._style.plainformat_separator()
        if separator is not None and turn.continues:
            message = with_plainformat(turn.question, separator)
            arguments = {**arguments, "history": turn.history_with(message, turn.turns)}
        elif separator is not None and user_input.strip():
            user_input = with_plainformat(user_input, separator)
        output = original(user_input, state, **arguments)
        prompt = str(output[0] if arguments.get("also_return_rows") else output)
        return prompt if turn.continues else prompt + self._missing_reply_start(state)

    def get_stopping_strings(self, original: Callable[..., Any], state: dict[str, Any]) -> Any:
        found = original(state)
        asked = self.asked_or_nothing(state)
        wanted: tuple[str, ...] = ()
        if asked.documents_are_on:
            wanted = _STOP_IN_DOCUMENTS
        elif asked.plainformat or asked.tools or (asked.page and state.get("mode") == "instruct"):
            wanted = self._style.stop_strings()
        return [*found, *(string for string in wanted if string not in found)]

    def without_documents(self, original: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """For prompts that are not the chat's (a web search query, an image prompt): the page's state is left out."""
        plain = [
            {key: one for key, one in value.items() if key != SESSION_KEY} if isinstance(value, dict) else value
            for value in arguments
        ]
        return original(*plain, **named)

    # -- sampling -------------------------------------------------------------------------------------------------

    def with_sampling(self, state: dict[str, Any]) -> dict[str, Any]:
        """A copy of ``state`` with the sampling for documents, where the page has them on and wants it.

        A page's state that is no chat reply's is from a tab without documents, such as Notebook: it is left alone.
        """
        if SESSION_KEY in state and SENT_KEY not in state:
            return state
        asked = self.asked_or_nothing(state)
        if not asked.documents_are_on or not asked.options.own_sampling:
            return state
        heat = asked.options.temperature
        ours = {
            "temperature": heat if heat > 0 else 1.0,
            "repetition_penalty": 1.0,
            "presence_penalty": 0.0,
            "frequency_penalty": 0.0,
            "no_repeat_ngram_size": 0,
            "dry_multiplier": 0.0,
            "dynamic_temperature": False,
        }
        if heat <= 0:
            ours["do_sample"] = False
        return {**state, **{key: value for key, value in ours.items() if key in state}}
