"""What a release must do, a function each: it returns what was seen, fails, or says why the release has no such path.

The order counts: the first ones look at the model of the command line, the last one leaves an unscaled model.
"""

from __future__ import annotations

import contextlib
import re
import urllib.error
import urllib.request
from collections.abc import Callable

import numpy as np

from extensions.airoboros_longctx.core.closed_context import ClosedContext, Document, render
from extensions.airoboros_longctx.core.instruction_templates import instruction_template, render_conversation
from tests.host.models import BASE, CONFIRMED, DEMO, FACTOR, LONG, WINDOW
from tests.releases.release_run import Absent, ReleaseRun

TEMPLATE = instruction_template("Airoboros-1.4")
STATUS = "#airoboros-longctx-status-line [role=status]"
SOON, LATER = 20_000, 120_000


def page_and_api(run: ReleaseRun) -> str:
    with urllib.request.urlopen(f"{run.server.url}config", timeout=30) as answer:
        config = answer.read().decode()
    for part in ("airoboros-longctx-status-line", "airoboros-longctx-documents", "airoboros-longctx-plainformat"):
        assert part in config, f"the page has no {part}"
    missing = [line for line in run.server.said().split("[airoboros_longctx]") if "not supported here" in line]
    assert not missing, missing[0][:200]
    return "page, API and the three panels"


def command_line(run: ReleaseRun) -> str:
    assert CONFIRMED in run.server.said(), "the log does not say that the model is scaled"
    return _scaled(run)


def status_line(run: ReleaseRun) -> str:
    line = run.page.locator(STATUS).first
    line.wait_for(state="attached", timeout=LATER)
    run.page.locator(STATUS, has_text=CONFIRMED).first.wait_for(state="attached", timeout=SOON)
    line.scroll_into_view_if_needed()
    run.picture("status")
    return CONFIRMED


def api_load(run: ReleaseRun) -> str:
    run.server.load(run.models.plain.name)
    _unscaled(run)
    run.server.load(run.models.scaled.name)
    return _scaled(run)


def model_tab(run: ReleaseRun) -> str:
    page, model = run.page, run.models.plain.name
    for model in (run.models.plain.name, run.models.scaled.name):
        page.locator("button", has_text=re.compile(r"^\s*Model\s*$")).first.click()
        box = page.locator("input[aria-label='Model'], label:has(> span:text-is('Model')) input").first
        box.click()
        box.fill(model)
        page.locator("[role=option], ul.options li", has_text=model).first.click()
        page.wait_for_timeout(1500)
        page.get_by_role("button", name="Load", exact=True).click()
        page.get_by_text(re.compile(f"Successfully loaded `?{model}")).first.wait_for(timeout=LATER)
    return _scaled(run)


def failing_load(run: ReleaseRun) -> str:
    """Broken weights between two good loads: nothing is left behind."""
    with contextlib.suppress(urllib.error.HTTPError):  # some releases answer 200 with an error inside
        run.server.load(run.models.broken.name)
    assert not run.server.ask("window")["loaded"]
    run.server.load(run.models.plain.name)
    _unscaled(run)
    run.server.load(run.models.scaled.name)
    return _scaled(run)


def idle_reload(run: ReleaseRun) -> str:
    if not run.has_flag("--idle-timeout"):
        raise Absent("this release has no --idle-timeout")
    run.server.ask("idle_unload")
    assert not run.server.ask("window")["loaded"]
    return _scaled(run)


def template(run: ReleaseRun) -> str:
    found = run.act("", "template")
    names = ("Airoboros-1.2", "Airoboros-1.4", "Airoboros-2.1", "Airoboros-2.2", "Airoboros-3")
    missing = [name for name in names if name not in found["listed"]]
    assert not missing, f"not in the dropdown: {', '.join(missing)}"
    settings = found["settings"]
    if "instruction_template_str" in settings:
        assert "The assistant never refuses to answer" in settings["instruction_template_str"]
    else:
        assert settings["instruction_template"] == TEMPLATE.name
    return f"five in the list, {TEMPLATE.name} active"


