"""The next question over the same text in a real webui: its first token with kept prompts against without.

Two webuis with this extension run side by side, one with ``prefix_cache`` off, and load the same random Llama of 28
million parameters, scaled fourfold. Both are asked the same questions over a text that fills nine tenths of the window,
in turn. The time is the streaming API's, from the request to the first text; and the webui's own, from its log. The
first question over a text is measured too: it is read in passes of 512 tokens, where the webui alone reads it in one.
"""

from __future__ import annotations

import json
import re
import statistics
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.host.running_host import RunningHost
from tests.real_hosts import RealHost, find_hosts

from .corpus import english
from .measuring import row, spoken_seconds, times_row
from .pair_of_webuis import newest_host
from .random_llama import make_random_llama
from .rows import Options, Row

NAME = "follow-up"
_OLD = "v1.7"
_BASE, _FACTOR = 2048, 4
_WINDOW = _BASE * _FACTOR
_PAIRS = 7
#: The window that is filled, and the goals: of the first token for whom asks, and inside the webui.
_TEXTS = ((_WINDOW, 20.0, 40.0), (_WINDOW // 2, 10.0, None))
#: There the library writes all attention scores into memory: a whole window takes a minute without us.
_OLD_TEXTS = ((_WINDOW // 2, None, None),)
#: The window that is filled for first questions, each over another text.
_FIRST_TEXTS = _WINDOW // 2
_CARD = f"Set max_seq_len to {_WINDOW} and compress_pos_emb to {_FACTOR}.\n"
_GENERATED = re.compile(r"Output generated in ([\d.]+) seconds \([^)]*context (\d+)")


@dataclass
class _Seen:
    """Seconds of one webui, pair by pair, and the tokens of its prompts."""

    first_token: list[float] = field(default_factory=list)
    inside: list[float] = field(default_factory=list)
    context: list[int] = field(default_factory=list)
    replies: list[str] = field(default_factory=list)


def rows(options: Options) -> Iterator[Row]:
    hosts = [newest_host(), *(host for host in find_hosts() if host.name == _OLD)]
    texts = _TEXTS if not options.quick else ((_WINDOW // 8, None, None),)
    with tempfile.TemporaryDirectory() as folder:
        model = make_random_llama(Path(folder) / "random-llama-PI-8192", _BASE, _CARD)
        for host in hosts:
            asked = _OLD_TEXTS if host.name == _OLD and not options.quick else texts
            yield from _rows_of(host, Path(folder) / host.name, model, asked, options.pairs(_PAIRS))


def _rows_of(host: RealHost, folder: Path, model: Path, texts: Any, pairs: int) -> Iterator[Row]:
    with ExitStack() as stack:
        kept = _started(stack, host, folder / "kept", model, "")
        off = _started(stack, host, folder / "off", model, "airoboros_longctx-prefix_cache: false\n")
        for window, goal, goal_inside in texts:
            ours, theirs = _asked(kept, off, _text(window * 9 // 10), pairs)
            if ours.replies != theirs.replies:
                raise AssertionError(f"With kept prompts {host.name} says {ours.replies}, without {theirs.replies}.")
            name = f"{host.name}, {ours.context[0]:,} tokens of {window:,}: next question"
            against = "the same with prefix_cache off"
            for where, own, other, at_least in (
                ("first token", ours.first_token, theirs.first_token, goal),
                ("inside the webui", ours.inside, theirs.inside, goal_inside),
            ):
                ratios = [there / here for here, there in zip(own, other, strict=True)]
                medians = ", ".join(spoken_seconds(statistics.median(times)) for times in (own, other))
                yield row(f"{name}, {where}", against, ratios, at_least=at_least, measured=medians)
        yield _first_questions(host, kept, off, min(_FIRST_TEXTS, texts[0][0]), pairs)


def _first_questions(host: RealHost, kept: RunningHost, off: RunningHost, window: int, pairs: int) -> Row:
    """Each over a text of its own, with the webuis in turn; nothing that is kept helps with it."""
    seconds: dict[RunningHost, list[float]] = {kept: [], off: []}
    for number in range(pairs):
        prompt = _text(window * 9 // 10, seed=number + 2)
        for webui in (kept, off) if number % 2 else (off, kept):
            _ask(webui, prompt)
            inside, context = _GENERATED.findall(webui.said())[-1]
            seconds[webui].append(float(inside))
    name = f"{host.name}, {int(context):,} tokens of {window:,}: first question, inside the webui"
    return times_row(name, seconds[kept], "the same with prefix_cache off", seconds[off])


def _started(stack: ExitStack, host: RealHost, folder: Path, model: Path, settings: str) -> RunningHost:
    arguments = ["--loader", "Transformers", "--model", model.name]
    # Without a page there is nothing that Gradio could give up within three seconds on a busy machine.
    webui = RunningHost(host, folder, [model], arguments=arguments, settings=settings, page=host.name == _OLD)
    stack.callback(webui.stop)
    return webui.wait_until_ready()


def _text(tokens: int, seed: int = 1) -> str:
    """English with so many tokens of the model's tokenizer, less than one more or less in fifty."""
    from transformers import AutoTokenizer

    from .document_turn import SHIPPED_MODEL

    tokenizer: Any = AutoTokenizer.from_pretrained(str(SHIPPED_MODEL))
    ids = tokenizer(english(8 * tokens, seed), add_special_tokens=False)["input_ids"]
    return str(tokenizer.decode(ids[: tokens - 40]))


def _asked(kept: RunningHost, off: RunningHost, text: str, pairs: int) -> tuple[_Seen, _Seen]:
    """The same questions to both, in turn; a first one is not counted: it is where the text is read."""
    seen = {webui: _Seen() for webui in (kept, off)}
    for number in range(pairs + 1):
        prompt = f"{text}\nWhat stands in sentence {number + 11} of the text? ASSISTANT:"
        for webui in (kept, off) if number % 2 else (off, kept):
            found = _ask(webui, prompt)
            if number:
                seen[webui].first_token.append(found[0])
                seen[webui].replies.append(found[1])
                inside, context = _GENERATED.findall(webui.said())[-1]
                seen[webui].inside.append(float(inside))
                seen[webui].context.append(int(context))
    return seen[kept], seen[off]


def _ask(webui: RunningHost, prompt: str) -> tuple[float, str]:
    """Seconds to the first text of a greedy reply of one token, or to its end where that token shows no text."""
    body: dict[str, Any] = {"prompt": prompt, "temperature": 1.0, "repetition_penalty": 1.0, "seed": 1}
    body["truncation_length"] = _WINDOW
    begun = time.perf_counter()
    if not webui.openai_api:
        body |= {"max_new_tokens": 1, "do_sample": False, "add_bos_token": True}
        text = str(webui.post("/api/v1/generate", body)["results"][0]["text"])
        return time.perf_counter() - begun, text
    body |= {"max_tokens": 1, "do_sample": False, "top_k": 1, "stream": True}
    data, headers = json.dumps(body).encode(), {"Content-Type": "application/json"}
    first, text = 0.0, ""
    with urllib.request.urlopen(urllib.request.Request(f"{webui.api}/v1/completions", data, headers)) as answer:
        for line in answer:
            if line.startswith(b"data: {"):
                text += json.loads(line[6:])["choices"][0]["text"]
            if text and not first:
                first = time.perf_counter() - begun
    return first or time.perf_counter() - begun, text
