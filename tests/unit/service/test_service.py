"""The use cases: a load through us, a load without us, what is said and what is left behind."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest

from extensions.airoboros_longctx.core.context_plan import PlanRequest
from extensions.airoboros_longctx.core.errors import ModelFolderError
from extensions.airoboros_longctx.core.load_status import NO_MODEL_STATUS, Verdict
from extensions.airoboros_longctx.core.mechanisms import PATCH
from extensions.airoboros_longctx.core.settings import Settings
from extensions.airoboros_longctx.core.user_rules import UserRule
from tests.unit.service.conftest import CARD

SCALED = "linear ×4 · 8192 tokens · Transformers · confirmed on the live model"


# -- plan ------------------------------------------------------------------------------------------------------------


def test_plan_of_a_model_that_is_not_loaded(house):
    plan = house.service.plan("scaled")
    assert (plan.factor, plan.truncation_length, plan.mechanism) == (4.0, 8192, PATCH)
    assert house.service.status() is NO_MODEL_STATUS


def test_plan_of_a_folder_that_is_not_there(house):
    with pytest.raises(ModelFolderError, match="nothing is there"):
        house.service.plan("absent")


def test_a_model_that_is_asked_for_again_is_planned_again_only_where_something_changed(house):
    plan = house.service.plan("scaled")
    assert house.service.plan("scaled") is plan
    house.host.mechanisms = {"Transformers": PATCH}
    other = house.service.plan("scaled")
    assert other is not plan
    house.host.asked = PlanRequest(context_tokens=3000)
    assert house.service.plan("scaled").truncation_length == 3000
    (house.host.folder / "scaled" / "README.md").unlink()
    assert house.service.plan("scaled").factor == 1.0


def test_context_tokens_of_the_settings_shorten_the_context_and_keep_the_factor(house):
    house.chosen = Settings(context_tokens=4096)
    plan = house.service.plan("scaled")
    assert (plan.factor, plan.truncation_length) == (4.0, 4096)
    assert plan.reason_for("truncation_length").source == "this extension's context_tokens"


def test_what_the_user_asked_of_the_host_goes_before_the_settings(house):
    house.chosen = Settings(context_tokens=4096)
    house.host.asked = PlanRequest(context_tokens=3000, context_source="--max_seq_len on the command line")
    plan = house.service.plan("scaled")
    assert plan.truncation_length == 3000
    assert plan.reason_for("truncation_length").source == "--max_seq_len on the command line"


def test_rules_of_the_settings_go_before_the_model(house):
    house.chosen = Settings(model_rules=(UserRule("scal*", factor=2.0),))
    assert house.service.plan("scaled").factor == 2.0


def test_an_unusable_rules_file_is_said_and_the_model_planned_without_it(house):
    house.host.rules_file().write_text("{", encoding="utf-8")
    assert house.service.plan("scaled").factor == 4.0
    assert "rules.yaml" in house.host.problems[0]


# -- a load through us -----------------------------------------------------------------------------------------------


def test_a_scaled_model_is_scaled_confirmed_and_gets_its_window(house):
    status = house.load("scaled")
    assert (status.verdict, status.headline) == (Verdict.CONFIRMED, SCALED)
    assert (house.host.window, house.rope.patched, house.rope.scaled_live) == (8192, 1.0, 0)
    assert house.host.lines == [f"scaled: {SCALED}"]
    assert house.service.status() == status
    assert house.service.window() == 8192


def test_a_plain_model_after_a_scaled_one_is_as_without_us(house):
    house.load("scaled")
    status = house.load("plain")
    assert status.verdict is Verdict.CONFIRMED
    assert house.host.loaded.model.factor == 1.0
    assert (house.host.window, house.service.window()) == (2048, None)


def test_a_model_with_a_loader_of_its_own_knob(house):
    status = house.load("scaled", loader="ExLlama")
    assert status.verdict is Verdict.CONFIRMED
    assert house.host.loaded.model.factor == 4.0
    assert (house.host.knob, house.rope.scaled_live) == (1.0, 0)


def test_a_model_that_the_patch_missed_is_scaled_in_place(house):
    status = house.load("scaled", runs=1.0)
    assert (status.verdict, house.rope.scaled_live) == (Verdict.CONFIRMED, 1)
    assert house.host.window == 8192


def test_a_model_that_runs_something_else_is_wrong_and_gets_no_window(house):
    house.rope.runs = 2.0
    status = house.load("scaled", runs=1.0)
    assert status.verdict is Verdict.WRONG
    assert status.headline == "linear ×4 · 8192 tokens · Transformers · but the live model runs ×2"
    assert status.advice == ("Its answers will be wrong. Reload the model; if this stays, load it with another loader.")
    assert (house.host.window, house.service.window()) == (2048, None)
    assert house.host.problems == [f"scaled: {status.headline} {status.advice}"]


def test_a_plain_model_that_runs_scaled_is_wrong(house):
    assert house.load("plain", runs=4.0).verdict is Verdict.WRONG


def test_scaling_that_fails_is_a_sentence_and_no_window(house):
    house.rope.broken = {"patch_classes", "scale_live"}
    status = house.load("scaled")
    assert status.verdict is Verdict.WRONG
    assert status.advice == (
        "Could not scale the loaded model: RuntimeError: scale_live broke. The model is as the loader left it."
    )
    assert (house.host.window, house.host.loaded.model.factor) == (2048, 1.0)


def test_a_patch_that_fails_is_made_good_in_place_and_said(house):
    house.rope.broken = {"patch_classes"}
    status = house.load("scaled")
    assert status.verdict is Verdict.CONFIRMED
    assert status.advice.startswith("Could not prepare the load: RuntimeError: patch_classes broke.")


def test_a_model_that_cannot_be_read_is_not_confirmed(house):
    house.rope.broken = {"read"}
    status = house.load("scaled")
    assert (status.verdict, house.host.window) == (Verdict.WRONG, 2048)
    assert "NOT confirmed on the live model" in status.headline
    assert "read broke" in status.advice


def test_a_plain_model_that_cannot_be_read_is_left_alone(house):
    house.hold("plain", runs=None)
    status = house.service.status()
    assert (status.verdict, status.advice) == (Verdict.LEFT_ALONE, "This model has no rotary embedding.")


def test_a_model_that_is_no_llama_is_left_as_it_is_and_told_why(house):
    house.add_model("neox", CARD, model_type="gpt_neox", architectures=["GPTNeoXForCausalLM"])
    status = house.load("neox", runs=1.0)
    assert (status.verdict, house.host.window, house.rope.scaled_live) == (Verdict.WRONG, 2048, 0)
    assert status.headline.endswith("· not applied: this is a gpt_neox model, no Llama: it is left alone")
    assert status.advice == "Keep prompts within the base window of 2048 tokens."


def test_a_load_that_cannot_be_planned_is_not_ours(house):
    assert house.service.before_load("absent", "Transformers") is None
    assert "nothing is there" in house.host.problems[0]
    house.service.end_of_load(None)
    assert house.service.after_load(None, object()) is NO_MODEL_STATUS


def test_a_load_that_fails_leaves_nothing_behind(house):
    house.load("scaled")
    house.host.loaded = None
    pending = house.service.before_load("scaled", "Transformers")
    assert house.rope.patched == 4.0
    house.service.end_of_load(pending)
    assert (house.rope.patched, house.host.window) == (1.0, 2048)
    house.service.end_of_load(pending)
    assert house.service.after_load(pending, None) is NO_MODEL_STATUS


def test_an_undo_that_fails_is_said(house):
    house.rope.broken = {"undo patch_classes"}
    assert house.load("scaled").verdict is Verdict.CONFIRMED
    assert "Could not undo what was prepared for the load" in house.host.problems[0]


def test_a_host_that_takes_no_window_keeps_its_own(house):
    house.host.broken = {"use_window"}
    assert house.load("scaled").verdict is Verdict.CONFIRMED
    assert house.host.window == 2048
    assert "Could not give the window to the host: RuntimeError: use_window broke" in house.host.problems[0]


def test_a_confirmation_that_fails_is_said_and_leaves_no_window(house, monkeypatch):
    house.load("scaled")
    monkeypatch.setattr("extensions.airoboros_longctx.core.load_verdict.judge", lambda *_: 1 / 0)
    status = house.load("scaled")
    assert status.verdict is Verdict.WRONG
    assert "Could not confirm the load: ZeroDivisionError" in status.headline
    assert house.service.status() == status
    assert house.host.window == 2048


def test_scaling_switched_off(house):
    house.chosen = Settings(apply_scaling=False)
    assert house.service.before_load("scaled", "Transformers") is None
    assert not house.service.applies_plans()
    house.load("scaled")
    status = house.service.status()
    assert (status.verdict, status.headline) == (Verdict.LEFT_ALONE, "left alone: apply_scaling is off")
    assert (house.host.loaded.model.factor, house.host.window, house.service.window()) == (1.0, 2048, None)


# -- a load without us -----------------------------------------------------------------------------------------------


def test_a_model_that_is_there_already_is_scaled_in_place_once(house):
    model = house.hold("scaled")
    assert house.service.adopt_loaded_model().headline == SCALED
    assert (model.factor, house.host.window) == (4.0, 8192)
    house.service.adopt_loaded_model()
    assert (house.rope.scaled_live, house.host.lines) == (1, [f"scaled: {SCALED}"])


def test_a_model_with_a_knob_of_its_own_is_loaded_again(house):
    house.hold("scaled", loader="ExLlama")
    house.service.adopt_loaded_model()
    assert house.host.reloads == 1
    assert "loading it again" in house.host.lines[0]


def test_a_reload_that_fails_is_said(house):
    house.host.broken = {"reload_model"}
    house.hold("scaled", loader="ExLlama")
    status = house.service.status()
    assert status.verdict is Verdict.WRONG
    assert "but the live model runs ×1" in status.headline
    assert "reload_model broke" in status.advice


def test_a_reload_that_fails_is_not_tried_again(house):
    def reload_without_us():
        house.host.reloads += 1
        house.hold("scaled", loader="ExLlama")
        raise RuntimeError("out of memory")

    house.host.reload_model = reload_without_us
    house.hold("scaled", loader="ExLlama")
    first = house.service.status()
    assert house.service.status() == first
    assert house.host.reloads == 1
    assert house.host.window == 2048


def test_a_reload_that_leaves_no_model_is_said(house):
    def lose():
        house.host.loaded = None
        raise RuntimeError("out of memory")

    house.host.reload_model = lose
    house.hold("scaled", loader="ExLlama")
    assert house.service.status() is NO_MODEL_STATUS
    assert "no model is loaded now" in house.host.problems[0]
    assert "out of memory" in house.host.problems[0]


def test_nothing_keeps_the_old_model_while_it_is_loaded_again(house):
    old = weakref.ref(house.hold("scaled", loader="ExLlama"))
    seen = []

    def unload_and_load():
        house.host.loaded = None
        seen.append(old())
        house.hold("scaled", loader="ExLlama").factor = 4.0

    house.host.reload_model = unload_and_load
    assert house.service.status().verdict is Verdict.CONFIRMED
    assert seen == [None]


def test_tables_that_end_before_the_window_are_made_again(house):
    """The factor was right and the length was not: the kernels would read past the end."""
    house.hold("scaled", loader="ExLlama").factor = 4.0
    house.rope.table_length = 2048
    status = house.service.status()
    assert house.host.reloads == 1
    assert "without room for 8192 tokens; loading it again" in house.host.lines[0]
    assert (status.verdict, house.host.window) == (Verdict.WRONG, 2048)
    assert "tables end at 2048 tokens" in status.headline
    assert "max_seq_len to 8192" in status.advice


def test_an_adopted_model_without_a_folder_is_left_alone_and_said_once(house):
    house.hold("absent")
    status = house.service.status()
    assert status.verdict is Verdict.LEFT_ALONE
    assert "nothing is there" in status.headline
    house.service.status()
    assert len(house.host.problems) == 1


def test_an_adopted_model_takes_the_window_of_the_one_before(house):
    house.load("scaled")
    house.hold("absent")
    house.service.status()
    assert house.host.window == 2048


def test_a_host_that_cannot_be_asked_is_a_status_not_an_exception(house):
    house.host.broken = {"loaded_model"}
    status = house.service.status()
    assert status.verdict is Verdict.LEFT_ALONE
    assert "loaded_model broke" in status.headline


# -- unload ----------------------------------------------------------------------------------------------------------


def test_an_unloaded_model_takes_status_and_window_with_it(house):
    house.load("scaled")
    house.host.loaded = None
    assert house.service.status() is NO_MODEL_STATUS
    assert (house.host.window, house.service.window()) == (2048, None)


def test_a_model_between_loader_and_host_is_not_taken_for_unloaded(house):
    pending = house.service.before_load("scaled", "Transformers")
    model = house.hold("scaled", runs=4.0).__class__(4.0)
    house.host.loaded = None
    house.service.end_of_load(pending)
    house.service.after_load(pending, model)
    assert house.service.status().headline == SCALED
    assert house.host.window == 8192


def test_the_window_is_withdrawn_only_once(house):
    house.load("scaled")
    house.host.loaded = None
    house.service.status()
    house.host.window = 3000
    house.service.status()
    assert house.host.window == 3000


@pytest.mark.parametrize("through_us", [True, False])
def test_an_unloaded_model_is_freed(house, through_us):
    house.load("scaled") if through_us else house.hold("scaled")
    house.service.status()
    memory = weakref.ref(house.host.loaded.model)
    house.host.loaded = None
    gc.collect()
    assert memory() is None


# -- a suggestion ----------------------------------------------------------------------------------------------------


def test_a_suggestion_is_shown_and_applied_only_when_accepted(house):
    house.load("llama-7b-16k")
    assert house.service.suggestion().scaling.factor == 8.0
    assert (house.host.loaded.model.factor, house.host.window) == (1.0, 2048)
    status = house.service.accept_suggestion()
    assert status.headline == "linear ×8 · 16384 tokens · Transformers · confirmed on the live model"
    assert (house.host.loaded.model.factor, house.host.window) == (8.0, 16384)
    assert "llama-7b-16k" in house.host.rules_file().read_text(encoding="utf-8")
    assert house.service.suggestion() is None
    assert house.load("llama-7b-16k").plan.factor == 8.0


def test_nothing_to_accept(house):
    assert house.service.accept_suggestion() is NO_MODEL_STATUS
    status = house.load("scaled")
    assert house.service.accept_suggestion() is status
    assert not house.host.rules_file().exists()


def test_a_rule_that_cannot_be_kept_is_said(house):
    house.load("llama-7b-16k")
    house.host.rules_file().mkdir()
    house.service.accept_suggestion()
    assert any("rules.yaml" in problem for problem in house.host.problems)
    assert house.host.loaded.model.factor == 1.0


# -- several pages at once -------------------------------------------------------------------------------------------


def test_many_pages_ask_during_loads(house):
    seen, failures, done = set(), [], threading.Event()

    def poll() -> None:
        while not done.is_set():
            try:
                seen.add(house.service.status().verdict)
                house.service.window()
            except Exception as error:
                failures.append(error)

    pages = [threading.Thread(target=poll) for _ in range(4)]
    for page in pages:
        page.start()
    for name in ("scaled", "plain") * 15:
        house.load(name)
    done.set()
    for page in pages:
        page.join(30)
        assert not page.is_alive()
    assert not failures
    assert Verdict.WRONG not in seen
    assert house.host.window == 2048
    assert house.service.status().headline.startswith("unscaled · 2048 tokens")


def test_a_model_that_was_put_away_keeps_its_window_for_the_request_that_wakes_it(house):
    house.load("scaled")
    house.host.loaded, house.host.asleep = None, True
    assert house.service.status().headline == f"{SCALED} · asleep until the next request"
    assert (house.host.window, house.service.window()) == (8192, 8192)
    house.load("plain")
    assert house.host.window == 2048
    house.host.loaded, house.host.asleep = None, False
    assert house.service.status() is NO_MODEL_STATUS
