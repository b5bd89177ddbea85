"""A text longer than the window, summarised piece by piece: shown, stopped, gone on with."""

from __future__ import annotations

import re

import pytest

from extensions.airoboros_longctx.core.recipes.recipe import read_recipe
from extensions.airoboros_longctx.core.recipes.rolling_summary import summarises_pieces
from extensions.airoboros_longctx.format_service import Form
from extensions.airoboros_longctx.ui.formats.filled_form import FilledForm
from tests.unit.ui.formats.conftest import Shown

STORY = "\n\n".join(f"Place {number} is a harbor with a tower, and people speak of the tide." for number in range(60))


@pytest.fixture
def begun(panel):
    """The outputs of a summary that has just begun; each reply names the last place of its piece."""

    def reply(prompt, reply_tokens, stopping):
        panel.host.prompts.append((prompt, reply_tokens))
        yield "Up to"
        if not stopping.is_set():
            yield f"Up to {re.findall('Place [0-9]+', prompt)[-1]}."

    panel.host.reply = reply
    return panel.asking.on_ask(*panel.fields("Summary of a text", STORY, "20"))


def test_piece_by_piece_with_the_summary_so_far(panel, begun):
    shown = [Shown(outputs) for outputs in begun]
    pieces = len(panel.host.prompts)
    said = list(dict.fromkeys(re.sub("<[^>]+>", "", one.words) for one in shown))
    progress = [f"Piece {number} of {pieces}." for number in range(1, pieces + 1)]
    assert pieces > 2
    assert said == ["Asking …", *progress, "The whole text is in the summary."]
    assert all(one.visible == ["stop"] for one in shown[:-1])
    assert (shown[-1].visible, shown[-1].running) == (["actions"], None)
    assert shown[-1].result == '<pre class="airoboros-longctx-text">Up to Place 59.</pre>'
    assert "Summary of what came before:\nUp to Place " in panel.host.prompts[1][0]
    assert {tokens for _, tokens in panel.host.prompts} == {40}
    places = [int(number) for prompt, _ in panel.host.prompts for number in re.findall("Place ([0-9]+) is", prompt)]
    assert places == list(range(60))


def test_stop_keeps_what_is_done_and_go_on_reads_the_rest(panel, begun):
    for outputs in begun:
        shown = Shown(outputs)
        if "Piece 2 of" in shown.words:
            panel.plans.on_stop(shown.stopping, shown.running)
    pieces = len(shown.running.pieces)
    assert f"Stopped. The summary has 1 of {pieces} pieces." in shown.words
    assert shown.visible == ["actions", "later", "go_on"]
    assert re.search("Up to Place [0-9]+[.]", shown.result)
    before = len(panel.host.prompts)
    *_, last = map(Shown, panel.summarising.on_go_on(shown.running, None))
    assert len(panel.host.prompts) - before == pieces - 1
    assert last.result == '<pre class="airoboros-longctx-text">Up to Place 59.</pre>'


def test_a_piece_that_fails_leaves_the_others(panel, begun):
    for outputs in begun:
        shown = Shown(outputs)
        if "Piece 3 of" in shown.words:
            panel.host.reply = lambda prompt, reply_tokens, stopping: iter(["  "])
    pieces = len(shown.running.pieces)
    assert f"The model&#x27;s summary is empty; generate it again. The summary has 2 of {pieces} pieces." in shown.words
    assert re.search("Up to Place [0-9]+[.]", shown.result)
    assert shown.visible == ["actions", "later", "go_on"]


def test_a_recipe_of_ones_own_may_bring_its_text(panel):
    text = STORY.split("\n")[0]
    fields = f"  text:\n    kind: document\n    default: {text}\n  words:\n    kind: number\n    default: 20\n"
    recipe = read_recipe(f"name: own\ntitle: Own\ntemplate: '{{text}} {{words}}'\nfields:\n{fields}")
    assert summarises_pieces(recipe)
    filled = FilledForm(Form("own", "Own", "", "", recipe.fields, recipe), {}, panel.session, [])
    begun = panel.summarising.begin(recipe, filled, panel.host.request(panel.session, []))
    assert begun.pieces == (text,)


def test_a_text_that_fits_is_asked_at_once(panel):
    panel.host.replies = [["Short."]]
    shown = [Shown(outputs) for outputs in panel.asking.on_ask(*panel.fields("Summary of a text", "It is teal.", "20"))]
    assert len(panel.host.prompts) == 1
    assert not any("Piece" in one.words for one in shown)
    assert "Short." in shown[-1].result


def test_no_room_is_said(panel, monkeypatch):
    monkeypatch.setattr(type(panel.host.turn), "limit_tokens", 100)
    *_, last = map(Shown, panel.asking.on_ask(*panel.fields("Summary of a text", STORY, "20")))
    assert re.search(r"The window leaves \d+ tokens for a message; a summary needs at least \d+\.", last.words)
    assert panel.host.prompts == []


def test_nothing_to_go_on_with(panel):
    (shown,) = map(Shown, panel.summarising.on_go_on(None, None))
    assert "There is no summary to go on with; ask for one first." in shown.words


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("{kind: number}", True),
        ("{kind: number, required: false}", False),
        ("{kind: line}", False),
    ],
)
def test_a_recipe_with_a_summarys_fields_is_summarised(words, expected):
    fields = f"fields:\n  text: {{kind: document}}\n  words: {words}\n"
    recipe = read_recipe(f'name: short\ntitle: Short\n{fields}template: "{{text}} in {{words}}"')
    assert summarises_pieces(recipe) is expected
