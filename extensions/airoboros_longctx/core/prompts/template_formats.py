"""The instruction templates as the webuis read them: Jinja since December 2023, a YAML of four fields before."""

from __future__ import annotations

import json
import textwrap

import yaml

from .instruction_templates import InstructionTemplate

#: The old format's placeholders.
_USER, _USER_MESSAGE, _BOT, _BOT_MESSAGE = "<|user|>", "<|user-message|>", "<|bot|>", "<|bot-message|>"

#: Before v3.20 no ``bos_token`` is passed; llama.cpp's webuis never add a second one to a text that begins with it.
_BOS = "{{- bos_token if bos_token is string else '<s>' -}}"

#: A question whose reply was stopped before its first word: an empty reply stands there, as in render_conversation.
#: Two questions alone are how the webuis up to v3.11 find out what a user's turn begins with; nothing may stand there.
_UNANSWERED = "loop.nextitem and loop.nextitem['role'] == 'user' and (add_generation_prompt or loop.length > 2)"


def as_jinja(template: InstructionTemplate, begins_with_bos: bool = False) -> str:
    """A Jinja template that renders what ``render_conversation`` does, for ``messages`` and ``add_generation_prompt``.

    A system message at the beginning takes the place of the template's own. What a message says is never looked into.
    Without any message it can stop where a turn begins: the webuis up to v3.11 put a user's turn behind that.
    ``begins_with_bos`` is for llama.cpp, whose webuis add no beginning-of-sequence token of their own; with the
    tokenizers that do, the same text can change the first token after it.
    """
    first, mid = _around(template.first_turn, "{user}")
    later, _ = _around(template.later_turn, "{user}")
    before_system, after_system = _around(first, "{system}")
    before_reply, after_reply = _around(template.reply, "{assistant}")
    lines = [
        "{%- if messages and messages[0]['role'] == 'system' -%}",
        "    {%- set system = messages[0]['content'] -%}",
        "{%- else -%}",
        f"    {{%- set system = {_literal(template.system)} -%}}",
        "{%- endif -%}",
        f"{{%- set opening = {_literal(before_system)} + system + {_literal(after_system)} -%}}",
        "{%- for message in messages if message['role'] in ('user', 'assistant') -%}",
        "    {%- if loop.first -%}",
        "        {{- opening -}}",
        "    {%- elif message['role'] == 'user' -%}",
        f"        {{{{- {_literal(later)} -}}}}",
        "    {%- endif -%}",
        "    {%- if message['role'] == 'assistant' -%}",
        f"        {{{{- {_literal(mid + before_reply)} + message['content'] + {_literal(after_reply)} -}}}}",
        "    {%- else -%}",
        "        {{- message['content'] -}}",
        f"        {{%- if {_UNANSWERED} -%}}",
        f"            {{{{- {_literal(mid + before_reply + after_reply)} -}}}}",
        "        {%- endif -%}",
        "    {%- endif -%}",
        "{%- else -%}",
        "    {{- opening if add_generation_prompt else "
        f"{_literal(before_system)} + system + {_literal(after_system.removesuffix(later))} -}}}}",
        "{%- endfor -%}",
        "{%- if add_generation_prompt -%}",
        f"    {{{{- {_literal(mid + template.reply_start)} -}}}}",
        "{%- endif -%}",
    ]
    return "\n".join([_BOS, *lines] if begins_with_bos else lines)


def old_fields(template: InstructionTemplate) -> dict[str, str]:
    """The fields of the old format: ``user``, ``bot``, ``turn_template`` and ``context``.

    The format cannot say how a reply begins; the webuis that read it cut blanks off the prompt's end.
    """
    first, mid = _around(template.first_turn, "{user}")
    later, _ = _around(template.later_turn, "{user}")
    bot = mid.strip()
    reply = f"{mid.removesuffix(bot)}{_BOT}{template.reply.replace('{assistant}', _BOT_MESSAGE)}"
    if first.endswith(later):
        user = later.strip()
        context, turn = first.removesuffix(later), f"{later.replace(user, _USER, 1)}{_USER_MESSAGE}{reply}"
    else:  # what begins a later turn ends the turn before it: a finished turn is always followed by another one
        # the user has no name then, and the webuis up to v1.5 would put the one before it for <|user|>
        user, context, turn = "", first, f"{_USER_MESSAGE}{reply}{later}"
    return {"user": user, "bot": bot, "turn_template": turn, "context": context.replace("{system}", template.system)}


def as_jinja_yaml(template: InstructionTemplate) -> str:
    """The text of ``NAME.yaml`` for webuis that read Jinja."""
    return "instruction_template: |-\n" + textwrap.indent(as_jinja(template), "  ") + "\n"


def as_old_yaml(template: InstructionTemplate) -> str:
    """The text of ``NAME.yaml`` for webuis before Jinja."""
    return _quoted(old_fields(template))


def _quoted(fields: dict[str, str]) -> str:
    text: str = yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=1 << 20, default_style='"')
    return text


def _around(text: str, placeholder: str) -> tuple[str, str]:
    head, _, tail = text.partition(placeholder)
    return head, tail


def _literal(text: str) -> str:
    """A Jinja string; the escapes that JSON needs are read alike."""
    return json.dumps(text, ensure_ascii=False)
