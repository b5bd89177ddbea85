"""What is found by looking at a webui: its loaders, what is installed for them, its GPUs and its attention."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from extensions.airoboros_longctx.host.webui import capabilities
from extensions.airoboros_longctx.host.webui.capabilities import probe_capabilities

V1_7 = ("Transformers", "ExLlama", "AutoGPTQ", "llama.cpp", "ctransformers", "QuIP#")


@pytest.fixture
def webui(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """``webui(loaders, installed, **args)`` → its capabilities, in an empty working folder."""
    monkeypatch.chdir(tmp_path)

    def probe(offered: tuple[str, ...], installed: tuple[str, ...], **args: Any) -> Any:
        loaders = ModuleType("modules.loaders")
        loaders.loaders_and_params = dict.fromkeys(offered, ())
        package = ModuleType("modules")
        package.loaders = loaders
        monkeypatch.setitem(sys.modules, "modules", package)
        monkeypatch.setitem(sys.modules, "modules.loaders", loaders)
        capabilities.missing_packages.cache_clear()
        monkeypatch.setattr(capabilities, "_is_there", lambda module: module in installed)
        return probe_capabilities(SimpleNamespace(cpu=True, **args))

    return probe


def test_a_loader_without_its_package_is_missing(webui: Any) -> None:
    found = webui(V1_7, ("auto_gptq", "llama_cpp", "optimum"), compress_pos_emb=1)
    assert found.mechanisms == {"Transformers": "patch", "AutoGPTQ": "patch", "llama.cpp": "loader_setting"}
    assert found.missing == {
        "ExLlama": ("exllama",),
        "ctransformers": ("ctransformers",),
        "QuIP#": ("repositories/quip-sharp",),
        "awq": ("gptqmodel",),
    }


def test_a_checkout_does_as_well(webui: Any, tmp_path: Path) -> None:
    (tmp_path / "repositories" / "exllama").mkdir(parents=True)
    assert webui(("ExLlama",), (), compress_pos_emb=1).mechanisms == {"ExLlama": "loader_setting"}


@pytest.mark.parametrize(
    ("installed", "is_there"),
    [
        (("llama_cpp",), True),
        (("llama_cpp_cuda",), True),
        (("llama_cpp_binaries",), False),
        (("modules.llama_cpp_server", "llama_cpp_binaries"), True),
        (("modules.llama_cpp_server", "ik_llama_cpp_binaries"), True),
        (("modules.llama_cpp_server", "llama_cpp"), False),
    ],
)
def test_llama_cpp_is_a_binding_or_a_server(webui: Any, installed: tuple[str, ...], is_there: bool) -> None:
    assert ("llama.cpp" in webui(("llama.cpp",), installed, compress_pos_emb=1).loaders) is is_there


def test_gptq_under_transformers_needs_two_packages(webui: Any) -> None:
    assert webui(("Transformers",), ()).missing["gptq"] == ("optimum", "gptqmodel")
    assert webui(("Transformers",), ("optimum",)).missing["gptq"] == ("gptqmodel",)
    assert "gptq" not in webui(("Transformers",), ("optimum", "gptqmodel")).missing
    assert "gptq" not in webui(("Transformers",), ("optimum", "auto_gptq")).missing


@pytest.mark.parametrize(
    ("args", "switch"),
    [
        ({"sdp_attention": False, "xformers": False}, "start the webui with --sdp-attention"),
        ({"sdp_attention": True, "xformers": False}, ""),
        ({"sdp_attention": False, "xformers": True}, ""),
        ({"use_eager_attention": False}, ""),
        ({"use_eager_attention": True}, "start the webui without --use_eager_attention"),
        ({"attn_implementation": "sdpa"}, ""),
        ({"attn_implementation": "eager"}, "set attn_implementation to sdpa"),
        ({}, ""),
    ],
)
def test_the_switch_for_attention(webui: Any, args: dict[str, Any], switch: str) -> None:
    assert webui(("Transformers",), (), **args).attention_switch == switch


def test_the_memory_of_each_gpu(webui: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = (24 << 30, 16 << 30)
    torch = SimpleNamespace(
        cuda=SimpleNamespace(
            is_available=lambda: True,
            device_count=lambda: len(memory),
            get_device_properties=lambda index: SimpleNamespace(total_memory=memory[index]),
        )
    )
    monkeypatch.setitem(sys.modules, "torch", torch)
    assert capabilities._gpu_bytes() == memory
    assert webui(("Transformers",), ()).gpu_bytes == ()  # the webui runs with --cpu
    torch.cuda.is_available = lambda: False
    assert capabilities._gpu_bytes() == ()
    monkeypatch.setitem(sys.modules, "torch", None)
    assert capabilities._gpu_bytes() == ()


def test_a_package_that_is_installed_meanwhile_is_found(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    offered = ("AutoGPTQ",)

    def missing():
        return dict(capabilities.missing_packages(offered, capabilities._places())).get("AutoGPTQ")

    assert missing() == ("auto_gptq",)
    time.sleep(0.02)  # longer than a tick of the file system's clock
    (tmp_path / "auto_gptq.py").touch()
    assert missing() is None


def test_packages_are_looked_for_once_while_nothing_is_installed(monkeypatch):
    asked = []
    monkeypatch.setattr(capabilities, "_is_there", asked.append)
    places = (("somewhere", 1),)
    capabilities.missing_packages(("AutoGPTQ",), places)
    once = len(asked)
    capabilities.missing_packages(("AutoGPTQ",), places)
    assert len(asked) == once > 0
