"""A webui in miniature: the modules, names and defaults of v4.7.3 and of v1.7 that this extension looks at."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from extensions.airoboros_longctx.core.settings import Settings
from extensions.airoboros_longctx.host.webui import capabilities
from extensions.airoboros_longctx.host.webui.hooks import WebuiHooks
from extensions.airoboros_longctx.host.webui.webui_host import WebuiHost
from extensions.airoboros_longctx.service import LongContextService
from tests.unit.service.fakes import FakeModel, FakeRope

NEW, OLD = "v4.7.3", "v1.7"
ARGUMENTS = {
    NEW: {"ctx_size": 0, "loader": None, "cpu": True, "extensions": ["longctx"]},
    OLD: {
        "max_seq_len": 2048,
        "compress_pos_emb": 1,
        "loader": None,
        "cpu": True,
        "extensions": ["longctx"],
        "trust_remote_code": False,
    },
}
LOADERS = {NEW: ("Transformers", "ExLlamav3"), OLD: ("Transformers", "AutoGPTQ", "ExLlama")}
LOADER_FUNCTIONS = {
    NEW: {"Transformers": "transformers_loader", "ExLlamav3": "ExLlamav3_loader"},
    OLD: {
        "Transformers": "huggingface_loader",
        "AutoGPTQ": "AutoGPTQ_loader",
        "ExLlama": "ExLlama_loader",
        "ExLlama_HF": "ExLlama_HF_loader",
    },
}
CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 2048,
}
CARD = "You'll need to set max_seq_len to 8192 and compress_pos_emb to 4."


@pytest.fixture(autouse=True)
def _packages_of_this_webui() -> None:
    """Each test's webui has packages of its own, in one and the same process."""
    capabilities.missing_packages.cache_clear()


class FakeWebui:
    """``modules.*`` of one release, and what a person does with it."""

    def __init__(self, release: str, folder: Path) -> None:
        self.release, self.folder, self.rope = release, folder, FakeRope()
        self.log: list[str] = []
        self.chosen = Settings()
        self.fails = False
        names = ("shared", "logging_colors", "loaders", "models", "models_settings")
        self.modules = {name: ModuleType(name) for name in ("modules", *(f"modules.{name}" for name in names))}
        shared = self.shared
        shared.args = SimpleNamespace(model_dir=str(folder), **ARGUMENTS[release])
        shared.args_defaults = SimpleNamespace(**vars(shared.args))
        shared.provided_arguments, shared.user_config = [], {}
        shared.settings = {"truncation_length": 2048 if release == OLD else 8192}
        shared.model, shared.model_name, shared.tokenizer = None, "None", None
        if release == NEW:
            shared.user_data_dir = folder
        self.modules["modules.logging_colors"].logger = SimpleNamespace(
            info=self.log.append, warning=lambda message: self.log.append(f"WARNING {message}")
        )
        self.modules["modules.loaders"].loaders_and_params = dict.fromkeys(LOADERS[release], ())
        for loader, name in LOADER_FUNCTIONS[release].items():
            self._define("modules.models", name, self._loader(loader))
        self._define("modules.models", "load_model", self.load_model)
        self._define("modules.models", "unload_model", self.unload_model)
        self._define("modules.models_settings", "get_model_metadata", self._get_model_metadata)
        self._define("modules.models_settings", "apply_model_settings_to_state", self._apply_model_settings_to_state)
        for name, card in (("scaled", CARD), ("plain", "")):
            (folder / name).mkdir()
            (folder / name / "config.json").write_text(json.dumps(CONFIG))
            (folder / name / "model.safetensors").write_bytes(b"\0")
            if card:
                (folder / name / "README.md").write_text(card)

    @property
    def shared(self) -> Any:
        return self.modules["modules.shared"]

    @property
    def models(self) -> Any:
        return self.modules["modules.models"]

    @property
    def models_settings(self) -> Any:
        return self.modules["modules.models_settings"]

    def _define(self, module: str, name: str, body: Any) -> None:
        """A plain function, as the webui's own are: bound methods are not the same object twice."""

        def function(*args: Any, **kwargs: Any) -> Any:
            return body(*args, **kwargs)

        function.__name__ = name
        setattr(self.modules[module], name, function)

    def _loader(self, loader: str) -> Any:
        def load(model_name: str) -> Any:
            if self.fails:
                raise OSError("the weights are broken")
            knob = float(getattr(self.shared.args, "compress_pos_emb", 1)) if loader.startswith("ExLlama") else 1.0
            model = FakeModel(self.rope.patched * knob)
            return model if loader == "Transformers" else (model, "tokenizer")

        return load

    def _get_model_metadata(self, model: str) -> dict[str, Any]:
        config = json.loads((self.folder / model / "config.json").read_text())
        window, length = config["max_position_embeddings"], self.shared.settings["truncation_length"]
        settings: dict[str, Any] = {"truncation_length": length, "loader": "Transformers"}
        if self.release == OLD:
            settings.update(truncation_length=window, max_seq_len=window)
        else:
            settings.update(truncation_length=window, truncation_length_info=window, ctx_size=min(window, 8192))
        for pattern, values in self.shared.user_config.items():
            if pattern.rstrip("$") == model:
                settings.update(values)
        return settings

    def _apply_model_settings_to_state(self, model: str, state: dict[str, Any]) -> dict[str, Any]:
        settings = self.models_settings.get_model_metadata(model)
        state.update({key: value for key, value in settings.items() if key in state})
        return state

    # -- what a person does ------------------------------------------------------------------------------------------

    def load_model(self, name: str, loader: str | None = None) -> Any:
        """As models.load_model does: v4.x takes the metadata first and its window after the load."""
        metadata = self.models_settings.get_model_metadata(name)
        loader = loader or self.shared.args.loader or metadata["loader"]
        self.shared.args.loader, self.shared.model_name = loader, name
        output = getattr(self.models, LOADER_FUNCTIONS[self.release][loader])(name)
        model = output[0] if isinstance(output, tuple) else output
        if self.release == NEW:
            self.shared.settings["truncation_length"] = metadata["truncation_length"]
        return model, "tokenizer"

    def unload_model(self) -> None:
        self.shared.model = None
        if self.release == NEW:
            self.shared.model_name = "None"

    def load(self, name: str, loader: str | None = None) -> None:
        self.models.unload_model()
        self.shared.args.loader = loader
        self.shared.model, self.shared.tokenizer = self.models.load_model(name, loader)
        self.shared.model_name = name
        if self.release == OLD:  # its callers take the window over themselves
            metadata = self.models_settings.get_model_metadata(name)
            self.shared.settings["truncation_length"] = metadata["truncation_length"]

    def start_extension(self) -> None:
        """What ``extension.setup`` does, with a fake rope."""
        self.host = WebuiHost("longctx")
        self.service = LongContextService(self.host, self.rope, lambda: self.chosen)
        self.hooks = WebuiHooks(self.service, self.host)
        self.hooks.install()
        self.service.adopt_loaded_model()


@pytest.fixture(params=[NEW, OLD])
def webui(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeWebui]:
    fake = FakeWebui(request.param, tmp_path)
    for name, module in fake.modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    package = fake.modules["modules"]
    for name, module in fake.modules.items():
        if "." in name:
            setattr(package, name.partition(".")[2], module)
    monkeypatch.delitem(sys.modules, "extensions.api.util", raising=False)
    yield fake
    if hasattr(fake, "hooks"):
        fake.hooks.revert()
