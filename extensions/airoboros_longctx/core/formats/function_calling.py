"""Function calling: the model selects one of the declared functions and its parameters for an input.

The prompt is the example of the 2.0 and m2.0 model cards (https://huggingface.co/jondurbin/airoboros-65b-gpt4-m2.0);
they were trained on replies in JSON and in YAML, whichever the prompt asks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..foreign_text import quoted, quoted_value
from ..prompts.look_alikes import defuse_text
from .call_check import FunctionCall, checked_call
from .errors import FormatError
from .form_field import CHOICE, TEXT, FormField
from .function_declarations import Function, check_functions, read_declarations, render_declarations
from .openai_tools import functions_of_tools
from .reply_data import find_call
from .request_fields import checked_fields, required_text
from .yaml_data import plain_data, read_yaml

NAME = "function_calling"
TITLE = "Function call"
JSON, YAML = "JSON", "YAML"
DESCRIPTION = "The model chooses one of your functions and what to call it with. Nothing is called."
SOURCE = "https://huggingface.co/jondurbin/airoboros-65b-gpt4-m2.0"
FIELDS = (
    FormField("input", "Input", TEXT, "I want to know how many times 'Python' is mentioned in my text file."),
    FormField(
        "functions",
        "Functions (YAML)",
        TEXT,
        """\
file_analytics:
  description: This tool performs various operations on a text file.
  params:
    action: The operation we want to perform on the data, such as "count_occurrences", "find_line", etc.
    filters:
      keyword: The word or phrase we want to search for.""",
    ),
    FormField("reply_as", "Reply as", CHOICE, JSON, choices=(JSON, YAML)),
)
_INSTRUCTION = (
    "As an AI assistant, please select the most suitable function and parameters from the list of available functions "
    "below, based on the user's input. Provide your response in {reply_as} format."
)


@dataclass(frozen=True)
class FunctionRequest:
    """``reply_as`` is JSON or YAML: what the model is asked to answer in. Either is understood."""

    input: str
    functions: tuple[Function, ...]
    reply_as: str = JSON


def request_from(data: Mapping[str, Any]) -> FunctionRequest:
    """``input`` and ``functions``, and if need be ``reply_as``. The functions are a mapping or a list of OpenAI's
    ``tools``, or one of them as text, in YAML or JSON. Raises FormatError.
    """
    checked_fields(data, ("input", "functions"), ("reply_as",), TITLE)
    request = FunctionRequest(
        required_text(data, "input"), _functions(data["functions"]), str(data.get("reply_as") or JSON).upper()
    )
    _validate(request)
    return request


def _functions(source: object) -> tuple[Function, ...]:
    if isinstance(source, str) and source.lstrip().startswith("["):
        return functions_of_tools(plain_data(read_yaml(source, "The list of tools")))
    if isinstance(source, list):
        return functions_of_tools(source)
    if isinstance(source, (str, dict)):
        return read_declarations(source)
    needed = "a mapping from names to functions, or a list of OpenAI's tools, is needed"
    raise FormatError(f"functions is {quoted_value(source, 60)}; {needed}.")


def render(request: FunctionRequest) -> str:
    """The message as trained; marks of structure in the input and the declarations are broken visibly."""
    _validate(request)
    instruction = _INSTRUCTION.format(reply_as=request.reply_as)
    text, _ = defuse_text(request.input.strip())
    return f"{instruction}\n\nInput: {text}\n\nAvailable functions:\n{render_declarations(request.functions)}"


def parse(reply: str, request: FunctionRequest) -> FunctionCall:
    """The call in ``reply``, in JSON or YAML, among prose or fences. Raises FormatError where there is none, more than
    one, or one that the declarations do not allow. Nothing is executed.
    """
    return checked_call(find_call(reply), request.functions)


def _validate(request: FunctionRequest) -> None:
    if not request.input.strip():
        raise FormatError("The input is empty; what the user wants to be done is needed.")
    if request.reply_as not in (JSON, YAML):
        raise FormatError(f"reply_as is {quoted(request.reply_as, 60)!r}; {JSON} or {YAML} is needed.")
    check_functions(request.functions)
