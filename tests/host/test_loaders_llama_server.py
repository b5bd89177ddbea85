"""The exact command line that a real webui starts llama-server with, a stand-in in the place of the binary."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.host.conftest import BASE, FACTOR, WINDOW
from tests.host.gguf_file import FLOAT32, STRING, UINT32, llama_metadata, write_gguf
from tests.host.running_host import RunningHost
from tests.real_hosts import RealHost

pytestmark = [pytest.mark.host, pytest.mark.slow, pytest.mark.thorough]
STAND_IN = Path(__file__).parent / "llama_server_stand_in"
PROBE_COMMANDS = Path(__file__).parent / "loader_probe.py"
CARD = f"You'll need to set max_seq_len to {WINDOW} and compress_pos_emb to {FACTOR}.\n"
CONFIRMED = f"linear ×{FACTOR} · {WINDOW} tokens · llama.cpp · confirmed by the loader's own settings"


@dataclass(frozen=True)
class GgufModels:
    """Folders with one file each: a card with a factor, no card, and a scaling in the file's own metadata."""

    scaled: Path
    plain: Path
    own: Path

    def all(self) -> tuple[Path, ...]:
        return (self.scaled, self.plain, self.own)


@pytest.fixture(scope="module")
def gguf_models(tmp_path_factory: pytest.TempPathFactory) -> GgufModels:
    folder = tmp_path_factory.mktemp("gguf")

    def model(name: str, card: str = "", **more: Any) -> Path:
        (folder / name).mkdir()
        write_gguf(folder / name / "model.gguf", llama_metadata(name, BASE, **more))
        if card:
            (folder / name / "README.md").write_text(card)
        return folder / name

    return GgufModels(
        model("tiny-PI-1024-GGUF", CARD),
        model("plain-llama-GGUF"),
        model(
            "own-scaling-GGUF",
            llama__rope__scaling__type=(STRING, "linear"),
            llama__rope__scaling__factor=(FLOAT32, 2.0),
            llama__rope__scaling__original_context_length=(UINT32, BASE // 2),
        ),
    )


class HostWithServer(RunningHost):
    """A webui process for which the stand-in is llama-server."""

    def _environment(self) -> dict[str, str]:
        environment = super()._environment()
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(STAND_IN), environment.get("PYTHONPATH")]))
        environment["LLAMA_SERVER_COMMANDS"] = str(self.commands_file)
        environment["LONGCTX_PROBE_MORE"] = str(PROBE_COMMANDS)
        return environment

    @property
    def commands_file(self) -> Path:
        return self.folder / "commands.jsonl"

    def commands(self) -> list[list[str]]:
        """The command lines so far, without the program and the free port."""
        lines = [json.loads(line) for line in self.commands_file.read_text().splitlines()]
        for line in lines:
            del line[line.index("--port") : line.index("--port") + 2]
        return lines


@pytest.fixture(scope="module")
def server_host(host: RealHost) -> RealHost:
    if not (host.webui / "modules" / "llama_cpp_server.py").is_file():
        pytest.skip(f"{host.name} starts no llama-server")
    return host


def takes_extra_flags_only(host: RealHost) -> bool:
    return "compress_pos_emb" not in (host.webui / "modules" / "shared.py").read_text()


@contextmanager
def serving(host: RealHost, folder: Path, models: GgufModels, *arguments: str) -> Iterator[HostWithServer]:
    server = HostWithServer(host, folder, models.all(), arguments=arguments, page=False)
    try:
        yield server.wait_until_ready()
    finally:
        server.stop()


def rope_of(command: list[str]) -> dict[str, str]:
    return {name: command[at + 1] for at, name in enumerate(command) if name.startswith(("--rope", "--yarn"))}


def context_of(command: list[str]) -> str | None:
    return command[command.index("--ctx-size") + 1] if "--ctx-size" in command else None


def expected_rope(host: RealHost, factor: int = FACTOR) -> dict[str, str]:
    if takes_extra_flags_only(host):
        return {"--rope-scaling": "linear", "--rope-scale": str(factor)}
    return {"--rope-freq-scale": str(1.0 / factor)}


def test_loads_through_the_api(server_host, gguf_models, tmp_path):
    """Plain and scaled in turn: each load is told its own, and the arguments after a plain one are always the same."""
    with serving(server_host, tmp_path, gguf_models) as server:
        arguments = []
        for model in (gguf_models.plain, gguf_models.scaled, gguf_models.plain, gguf_models.scaled):
            server.load(model.name)
            if model is gguf_models.scaled:
                assert server.ask("window")["truncation_length"] == WINDOW
            else:
                arguments.append(server.ask("arguments"))
        plain, scaled, plain_again, scaled_again = server.commands()
        assert rope_of(scaled) == expected_rope(server_host)
        assert context_of(scaled) == str(WINDOW)
        assert rope_of(plain) == {}
        assert context_of(plain) != str(WINDOW)
        assert (plain, scaled) == (plain_again, scaled_again)
        assert arguments[0] == arguments[1]
        assert server.said().count(CONFIRMED) == 2


