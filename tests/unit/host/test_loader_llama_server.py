"""llama-server's command line: the extra flags that are written, and what is read back from one that runs."""

from __future__ import annotations

import json
import shlex
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from extensions.airoboros_longctx.core.context_plan import ContextPlan
from extensions.airoboros_longctx.core.mechanisms import LOADER_SETTING
from extensions.airoboros_longctx.core.model_facts import GgufFacts, ModelFacts
from extensions.airoboros_longctx.core.rope_scaling import RopeReading
from extensions.airoboros_longctx.host.webui.loader_settings import families
from extensions.airoboros_longctx.host.webui.loader_settings.llama_server import (
    read_command_line,
    stated_factor,
    stated_rope,
    with_rope,
    with_window,
)
from tests.unit.host.test_loader_settings import plan

LINEAR_4, NTK_8 = plan("llama.cpp", LOADER_SETTING), plan("llama.cpp", LOADER_SETTING, "ntk", 8.0)
OURS = "rope-scaling=linear,rope-scale=4"
OURS_LITERAL = "--rope-scaling linear --rope-scale 4"


@pytest.mark.parametrize(
    ("users", "written"),
    [
        (None, OURS),
        ("", OURS),
        ("  ", OURS),
        ('""', OURS),
        ("jinja", f"jinja,{OURS}"),
        ("jinja, seed=7 ,", f"jinja, seed=7,{OURS}"),
        ('"override-tensor=exps=CPU"', f"override-tensor=exps=CPU,{OURS}"),
        ("--jinja --rpc 192.168.1.100:50052", f"--jinja --rpc 192.168.1.100:50052 {OURS_LITERAL}"),
        ("'--jinja'", f"--jinja {OURS_LITERAL}"),
        ('--lora "my file"', f'--lora "my file" {OURS_LITERAL}'),
    ],
)
def test_ours_come_after_the_users_in_their_spelling(users: str | None, written: str) -> None:
    assert with_rope(users, LINEAR_4) == written
    assert with_rope(written, LINEAR_4) == written  # never twice
    shlex.split(written)


@pytest.mark.parametrize(
    "users",
    [
        "rope-scale=2",
        "jinja,rope-freq-scale=0.5",
        "--rope-scaling yarn --rope-scale 4",
        "'--rope-freq-base 40000'",
        "--jinja --yarn-orig-ctx 2048",
        '"rope-scaling=none"',
    ],
)
def test_the_users_own_rope_flags_are_left_as_they_are(users: str) -> None:
    assert stated_rope(users)
    assert with_rope(users, LINEAR_4) == users


@pytest.mark.parametrize(
    "users",
    ["--lora /models/rope-scale/x.gguf", "override-tensor=rope-freqs=CPU", "--chat-template-file my-rope-scale.jinja"],
)
def test_a_path_that_looks_like_one_is_none(users: str) -> None:
    assert stated_rope(users) == {}


def test_only_plain_numbers_reach_the_command_line() -> None:
    assert with_rope(None, NTK_8) == "rope-freq-base=82685"
    assert with_rope(None, plan("llama.cpp", LOADER_SETTING, factor=2.5)) == "rope-scaling=linear,rope-scale=2.5"
    for factor in (float("inf"), float("nan"), 1.0, 1e9):
        assert with_rope("jinja", plan("llama.cpp", LOADER_SETTING, factor=factor)) == "jinja"
    assert with_rope("jinja", plan("llama.cpp", LOADER_SETTING, "yarn")) == "jinja"


def facts(trained: int | None = 2048, model_type: str = "llama") -> ModelFacts:
    return ModelFacts("m.gguf", "m", model_type=model_type, gguf=GgufFacts(context_length=trained))


def test_the_planned_window_takes_the_place_of_the_files_own() -> None:
    ours = "override-kv=llama.context_length=int:8192"
    assert with_window("jinja", LINEAR_4, facts()) == f"jinja,{ours}"
    assert with_window("--jinja", NTK_8, facts(model_type="qwen2")) == (
        f"--jinja --override-kv qwen2.context_length=int:{NTK_8.truncation_length}"
    )
    written = with_window(None, LINEAR_4, facts())
    assert written == ours
    assert with_window(written, LINEAR_4, facts()) == ours  # never twice


