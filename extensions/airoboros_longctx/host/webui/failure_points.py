"""Every step of ours that runs inside a call of the webui, in one table, and what the user has when it fails.

``tests/unit/host/test_failures.py`` and ``tests/host/test_failures.py`` break one row at a time: the webui loads and
chats, and one line says what did not happen.
"""

from __future__ import annotations

from dataclasses import dataclass

START = "the webui starts"
LOAD = "a model is loaded"
PICK = "a model is picked in the Model tab"
REQUEST = "a prompt is answered"
PAGE = "our part of the page is drawn or refreshed"
DRAW = "the webui connects its page's events"
CHAT = "a chat message is answered"
TOOLS = "a request with tools is answered"
CLICK = "a button of the webui's page is pressed"
RELOAD = "a model that its loader must scale was there before us"


@dataclass(frozen=True)
class FailurePoint:
    """``step`` is a dotted name within this package; it runs when ``when``; ``then`` is what a user has without it."""

    step: str
    when: str
    then: str


_UNPLANNED = "the model loads unscaled; it is scaled in place at the next request or refresh, where that can be planned"
_PATCHED_LATER = "the model is scaled in place after the load"
_RED = "the status line is red; the webui keeps its own window"
_STOCK_PROMPT = "the webui's own prompt, without documents and PLAINFORMAT"
_STOCK_REPLY = "the reply as the webui itself shows it, without code blocks and notes of ours"
_STOCK_WINDOW = "the webui's settings say the model's base window"