def test_a_model_named_on_the_command_line_is_loaded_again(server_host, gguf_models, tmp_path):
    with serving(server_host, tmp_path, gguf_models, "--model", gguf_models.scaled.name) as server:
        first, second = server.commands()
        assert rope_of(first) == {}
        assert rope_of(second) == expected_rope(server_host)
        assert context_of(second) == str(WINDOW)
        assert "loaded before this extension, without its scaling; loading it again" in server.said()
        assert CONFIRMED in server.said()
        assert server.ask("window")["truncation_length"] == WINDOW


@pytest.mark.parametrize(
    ("users", "expected"),
    [
        ("no-warmup,seed=7", ["--no-warmup", "--seed", "7"]),
        ("--no-warmup --seed 7", ["--no-warmup", "--seed", "7"]),
        ('"--override-kv a=int:1 --no-warmup"', ["--override-kv", "a=int:1", "--no-warmup"]),
    ],
)
def test_the_users_extra_flags_stay_before_ours(server_host, gguf_models, tmp_path, users, expected):
    literal = "shlex.split(extra_flags)" in (server_host.webui / "modules" / "llama_cpp_server.py").read_text()
    if users.strip('"').startswith("-") and not literal:
        pytest.skip(f"{server_host.name} reads flag=value,flag only")
    if "--extra-flags" not in (server_host.webui / "modules" / "shared.py").read_text():
        pytest.skip(f"{server_host.name} has no extra flags")
    with serving(server_host, tmp_path, gguf_models, f"--extra-flags={users}") as server:
        server.load(gguf_models.scaled.name)
        (command,) = server.commands()
        ours = [word for pair in expected_rope(server_host).items() for word in pair]
        if takes_extra_flags_only(server_host):
            assert command[-len(expected) - len(ours) :] == [*expected, *ours]
        else:
            assert command[-len(expected) :] == expected
            assert rope_of(command) == expected_rope(server_host)
        assert server.ask("arguments")["extra_flags"] == users


def test_the_users_own_rope_flag_wins(server_host, gguf_models, tmp_path):
    if not takes_extra_flags_only(server_host):
        pytest.skip(f"{server_host.name} has arguments for it")
    with serving(server_host, tmp_path, gguf_models, "--extra-flags=rope-scaling=linear,rope-scale=2") as server:
        server.load(gguf_models.scaled.name)
        (command,) = server.commands()
        assert rope_of(command) == {"--rope-scaling": "linear", "--rope-scale": "2"}
        assert context_of(command) == str(2 * BASE)
        assert "extra_flags of llama.cpp" in server.said()


def test_every_slot_gets_the_whole_window(server_host, gguf_models, tmp_path):
    if "--parallel" not in (server_host.webui / "modules" / "shared.py").read_text():
        pytest.skip(f"{server_host.name} answers one request at a time")
    with serving(server_host, tmp_path, gguf_models, "--parallel", "3") as server:
        server.load(gguf_models.scaled.name)
        (command,) = server.commands()
        assert context_of(command) == str(3 * WINDOW)
        assert CONFIRMED in server.said()
        assert server.ask("window")["truncation_length"] == WINDOW


def test_the_files_own_scaling_is_run_once(server_host, gguf_models, tmp_path):
    """The file states ×2: what the server is told, if anything, is the same, and replaces the file's own."""
    with serving(server_host, tmp_path, gguf_models) as server:
        server.load(gguf_models.own.name)
        (command,) = server.commands()
        assert rope_of(command) in ({}, expected_rope(server_host, 2))
        window = f"linear ×2 · {BASE} tokens · llama.cpp · confirmed by the loader's own settings"
        assert window in server.said()
        assert server.ask("window")["truncation_length"] == BASE


def test_ntk_is_another_base_and_no_linear_factor(server_host, gguf_models, tmp_path):
    rule = 'airoboros_longctx-model_rules:\n- {pattern: "*", rope_type: ntk, factor: 4}\n'
    server = HostWithServer(server_host, tmp_path, gguf_models.all(), settings=rule, page=False)
    try:
        server.wait_until_ready().load(gguf_models.plain.name)
        (command,) = server.commands()
        # Llama's base and heads of 128, which the file does not contradict
        assert rope_of(command) == {"--rope-freq-base": str(round(10000 * 4 ** (128 / 126)))}
        assert "ntk ×4" in server.said()
        assert "llama.cpp · confirmed by the loader's own settings" in server.said()
    finally:
        server.stop()