@pytest.mark.parametrize(
    ("users", "planned", "found"),
    [
        ("override-kv=tokenizer.ggml.add_bos_token=bool:false", LINEAR_4, facts()),
        ("--override-kv tokenizer.ggml.add_bos_token=bool:false", LINEAR_4, facts()),
        ("jinja", LINEAR_4, facts(8192)),
        ("jinja", LINEAR_4, facts(None)),
        ("jinja", LINEAR_4, facts(model_type="a b=int:1,jinja")),
        ("jinja", plan("llama.cpp", LOADER_SETTING, factor=1.0), facts()),
        ("jinja", plan("llama.cpp", LOADER_SETTING, "yarn"), facts()),
    ],
)
def test_a_window_that_needs_nothing_or_is_the_users_is_left(
    users: str, planned: ContextPlan, found: ModelFacts
) -> None:
    assert with_window(users, planned, found) == users


@pytest.mark.parametrize(
    ("flags", "factor"),
    [
        (None, None),
        ("jinja", None),
        ("rope-scale=2", 2.0),
        ("--rope-scaling linear --rope-scale 4", 4.0),
        ("rope-freq-scale=0.25", 4.0),
        ("rope-scaling=yarn,rope-scale=4", None),
        ("rope-scale=many", None),
        ("rope-scale=-4", None),
    ],
)
def test_the_factor_that_the_users_flags_state(flags: str | None, factor: float | None) -> None:
    assert stated_factor(flags) == factor


def reading(rope_type: str, factor: float | None, base: float = 10000.0, note: str = "", **more: Any) -> RopeReading:
    return RopeReading(rope_type, factor, 0, base, 0, 0.0, note, **more)


@pytest.mark.parametrize(
    ("command", "expected", "length"),
    [
        ("--model x --ctx-size 8192", None, 8192),
        ("--model x", None, None),
        ("--ctx-size 8192 --rope-freq-scale 0.25", reading("linear", 4.0, table_length=8192), 8192),
        ("--ctx-size 8192 --parallel 2 --rope-scale 4", reading("linear", 4.0, table_length=4096), 4096),
        ("--rope-scaling linear --rope-scale 4", reading("linear", 4.0), None),
        ("--rope-scaling none", reading("default", 1.0), None),
        ("--rope-scaling yarn --rope-scale 4", reading("yarn", None), None),
        ("--rope-freq-base 10000", reading("default", 1.0), None),
    ],
)
def test_a_running_servers_command_line(command: str, expected: RopeReading | None, length: int | None) -> None:
    assert read_command_line(["llama-server", *command.split()]) == (expected, length)


def test_a_base_is_read_as_alpha() -> None:
    found, _ = read_command_line(["--rope-freq-base", "82685"])
    assert found is not None
    assert (found.rope_type, found.rope_theta) == ("ntk", 82685.0)
    assert found.factor == pytest.approx(8.0, rel=1e-5)


# -- live models -----------------------------------------------------------------------------------------------------


@pytest.fixture
def gguf(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the webui's reader finds in every file."""
    metadata: dict[str, Any] = {"llama.context_length": 2048}
    reader = ModuleType("modules.metadata_gguf")
    reader.load_metadata = lambda file: metadata
    package = ModuleType("modules")
    package.metadata_gguf = reader
    monkeypatch.setitem(sys.modules, "modules", package)
    monkeypatch.setitem(sys.modules, "modules.metadata_gguf", reader)
    return metadata


def server(command: str, **more: Any) -> Any:
    return SimpleNamespace(process=SimpleNamespace(args=command.split()), model_path="m.gguf", **more)


def test_a_server_that_was_told_nothing_runs_what_the_file_states(gguf: dict[str, Any]) -> None:
    assert families.read("llama.cpp", server("llama-server", n_ctx=777), Path()) == reading(
        "default", 1.0, table_length=777
    )
    gguf.update({"llama.rope.scaling.type": "linear", "llama.rope.scaling.factor": 2.0})
    assert families.read("llama.cpp", server("llama-server"), Path()) == reading("linear", 2.0)
    assert families.read("llama.cpp", server("llama-server --rope-scale 4"), Path()) == reading("linear", 4.0)
    gguf["llama.rope.scaling.type"] = "yarn"
    assert families.read("llama.cpp", server("llama-server"), Path()) == reading("yarn", None)
    gguf["llama.rope.scaling.type"] = "none"
    assert families.read("llama.cpp", server("llama-server"), Path()) == reading("default", 1.0)
    assert families.read("llama.cpp", SimpleNamespace(process=None), Path()) is None


class Props(BaseHTTPRequestHandler):
    """A llama-server that says its window as ``said``."""

    said: Any = None

    def do_GET(self) -> None:
        body = json.dumps(self.said).encode() if self.path == "/props" else b"{"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *given: Any) -> None: ...


