"""What the user asked of the webui itself for a model: flags, saved entries and the fields of the Model tab."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ...core.context_plan import PlanRequest
from .loader_settings import llama_server
from .loader_settings.families import LLAMA_CPP
from .seams import FACTOR_KEY, WINDOW_KEYS

ALPHA_KEY = "alpha_value"
#: Loaders that keep the key-value cache as the webui's ``cache_type`` says.
_OWN_CACHE = ("ExLlamav2", "ExLlamav2_HF", "ExLlamav3", "ExLlamav3_HF", *LLAMA_CPP)


class UsersRequest:
    """``shared`` is the webui's module of that name; ``given`` what we handed to it for each model."""

    def __init__(self, shared: Any) -> None:
        self._shared = shared
        self.given: dict[str, dict[str, Any]] = {}

    def provided(self) -> tuple[str, ...]:
        """The arguments on the command line."""
        return tuple(getattr(self._shared, "provided_arguments", ()))

    def saved_settings(self, model_name: str) -> dict[str, Any]:
        """The user's own entry in models/config-user.yaml, matched as the webui does."""
        saved: dict[str, Any] = {}
        name = Path(model_name).name.lower()
        for pattern, values in dict(getattr(self._shared, "user_config", None) or {}).items():
            if isinstance(values, dict) and re.match(str(pattern).lower(), name):
                saved.update(values)
        return saved

    def read(self, model_name: str, path: Path, loader: str | None) -> PlanRequest:
        """The request for the model at ``path``. ``loader`` is the one of this load, where that is known."""
        args, saved = self._shared.args, self.saved_settings(model_name)
        chosen = args.loader if "loader" in self.provided() else saved.get("loader")
        used = loader or chosen or ("llama.cpp" if _is_gguf(path) else None)
        llama_cpp = used in LLAMA_CPP
        context, context_source = self._asked("context", _window_keys(llama_cpp), model_name, saved)
        factor, factor_source = self._asked("factor", (FACTOR_KEY,), model_name, saved)
        alpha, alpha_source = self._asked("alpha", (ALPHA_KEY,), model_name, saved)
        if llama_cpp:
            slots = llama_server.slots(args)
            if context and slots > 1 and llama_server.CONTEXT in context_source:
                context, context_source = context // slots, f"{context_source}, for {slots} requests at once"
            stated = llama_server.stated_factor(getattr(args, llama_server.EXTRA_FLAGS, None))
            if stated:
                factor, factor_source = stated, llama_server.SOURCE
        return PlanRequest(
            context_tokens=context if context else None,
            context_source=context_source,
            loader=chosen,
            host_factor=float(factor) if factor and factor > 1 else None,
            host_factor_source=factor_source,
            host_alpha=float(alpha) if alpha and alpha > 1 else None,
            host_alpha_source=alpha_source,
            trust_remote_code=bool(getattr(args, "trust_remote_code", False)),
            cache_type=str(getattr(args, "cache_type", None) or "fp16") if used in _OWN_CACHE else "fp16",
        )

    def _asked(self, what: str, keys: tuple[str, ...], model_name: str, saved: dict[str, Any]) -> tuple[Any, str]:
        """A value that the user set: by flag, in a saved entry, or with a slider of the Model tab."""
        args, given = self._shared.args, self.given.get(model_name, {})
        for key in keys:
            if key in self.provided() and _is_number(getattr(args, key, None)) and getattr(args, key) > 0:
                return getattr(args, key), f"--{key} on the command line"
        for key in keys:
            if _is_number(saved.get(key)) and saved[key] > 0 and saved[key] != given.get(key):
                return saved[key], f"{key} saved for this model in config-user.yaml"
        for key in keys:
            value, stock = getattr(args, key, None), given.get(f"stock {key}")
            default = getattr(self._shared.args_defaults, key, None)
            if _is_number(value) and key in given and value not in (given[key], stock, default, 0):
                return value, f"{key} in the Model tab"
        return None, f"no {what} was asked for"


def _is_gguf(path: Path) -> bool:
    return path.suffix.lower() == ".gguf" or (path.is_dir() and any(path.glob("*.gguf")))


def _window_keys(llama_cpp: bool) -> tuple[str, ...]:
    """The settings that say a window for this model: v1.x has llama.cpp's beside the other loaders'."""
    other = "max_seq_len" if llama_cpp else "n_ctx"
    return tuple(key for key in WINDOW_KEYS if key != other)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