FAILURE_POINTS: tuple[FailurePoint, ...] = (
    # The webui's call into script.py
    FailurePoint("extension.setup", START, "the webui as without us"),
    FailurePoint("extension.Extension.__init__", START, "the webui as without us"),
    FailurePoint("host.webui.webui_host.WebuiHost.__init__", START, "the webui as without us"),
    FailurePoint("host.webui.hooks.WebuiHooks.install", START, "the webui as without us"),
    FailurePoint("host.webui.rebinding.Rebinding.__init__", START, "the webui as without us"),
    FailurePoint("core.settings.describe_settings", START, "the webui as without us"),
    FailurePoint("extension.state_modifier", REQUEST, "a request of v1.x's API is cut at 2048 tokens"),
    FailurePoint(
        "host.webui.webui_host.WebuiHost.widen_request", REQUEST, "a request of v1.x's API is cut at 2048 tokens"
    ),
    FailurePoint("service.LongContextService.window", REQUEST, "a request of v1.x's API is cut at 2048 tokens"),
    FailurePoint("extension.ui", PAGE, "no status line"),
    FailurePoint("ui.status_panel.create_status_panel", PAGE, "no status line"),
    FailurePoint("ui.status_panel.status_html", PAGE, "no status line"),
    FailurePoint("ui.gradio_versions.refresh_regularly", PAGE, "a status line that stays as it was drawn"),
    FailurePoint("extension.custom_css", PAGE, "a plain status line"),
    FailurePoint("extension.custom_js", PAGE, "a status line that is not refreshed in old webuis"),
    # Prompts: with documents on, a failure refuses the question with a sentence instead of dropping them silently
    FailurePoint("host.webui.chat.templates.probe_template_place", START, "no templates of ours in the dropdown"),
    FailurePoint("host.webui.chat.templates.write_templates", START, "no templates of ours in the dropdown"),
    FailurePoint("host.webui.webui_host.WebuiHost.page_values", PAGE, "an open page keeps its window and template"),
    FailurePoint("host.webui.chat.prompts.WebuiPrompts.generate_chat_prompt", CHAT, _STOCK_PROMPT),
    FailurePoint("host.webui.chat.prompts.WebuiPrompts.get_stopping_strings", CHAT, "the webui's own stop strings"),
    FailurePoint("host.webui.chat.prompts.WebuiPrompts.with_sampling", REQUEST, "the webui's own sampling"),
    FailurePoint("host.webui.chat.replies.WebuiReplies.generate_reply", CHAT, "a refused prompt is answered as it is"),
    FailurePoint("host.webui.chat.replies.WebuiReplies.generate_chat_reply", CHAT, _STOCK_REPLY),
    FailurePoint("prompt_service.PromptService.build_call", TOOLS, "the webui's own prompt, without the tools"),
    FailurePoint("host.webui.chat.tool_calls.call_text", TOOLS, "a call comes as content"),
    FailurePoint(
        "host.webui.chat.tool_calls.WebuiToolCalls.parse_tool_call", TOOLS, "the webui looks for calls in content"
    ),
    FailurePoint("host.webui.chat.display.WebuiDisplay.chat_html_wrapper", CHAT, _STOCK_REPLY),
    FailurePoint("core.replies.source_check.check_reply", CHAT, "no note about the sources under the reply"),
    FailurePoint("core.replies.source_notes.source_notes_html", CHAT, "no note about the sources under the reply"),
    FailurePoint("host.webui.chat.page.WebuiPage.create_event_handlers", DRAW, "no Documents panel"),
    FailurePoint("host.webui.chat.page.WebuiPage.gather_interface_values", CLICK, _STOCK_PROMPT),
    FailurePoint("host.webui.chat.chats.WebuiChats.rename_history", CLICK, "a renamed chat loses its documents"),
    FailurePoint("host.webui.chat.chats.WebuiChats.delete_history", CLICK, "a deleted chat's documents stay stored"),
    FailurePoint(
        "host.webui.chat.chats.WebuiChats.handle_branch_chat_click", CLICK, "a branch begins without documents"
    ),
    FailurePoint("ui.webui_panels.create_webui_panels", PAGE, "no panels"),
    FailurePoint("ui.documents.panel.create_documents_panel", DRAW, "no Documents panel"),
    # The hooks' calls into the service
    FailurePoint("core.settings.load_settings", LOAD, _UNPLANNED),
    FailurePoint("service.LongContextService.applies_plans", LOAD, _STOCK_WINDOW),
    FailurePoint("service.LongContextService.plan", LOAD, _STOCK_WINDOW),
    FailurePoint("loading.load_plans.LoadPlans.of_load", LOAD, _UNPLANNED),
    FailurePoint(
        "loading.load_plans.LoadPlans.of_loaded", RELOAD, "the model stays as it was loaded, and the status says why"
    ),
    FailurePoint("service.LongContextService.before_load", LOAD, _UNPLANNED),
    FailurePoint("service.LongContextService.end_of_load", LOAD, "the next model is read back; red where it differs"),
    FailurePoint("service.LongContextService.after_load", LOAD, "the model is confirmed at the next refresh"),
    FailurePoint("service.LongContextService.adopt_loaded_model", REQUEST, "the status is not looked at again"),
    FailurePoint("service.LongContextService.status", PAGE, "a status line that stays as it was drawn"),
    FailurePoint("service.LongContextService.accept_suggestion", PAGE, "the suggestion stays a suggestion"),
    # The plan
    FailurePoint("core.reading.model_folder.read_model_facts", LOAD, "the model loads unscaled"),
    FailurePoint("core.reading.model_card.card_scaling", LOAD, "the model loads unscaled"),
    FailurePoint("core.user_rules.read_user_rules", LOAD, "the model loads unscaled"),
    FailurePoint("core.user_rules.add_user_rule", PAGE, "the suggestion stays a suggestion"),
    FailurePoint("core.planning.planner.plan_context", LOAD, "the model loads unscaled"),
    FailurePoint("core.families.find_family", LOAD, "the model loads unscaled"),
    FailurePoint("core.explanation.summary", LOAD, _RED),
    FailurePoint("core.load_verdict.judge", LOAD, _RED),
    # The model
    FailurePoint("rope.engine.RopeEngine.patch_classes", LOAD, _PATCHED_LATER),
    FailurePoint("rope.engine.RopeEngine.scale_live", LOAD, "a model that the patch missed is unscaled, and red"),
    FailurePoint("rope.engine.RopeEngine.read", LOAD, _RED),
    FailurePoint("rope.class_patch.ClassPatch.revert", LOAD, "the next model is read back; red where it differs"),
    # The webui's settings
    FailurePoint("host.webui.webui_host.WebuiHost.is_switched_on", LOAD, "the model loads unscaled; then as above"),
    FailurePoint("host.webui.webui_host.WebuiHost.capabilities", LOAD, "the model loads unscaled"),
    FailurePoint("host.webui.webui_host.WebuiHost.model_path", LOAD, "the model loads unscaled"),
    FailurePoint("host.webui.webui_host.WebuiHost.loaded_model", REQUEST, "the status is not looked at again"),
    FailurePoint("host.webui.webui_host.WebuiHost.is_asleep", REQUEST, "the status is not looked at again"),
    FailurePoint("host.webui.adapters.applied_adapters", REQUEST, "the status is not looked at again"),
    FailurePoint("host.webui.webui_host.WebuiHost.user_request", LOAD, "the model loads unscaled"),
    FailurePoint("host.webui.webui_host.WebuiHost.rules_file", LOAD, "the model loads unscaled"),
    FailurePoint("host.webui.webui_host.WebuiHost.with_window", LOAD, _STOCK_WINDOW),
    FailurePoint(
        "host.webui.webui_host.WebuiHost.with_template", LOAD, "the webui's own choice of template and window"
    ),
    FailurePoint("host.webui.webui_host.WebuiHost.use_template", LOAD, "the webui's own choice of template"),
    FailurePoint(
        "host.webui.webui_host.WebuiHost.withdraw_window", LOAD, "the planned window stays in the settings of one load"
    ),
    FailurePoint("host.webui.webui_host.WebuiHost.with_loader", PICK, "the webui's own choice of loader"),
    FailurePoint("host.webui.webui_host.WebuiHost.use_window", LOAD, _STOCK_WINDOW),
    FailurePoint("host.webui.webui_host.WebuiHost.use_loader_settings", RELOAD, "the model loads unscaled, and red"),
    FailurePoint("host.webui.webui_host.WebuiHost.finish_load", LOAD, "long prompts of some GPTQ models fail"),
    FailurePoint("host.webui.webui_host.WebuiHost.read_loader", LOAD, _RED),
    FailurePoint(
        "host.webui.webui_host.WebuiHost.reload_model", RELOAD, "the model stays unscaled, and the status line says so"
    ),
    FailurePoint(
        "host.webui.webui_host.WebuiHost.log", LOAD, "the line goes to the terminal instead of the webui's log"
    ),
)
