"""The webui's side of the service: what the user asked of it, where a window is written, what passes through."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from extensions.airoboros_longctx.core.documents.shelves import DocumentShelves
from extensions.airoboros_longctx.core.load_status import Verdict
from extensions.airoboros_longctx.core.settings import Settings
from extensions.airoboros_longctx.host.webui import hooks
from extensions.airoboros_longctx.host.webui.chat.prompting import WebuiPrompting
from extensions.airoboros_longctx.host.webui.hooks import WebuiHooks
from extensions.airoboros_longctx.host.webui.seams import GATHER, MARK, PROMPT, REPLY, SEAMS, SESSION, WINDOW, Seam
from extensions.airoboros_longctx.host.webui.webui_host import WebuiHost
from extensions.airoboros_longctx.prompt_service import PromptService
from tests.unit.host.conftest import LOADER_FUNCTIONS, LOADERS, NEW, OLD

only_new = pytest.mark.parametrize("webui", [NEW], indirect=True)
only_old = pytest.mark.parametrize("webui", [OLD], indirect=True)


def window_argument(webui) -> str:
    return "ctx_size" if webui.release == NEW else "max_seq_len"


# -- loads -----------------------------------------------------------------------------------------------------------


def test_a_scaled_model_gets_its_factor_and_its_window_everywhere(webui):
    webui.start_extension()
    webui.load("scaled")
    assert webui.shared.model.factor == 4.0
    assert webui.service.status().headline == "linear ×4 · 8192 tokens · Transformers · confirmed on the live model"
    assert webui.shared.settings["truncation_length"] == 8192
    assert getattr(webui.shared.args, window_argument(webui)) == 8192
    metadata = webui.models_settings.get_model_metadata("scaled")
    assert {metadata[key] for key in ("truncation_length", window_argument(webui))} == {8192}
    assert any("[airoboros_longctx] scaled: linear ×4" in line for line in webui.log)


def test_a_plain_model_after_a_scaled_one_is_as_without_us(webui):
    webui.start_extension()
    webui.load("scaled")
    webui.load("plain")
    assert webui.shared.model.factor == 1.0
    assert webui.shared.settings["truncation_length"] == 2048
    assert webui.models_settings.get_model_metadata("plain")["truncation_length"] == 2048
    defaults = webui.shared.args_defaults
    assert getattr(webui.shared.args, window_argument(webui)) == getattr(defaults, window_argument(webui))


def test_a_model_loaded_before_us_is_looked_after_at_start(webui):
    webui.load("scaled")
    webui.start_extension()
    assert webui.shared.model.factor == 4.0
    assert webui.shared.settings["truncation_length"] == 8192


def test_unload_withdraws_the_window(webui):
    webui.start_extension()
    webui.load("scaled")
    webui.unload_model()
    assert webui.service.status().verdict is Verdict.NO_MODEL
    assert getattr(webui.shared.args, window_argument(webui)) != 8192


def test_a_failed_load_raises_the_webuis_own_error_and_leaves_nothing(webui):
    webui.start_extension()
    webui.fails = True
    with pytest.raises(OSError, match="the weights are broken"):
        webui.load("scaled")
    assert webui.rope.patched == 1.0
    webui.fails = False
    webui.load("plain")
    assert webui.shared.model.factor == 1.0


def test_a_scaling_that_fails_leaves_the_stock_window(webui):
    webui.start_extension()
    webui.rope.broken = {"patch_classes", "scale_live"}
    webui.load("scaled")
    assert webui.service.status().verdict is Verdict.WRONG
    assert webui.shared.model.factor == 1.0
    if webui.release == NEW:  # v1.7's callers read the metadata once more, before or after
        assert webui.shared.settings["truncation_length"] == 2048


def test_apply_scaling_off_leaves_loads_windows_and_loader_as_they_are(webui):
    webui.chosen = Settings(apply_scaling=False)
    webui.start_extension()
    webui.load("scaled")
    assert webui.shared.model.factor == 1.0
    assert webui.shared.settings["truncation_length"] == 2048
    assert webui.models_settings.get_model_metadata("scaled")["truncation_length"] == 2048
    state = {"loader": "Elsewhere", "truncation_length": 1}
    assert webui.models_settings.apply_model_settings_to_state("scaled", state)["truncation_length"] == 2048


@only_old
@pytest.mark.parametrize("loader", ["AutoGPTQ", "ExLlama"])
def test_the_other_loaders_of_the_old_webui(webui, loader, monkeypatch):
    monkeypatch.setattr("extensions.airoboros_longctx.host.webui.capabilities._installed", lambda loader: True)
    webui.start_extension()
    webui.load("scaled", loader)
    assert webui.shared.model.factor == 4.0
    assert webui.service.status().verdict is Verdict.CONFIRMED
    assert webui.shared.args.compress_pos_emb == 1
    assert webui.shared.args.max_seq_len == 8192


@only_old
def test_a_model_that_the_loader_must_scale_is_loaded_again_when_it_was_there_before_us(webui, monkeypatch):
    monkeypatch.setattr("extensions.airoboros_longctx.host.webui.capabilities._installed", lambda loader: True)
    webui.load("scaled", "ExLlama")
    webui.start_extension()
    assert webui.service.status().verdict is Verdict.CONFIRMED
    assert (webui.shared.model.factor, webui.shared.model_name) == (4.0, "scaled")


# -- what the user asked ---------------------------------------------------------------------------------------------


def test_nothing_asked(webui):
    webui.start_extension()
    request = webui.host.user_request("scaled", None)
    assert (request.context_tokens, request.loader, request.host_factor) == (None, None, None)


def test_a_flag_wins(webui):
    key = window_argument(webui)
    setattr(webui.shared.args, key, 4096)
    webui.shared.provided_arguments.append(key)
    webui.shared.user_config["scaled$"] = {key: 3000}
    webui.start_extension()
    webui.load("scaled")
    plan = webui.service.status().plan
    assert (plan.factor, plan.truncation_length) == (4.0, 4096)
    assert plan.reason_for("truncation_length").source == f"--{key} on the command line"
    assert getattr(webui.shared.args, key) == 4096


def test_a_saved_entry_wins_and_the_plan_says_so(webui):
    webui.shared.user_config["scaled$"] = {"truncation_length": 3000}
    webui.start_extension()
    webui.load("scaled")
    plan = webui.service.status().plan
    assert (plan.factor, plan.truncation_length) == (4.0, 3000)
    source = "truncation_length saved for this model in config-user.yaml"
    assert plan.reason_for("truncation_length").source == source
    assert webui.shared.settings["truncation_length"] == 3000


def test_a_saved_entry_of_another_model_says_nothing(webui):
    webui.shared.user_config["other$"] = {"truncation_length": 3000}
    webui.start_extension()
    assert webui.service.plan("scaled").truncation_length == 8192


def test_a_slider_wins(webui):
    webui.start_extension()
    webui.models_settings.get_model_metadata("scaled")  # the page shows the planned window …
    setattr(webui.shared.args, window_argument(webui), 6000)  # … and the user moves the slider
    plan = webui.service.plan("scaled")
    assert plan.truncation_length == 6000
    assert plan.reason_for("truncation_length").source == f"{window_argument(webui)} in the Model tab"


@pytest.mark.parametrize("value", ["planned", "stock", "default", "none"])
def test_the_hosts_own_numbers_are_not_the_users(webui, value):
    webui.start_extension()
    webui.models_settings.get_model_metadata("scaled")
    key = window_argument(webui)
    numbers = {"planned": 8192, "stock": 2048, "default": getattr(webui.shared.args_defaults, key), "none": 0}
    setattr(webui.shared.args, key, numbers[value])
    assert webui.service.plan("scaled").truncation_length == 8192
    assert webui.host.user_request("scaled", None).context_tokens is None


def test_our_own_numbers_saved_with_save_settings_are_not_a_request(webui):
    webui.start_extension()
    webui.load("scaled")
    webui.shared.user_config["scaled$"] = {"truncation_length": 8192, "loader": "Transformers"}
    plan = webui.service.plan("scaled")
    assert (plan.factor, plan.truncation_length) == (4.0, 8192)


@only_old
def test_a_factor_that_the_user_gave_the_webui_wins(webui):
    webui.shared.args.compress_pos_emb = 2
    webui.shared.provided_arguments.append("compress_pos_emb")
    webui.start_extension()
    request = webui.host.user_request("scaled", None)
    assert (request.host_factor, request.host_factor_source) == (2.0, "--compress_pos_emb on the command line")


@pytest.mark.parametrize("broken", [None, {"scaled$": None}, {"scaled$": {"truncation_length": "many"}}])
def test_an_odd_config_user_says_nothing(webui, broken):
    webui.start_extension()
    webui.shared.user_config = broken
    assert webui.service.plan("scaled").truncation_length == 8192


# -- requests --------------------------------------------------------------------------------------------------------


@only_old
def test_a_request_of_the_old_api_is_widened_at_its_literal_only(webui, monkeypatch):
    webui.start_extension()
    webui.load("scaled")
    window = webui.service.window()
    assert webui.host.widen_request({"truncation_length": 2048}, window) == {"truncation_length": 2048}
    monkeypatch.setitem(sys.modules, "extensions.api.util", ModuleType("extensions.api.util"))
    assert webui.host.widen_request({"truncation_length": 2048}, window) == {"truncation_length": 8192}
    assert webui.host.widen_request({"truncation_length": 2048}, None) == {"truncation_length": 2048}
    for state in ({"truncation_length": 3000}, {}, {"truncation_length": 2048, "loader": "Transformers"}):
        assert webui.host.widen_request(dict(state), window) == state


@only_new
def test_requests_of_the_new_webui_are_left_alone(webui):
    webui.start_extension()
    webui.load("scaled")
    assert webui.host.widen_request({"truncation_length": 2048}, 8192) == {"truncation_length": 2048}


# -- the Model tab ---------------------------------------------------------------------------------------------------


def test_the_planned_loader_is_chosen_in_the_model_tab(webui):
    webui.start_extension()
    state = {"loader": "ExLlama", "truncation_length": 1}
    chosen = webui.models_settings.apply_model_settings_to_state("scaled", state)
    assert (chosen["loader"], chosen["truncation_length"]) == ("Transformers", 8192)


def test_a_plain_models_state_is_the_webuis(webui):
    webui.start_extension()
    state = {"loader": "ExLlama", "truncation_length": 1}
    chosen = webui.models_settings.apply_model_settings_to_state("plain", dict(state))
    assert chosen["truncation_length"] == 2048


# -- switched off, switched twice, not there -------------------------------------------------------------------------


def test_switched_off_everything_passes_through(webui):
    webui.start_extension()
    webui.shared.args.extensions = []
    webui.load("scaled")
    assert webui.shared.model.factor == 1.0
    assert webui.shared.settings["truncation_length"] == 2048
    state = {"loader": "Elsewhere", "truncation_length": 1}
    assert webui.models_settings.apply_model_settings_to_state("scaled", state)["truncation_length"] == 2048


def test_installed_twice_wraps_once_and_reverts_to_the_webuis_own(webui):
    seams = [seam for seam in SEAMS if seam.module in webui.modules]
    before = {seam: vars(webui.modules[seam.module]).get(seam.name) for seam in seams}
    webui.start_extension()
    wrapped = webui.hooks.install()
    assert {seam for seam in seams if before[seam]} == set(wrapped)
    assert wrapped == webui.hooks.install()
    webui.load("scaled")
    assert len([line for line in webui.log if "confirmed" in line]) == 1
    webui.hooks.revert()
    assert {seam: vars(webui.modules[seam.module]).get(seam.name) for seam in seams} == before
    webui.load("plain")
    assert webui.shared.model.factor == 1.0


MODELS_SETTINGS = ("get_model_metadata", "apply_model_settings_to_state")
SEAMS_OF_A_RELEASE = [
    pytest.param(release, seam, id=f"{release}-{seam.name}")
    for release in (NEW, OLD)
    for seam in SEAMS
    if seam.name in LOADER_FUNCTIONS[release].values() or seam.name in MODELS_SETTINGS
]


@pytest.mark.parametrize(("webui", "seam"), SEAMS_OF_A_RELEASE, indirect=["webui"])
def test_a_seam_with_another_name_is_said_where_nothing_else_does_its_duty(webui, seam: Seam, monkeypatch):
    module = webui.modules[seam.module]
    function = getattr(module, seam.name)
    monkeypatch.setattr(module, f"renamed_{seam.name}", function, raising=False)
    monkeypatch.delattr(module, seam.name)
    webui.start_extension()
    others = [other for other in SEAMS if other.duty == seam.duty and hasattr(webui.modules[other.module], other.name)]
    line = f"not supported here: this webui has no place known to us to {seam.duty}"
    expected = [f"{line}."] if not others else []
    if others and seam.loader in LOADERS[webui.release]:
        expected = [
            f"{line} with {seam.loader}. Such a model is looked at after its load: at the next request, or when the "
            "status line is refreshed."
        ]
    said = [line for line in webui.log if "not supported here" in line]
    assert said == [f"WARNING [airoboros_longctx] {sentence}" for sentence in expected]
    assert getattr(module, f"renamed_{seam.name}") is function


def test_without_the_place_for_the_window_it_is_given_after_the_load(webui, monkeypatch):
    """The webui writes its own window when the loader has returned."""
    others = [seam if seam.duty != WINDOW else replace(seam, name="another_name") for seam in SEAMS]
    monkeypatch.setattr(hooks, "SEAMS", tuple(others))
    webui.start_extension()
    webui.load("scaled")
    assert webui.shared.model.factor == 4.0
    assert webui.shared.settings["truncation_length"] == 2048
    assert webui.service.status().headline == "linear ×4 · 8192 tokens · Transformers · confirmed on the live model"
    assert webui.shared.settings["truncation_length"] == 8192
    webui.load("plain")
    assert (webui.shared.model.factor, webui.shared.settings["truncation_length"]) == (1.0, 2048)


def hooks_of(webui, duties: Iterable[str], **args: Any) -> WebuiHooks:
    """Our hooks with a wrapper for each of ``duties``, installed in a webui started with ``args``."""
    vars(webui.shared.args).update(args)
    if hasattr(webui, "hooks"):
        webui.hooks.revert()
    wrappers = {duty: lambda original, *given, **named: original(*given, **named) for duty in duties}
    webui.start_extension()
    webui.hooks.revert()
    webui.log.clear()
    webui.hooks = WebuiHooks(webui.service, WebuiHost("longctx"), wrappers)
    webui.hooks.install()
    return webui.hooks


@only_new
@pytest.mark.parametrize("gather", ["gather_interface_values", "gather_values"])
def test_a_place_of_the_page_is_missed_only_where_a_page_is_drawn(webui, gather: str, monkeypatch):
    """A webui with a page and one of the page's two places, or with both."""
    for name, function in (("modules.ui", gather), ("modules.ui_chat", "create_event_handlers")):
        module = ModuleType(name)
        setattr(module, function, lambda *values: values)
        monkeypatch.setitem(sys.modules, name, module)
    lost = (GATHER,) if gather == "gather_values" else ()
    assert hooks_of(webui, (SESSION, GATHER)).lost_duties() == lost
    assert [line for line in webui.log if "not supported here" in line] == [
        f"WARNING [airoboros_longctx] not supported here: this webui has no place known to us to {duty}."
        for duty in lost
    ]
    assert hooks_of(webui, (SESSION, GATHER), nowebui=True).lost_duties() == ()
    assert not any("not supported here" in line for line in webui.log)


