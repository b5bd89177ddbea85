"""What a chat request with OpenAI's ``tools`` asks of a model that was trained on function calling.

After a message of the user it is asked for a call. After the results of tools, for which the models were never shown a
form, it is asked the same question over documents: the results.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..foreign_text import quoted, quoted_value
from ..prompts.closed_context import Document
from .errors import FormatError
from .function_declarations import Function
from .openai_tools import functions_of_tools

#: The field of a user's message that asks for this, or forbids it, whatever the setting api_tools says.
FIELD = "function_calling"
MOST_RESULTS = 64
_NOTHING = "(no result)"
_ARGUMENT_CHARACTERS = 200


@dataclass(frozen=True)
class ToolRequest:
    """``question`` is the user's last message, ``turns`` the finished turns before it, each with the answer that ended
    it. With ``results`` an answer from them alone is asked, without any a call of one of ``functions``.
    """

    question: str
    functions: tuple[Function, ...] = ()
    turns: tuple[tuple[str, str], ...] = ()
    results: tuple[Document, ...] = ()


def wants_tools(messages: Sequence[Any], by_default: bool) -> tuple[bool, bool]:
    """Whether the request opts in, and whether its own message says so. Raises FormatError."""
    last = next((one for one in reversed(messages) if isinstance(one, Mapping) and one.get("role") == "user"), {})
    if FIELD not in last:
        return by_default, False
    stated = last[FIELD]
    if not isinstance(stated, bool):
        raise FormatError(f"{FIELD} is {quoted_value(stated, 60)}; true or false is needed.")
    return stated, stated


def ends_with_result(messages: Sequence[Any]) -> bool:
    """Whether the last of ``messages`` is a tool's."""
    return bool(messages) and isinstance(messages[-1], Mapping) and messages[-1].get("role") == "tool"


def tool_request(
    messages: Sequence[Mapping[str, Any]], tools: object, choice: object, most_characters: int
) -> ToolRequest | None:
    """The request in ``messages``; None where it asks for neither: it ends with an assistant's message, or with the
    user's and has no ``tools``.

    ``choice`` is OpenAI's ``tool_choice``; ``most_characters`` bounds the results together. Raises FormatError for
    tools, a choice or results that cannot be used.
    """
    asked = next((at for at in range(len(messages) - 1, -1, -1) if messages[at].get("role") == "user"), None)
    has_results = ends_with_result(messages)
    if asked is None or not (has_results or (tools and asked == len(messages) - 1)):
        return None
    question = _text(messages[asked].get("content"))
    if not question.strip():
        raise FormatError("The last message of the user is empty; what the user wants to be done is needed.")
    if has_results:
        return ToolRequest(question, results=_results(messages[asked + 1 :], most_characters))
    return ToolRequest(question, _chosen(functions_of_tools(tools), choice), _turns(messages[:asked]))


def _chosen(functions: tuple[Function, ...], choice: object) -> tuple[Function, ...]:
    if not isinstance(choice, Mapping):
        return functions
    body = choice.get("function")
    name = body.get("name") if isinstance(body, Mapping) else None
    chosen = tuple(one for one in functions if one.name == name)
    if not chosen:
        raise FormatError(
            f"tool_choice names the function {quoted_value(name, 60)}; one that tools declares is needed."
        )
    return chosen


def _turns(messages: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, str], ...]:
    """Questions with their last answer in words. What was called for it is in the answer; one without is left out."""
    turns: list[tuple[str, str]] = []
    for message in messages:
        text = _text(message.get("content"))
        if message.get("role") == "user":
            turns.append((text, ""))
        elif message.get("role") == "assistant" and text.strip() and turns:
            turns[-1] = (turns[-1][0], text)
    return tuple(turn for turn in turns if turn[0].strip() and turn[1])


def _results(messages: Sequence[Mapping[str, Any]], most_characters: int) -> tuple[Document, ...]:
    """The results since the user's last message, each with the name of its tool and what it was called with."""
    calls = {call["id"]: call for message in messages for call in _calls(message)}
    found = [one for one in messages if one.get("role") == "tool"]
    if len(found) > MOST_RESULTS:
        raise FormatError(f"{len(found)} results of tools were sent; at most {MOST_RESULTS} are taken.")
    results = tuple(_result(one, calls.get(str(one.get("tool_call_id")), {})) for one in found)
    size = sum(len(one.text) for one in results)
    if size > most_characters:
        raise FormatError(
            f"The results of tools have {size} characters; at most {most_characters} are taken (the setting "
            "api_document_characters)."
        )
    return results


def _calls(message: Mapping[str, Any]) -> list[dict[str, str]]:
    """The ``tool_calls`` of a message, as far as they can be understood: they only say where a result is from."""
    stated = message.get("tool_calls")
    found = []
    for call in stated if isinstance(stated, list) else []:
        body = call.get("function") if isinstance(call, Mapping) else None
        if isinstance(body, Mapping):
            named = {key: str(body.get(key) or "") for key in ("name", "arguments")}
            found.append({"id": str(call.get("id")), **named})
    return found


def _result(message: Mapping[str, Any], call: Mapping[str, str]) -> Document:
    name = call.get("name") or message.get("name")
    pairs = []
    if isinstance(name, str) and name:
        pairs.append(("tool", quoted(name, _ARGUMENT_CHARACTERS)))
    if call.get("arguments", "{}") not in ("", "{}"):
        pairs.append(("arguments", quoted(call["arguments"], _ARGUMENT_CHARACTERS)))
    text = _text(message.get("content"))
    return Document(text if text.strip() else _NOTHING, tuple(pairs))


def _text(content: object) -> str:
    """The text of a message: it may be in parts, of which pictures are none."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    texts = [one.get("text") for one in parts if isinstance(one, Mapping) and one.get("type") == "text"]
    return " ".join(text for text in texts if isinstance(text, str))
