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

from extensions.airoboros_longctx.core.prompts.closed_context import ClosedContext, Document, render
from extensions.airoboros_longctx.core.prompts.instruction_templates import instruction_template, render_conversation
from tests.host.models import BASE, CONFIRMED, DEMO, FACTOR, LONG, WINDOW
from tests.releases.check_path import TOLERANCE, checked_in_page, checked_in_workbench, difference
from tests.releases.release_run import Absent, ReleaseRun

TEMPLATE = instruction_template("Airoboros-1.4")
STATUS = "#airoboros-longctx-status-line [role=status]"
SOON, LATER = 20_000, 120_000
#: Milliseconds after which the status line of an open page has asked again: it does so every four seconds.
REFRESHED = 6_000


def page_and_api(run: ReleaseRun) -> str:
    with urllib.request.urlopen(run.server.url, timeout=30) as answer:
        assert answer.status == 200
    lines = run.server.said().split("[airoboros_longctx]")[1:]
    troubles = [line for line in lines if "not supported here" in line or "failed:" in line or "could not" in line]
    assert not troubles, troubles[0][:200]
    return "both answer; nothing of ours failed"


def command_line(run: ReleaseRun) -> str:
    assert CONFIRMED in run.server.said(), "the log does not say that the model is scaled"
    return _scaled(run)


def status_line(run: ReleaseRun) -> str:
    line = run.page.locator(STATUS).first
    line.wait_for(state="attached", timeout=LATER)
    run.page.locator(STATUS, has_text=CONFIRMED).first.wait_for(state="attached", timeout=SOON)
    line.scroll_into_view_if_needed()
    for panel in ("#airoboros-longctx-documents", "#airoboros-longctx-plainformat"):
        run.page.locator(panel).first.wait_for(state="attached", timeout=SOON)
    run.picture("status")
    return f"{CONFIRMED}; both panels below it"


def check(run: ReleaseRun) -> str:
    """The panel's check of the loaded model finds what the workbench finds, and leaves the model as it was."""
    said, found = checked_in_page(run.page)
    run.picture("check")
    expected = checked_in_workbench()
    assert found.verdict == expected.verdict, found.verdict.sentence
    assert said.endswith(found.verdict.sentence), f"the page says {said!r}"
    most = difference(found, expected)
    assert most < TOLERANCE, f"perplexities differ by {most:.2g} from the workbench's"
    assert found.notes == (), found.notes
    _scaled(run)
    return f"{found.verdict.kind}; perplexities within {most:.1g} of the workbench's; logits as before, bit for bit"


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
    page = run.page
    page.wait_for_timeout(REFRESHED)  # opening it counts tokens, which would wake the model
    run.server.ask("idle_unload")
    page.wait_for_timeout(REFRESHED)  # it has looked at the status meanwhile
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


def api_documents(run: ReleaseRun) -> str:
    """Documents inside an API message: the exact prompt, and a clear error for what cannot be understood."""
    folders = (run.host.webui / "modules" / "api", run.host.webui / "extensions" / "openai")
    apis = [path for folder in folders if (path := folder / "completions.py").exists()]
    if not any("'messages': history" in api.read_text() for api in apis):
        raise Absent("this release's API drops what else a message holds")
    documents = [{"text": "The color of the harbor is teal.", "metadata": {"source": "kite"}}]
    question = "What is the color of the harbor?"
    message = {"role": "user", "content": question, "documents": documents}
    request = {"messages": [message], "mode": "instruct", "max_tokens": 8, "top_k": 1, "seed": 1}
    prompt = run.server.post("/v1/internal/chat-prompt", request)["prompt"]
    context = ClosedContext((Document(documents[0]["text"], (("source", "kite"),)),), question)
    assert prompt == render_conversation(TEMPLATE, render(context)), "another prompt"
    reply = run.server.post("/v1/chat/completions", request)["choices"][0]["message"]["content"]
    assert "teal" in reply, f"{reply!r} was answered"
    status = run.server.status_of("/v1/chat/completions", {**request, "messages": [{**message, "documents": "text"}]})
    assert status == 400, f"a bad request was answered with status {status}"
    return f"exact prompt; answered {reply.strip()!r}; 400 for a bad one"


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
    "status line and panels": status_line,
    "check of the context": check,
    "instruct template": template,
    "question from documents": document_question,
    "PLAINFORMAT": plainformat,
    "documents by API": api_documents,
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