@pytest.mark.parametrize(
    ("said", "length"),
    [
        ({"default_generation_settings": {"n_ctx": 256}}, 256),
        ({"default_generation_settings": {"n_ctx": 0}}, 1024),
        ({"default_generation_settings": {}}, 1024),
        ([], 1024),
    ],
)
def test_what_a_request_may_have_is_asked_of_the_server(gguf: dict[str, Any], said: Any, length: int) -> None:
    handler = type("Handler", (Props,), {"said": said})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as answering:
        threading.Thread(target=answering.serve_forever, daemon=True).start()
        told = server("llama-server --ctx-size 1024 --rope-scale 4", port=answering.server_port)
        try:
            assert families.read("llama.cpp", told, Path()) == reading("linear", 4.0, table_length=length)
        finally:
            answering.shutdown()
    told.n_ctx = 512  # newer webuis keep the answer
    assert families.read("llama.cpp", told, Path()) == reading("linear", 4.0, table_length=512)
    told.n_ctx = None
    assert families.read("llama.cpp", told, Path()) == reading("linear", 4.0, table_length=1024)  # nobody answers


@pytest.mark.parametrize("name", ["context_params", "params"])
def test_the_python_binding_holds_the_parameters_of_its_context(gguf: dict[str, Any], name: str) -> None:
    def model(scale: float, base: float) -> Any:
        parameters = SimpleNamespace(rope_freq_scale=scale, rope_freq_base=base, n_ctx=8192)
        return SimpleNamespace(model=SimpleNamespace(**{name: parameters}, model_path="m.gguf"))

    assert families.read("llama.cpp", model(0.25, 0.0), Path()) == reading("linear", 4.0, table_length=8192)
    assert families.read("llamacpp_HF", model(1.0, 10000.0), Path()) == reading("default", 1.0, table_length=8192)
    gguf["llama.rope.scale_linear"] = 2.0
    assert families.read("llama.cpp", model(0.0, 0.0), Path()) == reading("linear", 2.0, table_length=8192)
    together = families.read("llama.cpp", model(0.25, 40000.0), Path())
    assert together is not None
    assert (together.rope_type, together.factor) == ("other", None)


@pytest.mark.parametrize("holder", ["model", "ex_model"])
def test_exllamav2_says_what_its_tables_were_made_from(holder: str) -> None:
    def model(factor: float, alpha: float) -> Any:
        config = SimpleNamespace(
            scale_pos_emb=factor, scale_alpha_value=alpha, rotary_embedding_base=10000.0, max_seq_len=8192
        )
        return SimpleNamespace(**{holder: SimpleNamespace(config=config)})

    assert families.read("ExLlamav2", model(4, 1), Path()) == reading("linear", 4.0, table_length=8192)
    assert families.read("ExLlamav2_HF", model(1, 1), Path()) == reading("default", 1.0, table_length=8192)
    assert families.read("ExLlamav2_HF", model(1, 8.0), Path()) == reading("ntk", 8.0, table_length=8192)
    both = families.read("ExLlamav2", model(4, 8.0), Path())
    assert both is not None
    assert both.note == "linear ×4 and NTK ×8 together"
    assert families.read("ExLlamav2", object(), Path()) is None