@only_new
@pytest.mark.parametrize("lost", [PROMPT, GATHER, REPLY, MARK, ""])
def test_documents_are_refused_where_they_would_not_reach_a_prompt(webui, lost: str, monkeypatch):
    extensions = ModuleType("modules.extensions")
    extensions.iterator = lambda: iter(())  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "modules.extensions", extensions)
    monkeypatch.setattr(webui.modules["modules"], "extensions", extensions, raising=False)
    webui.start_extension()
    prompting = WebuiPrompting(webui.host, webui.service, PromptService(), Settings, lambda: None, DocumentShelves())
    prompting.lost_duties = lambda: tuple(filter(None, [lost]))
    expected = f"Documents cannot be added: this webui has no place known to us to {lost}."
    assert prompting.page().documents_blocked() == (expected if lost else "")


def test_a_webui_without_any_of_our_seams_is_untouched(webui):
    seams = [seam for seam in SEAMS if seam.module in webui.modules]
    for seam in seams:
        vars(webui.modules[seam.module]).pop(seam.name, None)
    before = {name: dict(vars(module)) for name, module in webui.modules.items()}
    webui.start_extension()
    assert webui.hooks.install() == ()
    assert {name: dict(vars(module)) for name, module in webui.modules.items()} == before
    assert {line.partition("known to us to ")[2] for line in webui.log if "not supported here" in line} == {
        f"{seam.duty}." for seam in seams
    }


def test_a_module_that_is_not_there_is_said(webui, monkeypatch):
    monkeypatch.setitem(sys.modules, "modules.models", None)
    webui.start_extension()
    assert any("not supported here: modules.models cannot be imported" in line for line in webui.log)


def test_recipes_lie_beside_the_models_and_never_among_them(tmp_path):
    host = WebuiHost.__new__(WebuiHost)
    host._shared = SimpleNamespace(args=SimpleNamespace(model_dir=str(tmp_path / "models")))
    assert host.recipes_folder() == tmp_path / "airoboros_longctx-recipes"
    host._shared.user_data_dir = tmp_path / "user_data"
    assert host.recipes_folder() == tmp_path / "user_data" / "airoboros_longctx-recipes"
