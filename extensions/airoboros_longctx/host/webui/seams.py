"""Every function of the webui that this extension wraps, in one table.

A release that lacks one of them simply has one path less; a release that lacks all of one ``duty`` is said to be
"not supported here" by ``hooks``. Seen in the releases named; decided by looking, not by version.
"""

from __future__ import annotations

from dataclasses import dataclass

LOAD = "scale and confirm a load"
WINDOW = "give the window to the webui's settings"
ADAPTERS = "scale a model for its LoRAs at once"
CHOOSE_LOADER = "choose the loader in the Model tab"
PROMPT = "put documents and PLAINFORMAT into prompts"
STOP = "stop replies at the next turn"
REPLY = "say why a prompt was refused"
SESSION = "give each page documents of its own"
GATHER = "carry a page's documents to its prompts"
DISPLAY = "show replies as code, or safely and with their sources"
MARK = "remember which replies are code or from documents"
RENAME = "take the documents of a renamed chat along"
DELETE = "delete the documents of a deleted chat"
TOOL_CALLS = "return replies as tool calls"
BRANCH = "copy the documents of a branched chat"
OTHER_PROMPTS = "keep documents out of prompts that are not the chat's"


@dataclass(frozen=True)
class Seam:
    """A function ``module.name`` of the webui. ``loader`` is the one whose loads pass through it.

    A seam of the ``page`` is there only where the webui draws one. Without an ``optional`` seam there is nothing to do.
    """

    duty: str
    module: str
    name: str
    loader: str = ""
    seen_in: str = ""
    page: bool = False
    optional: bool = False


SEAMS: tuple[Seam, ...] = (
    Seam(LOAD, "modules.models", "huggingface_loader", "Transformers", "v1.3.1 - v2.8.1"),
    Seam(LOAD, "modules.models", "transformers_loader", "Transformers", "v3.0 - v4.7.3"),
    Seam(LOAD, "modules.models", "AutoGPTQ_loader", "AutoGPTQ", "v1.3.1 - v2.1"),
    Seam(LOAD, "modules.models", "GPTQ_loader", "GPTQ-for-LLaMa", "v1.3.1 - snapshot-2024-04-28"),
    Seam(LOAD, "modules.models", "AutoAWQ_loader", "AutoAWQ", "v1.7 - v1.11"),
    Seam(LOAD, "modules.models", "HQQ_loader", "HQQ", "snapshot-2023-12-24 - v3.3.2"),
    Seam(LOAD, "modules.models", "ExLlama_loader", "ExLlama", "v1.3.1 - snapshot-2023-12-24"),
    Seam(LOAD, "modules.models", "ExLlama_HF_loader", "ExLlama_HF", "v1.3.1 - snapshot-2023-12-24"),
    Seam(LOAD, "modules.models", "ExLlamav2_loader", "ExLlamav2", "v1.6 - v3.23"),
    Seam(LOAD, "modules.models", "ExLlamav2_HF_loader", "ExLlamav2_HF", "v1.6 - v3.23"),
    Seam(LOAD, "modules.models", "ExLlamav3_loader", "ExLlamav3", "v3.10 - v4.7.3"),
    Seam(LOAD, "modules.models", "ExLlamav3_HF_loader", "ExLlamav3_HF", "v2.7 - v4.7.3"),
    Seam(LOAD, "modules.models", "llamacpp_loader", "llama.cpp", "v1.3.1 - v2.7"),
    Seam(LOAD, "modules.models", "llama_cpp_server_loader", "llama.cpp", "v2.8 - v4.7.3"),
    Seam(LOAD, "modules.models", "llamacpp_HF_loader", "llamacpp_HF", "v1.3.1 - v2.7"),
    Seam(LOAD, "modules.models", "ctransformers_loader", "ctransformers", "v1.6 - snapshot-2024-03-31"),
    Seam(LOAD, "modules.models", "QuipSharp_loader", "QuIP#", "snapshot-2023-12-10 - snapshot-2024-04-28"),
    Seam(LOAD, "modules.models", "TensorRT_LLM_loader", "TensorRT-LLM", "v1.8 - v4.7.3"),
    Seam(ADAPTERS, "modules.LoRA", "add_lora_to_model", "", "v1.3.1 - v4.7.3", optional=True),
    Seam(WINDOW, "modules.models_settings", "get_model_metadata", "", "v1.6 - v4.7.3"),
    Seam(WINDOW, "modules.models_settings", "get_model_settings_from_yamls", "", "v1.3.1 - v1.5"),
    Seam(CHOOSE_LOADER, "modules.models_settings", "apply_model_settings_to_state", "", "v1.3.1 - v4.7.3"),
    Seam(PROMPT, "modules.chat", "generate_chat_prompt", "", "v1.3.1 - v4.7.3"),
    Seam(STOP, "modules.chat", "get_stopping_strings", "", "v1.3.1 - v4.7.3"),
    Seam(REPLY, "modules.text_generation", "generate_reply", "", "v1.3.1 - v4.7.3"),
    Seam(SESSION, "modules.ui_chat", "create_event_handlers", "", "v1.6 - v4.7.3", page=True),
    Seam(SESSION, "__main__", "create_settings_menus", "", "v1.3.1 - v1.5", page=True),
    Seam(GATHER, "modules.ui", "gather_interface_values", "", "v1.3.1 - v4.7.3", page=True),
    Seam(DISPLAY, "modules.html_generator", "chat_html_wrapper", "", "v1.3.1 - v4.7.3"),
    Seam(MARK, "modules.chat", "generate_chat_reply", "", "v1.3.1 - v4.7.3"),
    Seam(TOOL_CALLS, "modules.tool_parsing", "parse_tool_call", "", "v4.1 - v4.7.3", optional=True),
    Seam(RENAME, "modules.chat", "rename_history", "", "v1.6 - v4.7.3", page=True, optional=True),
    Seam(DELETE, "modules.chat", "delete_history", "", "v1.6 - v4.7.3", page=True, optional=True),
    Seam(BRANCH, "modules.chat", "handle_branch_chat_click", "", "v2.3 - v4.7.3", page=True, optional=True),
    Seam(OTHER_PROMPTS, "modules.chat", "generate_search_query", "", "v3.4 - v4.7.3", optional=True),
    Seam(OTHER_PROMPTS, "modules.ui_image_generation", "generate_prompt_variation", "", "v3.20 - v4.7.3", True, True),
)

#: The loaders as the plan needs them: the settings key of their window, and of their own linear factor.
#: "" where the loader has none. A release has a key when ``shared.args`` has it.
WINDOW_KEYS = ("truncation_length", "truncation_length_info", "max_seq_len", "n_ctx", "ctx_size")
FACTOR_KEY = "compress_pos_emb"