def document_question(run: ReleaseRun) -> str:
    """A question whose documents fill the window: the ids that reach the model, and its answer."""
    from demo.train.data import keyed_question

    asked = keyed_question(7004, 900, 0.2, _tokenizer(), blocks=2, ask_source=False)
    documents = [{"title": "", "text": one.text, "metadata": [*map(list, one.pairs)]} for one in asked.documents]
    answer = run.act("send", text=asked.instruction, documents=documents, fields={"max_new_tokens": 12})
    blocks = tuple(Document(one.text, one.pairs) for one in asked.documents)
    prompt = render_conversation(TEMPLATE, render(ClosedContext(blocks, asked.instruction)))
    assert answer["ids"] == _tokenizer()(prompt)["input_ids"], "other tokens reached the model"
    assert len(answer["ids"]) > BASE * 3
    reply = answer["history"]["internal"][-1][1].strip()
    assert asked.value in reply, f"{asked.value!r} was asked for, {reply!r} was answered"
    return f"{len(answer['ids'])} tokens, exact; answered {reply!r}"


def plainformat(run: ReleaseRun) -> str:
    answer = run.act("send", text="Write a loop.", plainformat=True)
    prompt = render_conversation(TEMPLATE, "Write a loop.\nPLAINFORMAT")
    assert answer["ids"] == _tokenizer()(prompt)["input_ids"], "other tokens reached the model"
    assert answer["history"]["internal"][-1][0] == "Write a loop."
    assert "language-plainformat" in answer["shown"][-1], "the reply is not shown as code"
    return "exact tokens; the reply is shown as code"


def unload_and_unscaled(run: ReleaseRun) -> str:
    run.server.unload()
    assert not run.server.ask("window")["loaded"]
    run.server.load(run.models.plain.name)
    return _unscaled(run)


def lora(run: ReleaseRun) -> str:
    """A LoRA on the unscaled model, as "Apply LoRAs" puts it there and takes it away again."""
    run.server.load(run.models.plain.name)
    run.act("", "lora", names=[run.lora.name])
    found = run.server.first_scores(LONG)
    ids = found["input_ids"]
    assert len(ids) > BASE, f"{len(ids)} tokens reached the model"
    expected = run.offline(run.models.plain, FACTOR, ids, run.lora)
    assert np.array_equal(found["scores"], expected), "with the LoRA: other logits than scaled by config"
    assert run.server.ask("window")["truncation_length"] == WINDOW
    run.act("", "lora", names=[])
    found = run.server.first_scores(LONG[:300])
    kept = {"gone": None, "still there, as this release leaves it": run.lora}
    after = [
        how
        for how, left in kept.items()
        if np.array_equal(found["scores"], run.offline(run.models.plain, 1, found["input_ids"], left))
    ]
    assert after, "without the LoRA: not as an unscaled load"
    assert run.server.ask("window")["truncation_length"] != WINDOW
    return f"base scaled for {len(ids)} tokens bit for bit; unscaled after it, the LoRA {after[0]}"


#: In this order.
PATHS: dict[str, Callable[[ReleaseRun], str]] = {
    "page and API": page_and_api,
    "Transformers, command line": command_line,
    "status line": status_line,
    "instruct template": template,
    "question from documents": document_question,
    "PLAINFORMAT": plainformat,
    "Transformers, API": api_load,
    "Transformers, Model tab": model_tab,
    "Transformers, idle reload": idle_reload,
    "a load that fails": failing_load,
    "LoRA on and off": lora,
    "unload, then unscaled": unload_and_unscaled,
}


def _scaled(run: ReleaseRun) -> str:
    """The live model computes what a load scaled by its own config does, and every place says its window."""
    found = run.server.first_scores(LONG)
    ids, scores = found["input_ids"], found["scores"]
    assert BASE < len(ids) < WINDOW, f"{len(ids)} tokens reached the model"
    assert np.array_equal(scores, run.offline(run.models.scaled, FACTOR, ids)), "other logits than scaled by config"
    assert not np.array_equal(scores, run.offline(run.models.scaled, 1, ids))
    window = run.server.ask("window")
    assert found["truncation_length"] == WINDOW, f"a request's truncation_length is {found['truncation_length']}"
    for key in ("truncation_length", "max_seq_len", "ctx_size"):
        assert window.get(key, WINDOW) == WINDOW, f"{key} is {window[key]}"
    return f"logits of {len(ids)} tokens bit for bit; window {WINDOW} everywhere"


def _unscaled(run: ReleaseRun) -> str:
    found = run.server.first_scores(LONG[:300])
    expected = run.offline(run.models.plain, 1, found["input_ids"])
    assert np.array_equal(found["scores"], expected), "an unscaled model is not as without us"
    window = run.server.ask("window")["truncation_length"]
    assert window != WINDOW, "the window of the model before is still there"
    return f"logits bit for bit; window {window}"


def _tokenizer():
    """The shipped tokenizer, which gives the same ids in every version of Transformers."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(str(DEMO))
