"""What the user asked of the webui, by the loader that it is for."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from extensions.airoboros_longctx.host.webui.request import UsersRequest

NOWHERE = Path("some-llama")
STOCK = {
    "max_seq_len": 2048,
    "n_ctx": 2048,
    "compress_pos_emb": 1,
    "alpha_value": 1,
    "loader": None,
    "cache_type": "q8",
}


def users(provided: tuple[str, ...] = (), saved: dict[str, Any] | None = None, **args: Any) -> UsersRequest:
    shared = SimpleNamespace(
        args=SimpleNamespace(**{**STOCK, **args}),
        args_defaults=SimpleNamespace(**STOCK),
        provided_arguments=list(provided),
        user_config={"some-llama$": saved} if saved else {},
    )
    return UsersRequest(shared)


def test_nothing_was_asked() -> None:
    request = users().read("some-llama", NOWHERE, None)
    assert (request.context_tokens, request.host_factor, request.host_alpha, request.cache_type) == (
        None,
        None,
        None,
        "fp16",
    )


@pytest.mark.parametrize(
    ("loader", "key", "other"), [("ExLlama", "max_seq_len", "n_ctx"), ("llama.cpp", "n_ctx", "max_seq_len")]
)
def test_a_window_of_another_loader_is_not_for_this_one(loader: str, key: str, other: str) -> None:
    request = users((key,), **{key: 4096}).read("some-llama", NOWHERE, loader)
    assert (request.context_tokens, request.context_source) == (4096, f"--{key} on the command line")
    assert users((other,), **{other: 4096}).read("some-llama", NOWHERE, loader).context_tokens is None


def test_a_gguf_is_for_llama_cpp_where_nobody_says_otherwise(tmp_path: Path) -> None:
    asked = users(("n_ctx",), n_ctx=4096)
    assert asked.read("some.gguf", Path("some.gguf"), None).context_tokens == 4096
    assert asked.read("some-llama", tmp_path, None).context_tokens is None
    (tmp_path / "model.gguf").touch()
    assert asked.read("some-llama", tmp_path, None).context_tokens == 4096
    assert asked.read("some-llama", tmp_path, "Transformers").context_tokens is None


def test_the_factor_and_alpha_that_the_user_set() -> None:
    request = users(("alpha_value",), {"compress_pos_emb": 4}, alpha_value=8).read("some-llama", NOWHERE, "ExLlama")
    assert (request.host_factor, request.host_alpha) == (4.0, 8.0)
    assert request.host_factor_source == "compress_pos_emb saved for this model in config-user.yaml"
    assert request.host_alpha_source == "--alpha_value on the command line"


def test_what_we_handed_over_was_not_asked() -> None:
    asked = users(alpha_value=8)
    asked.given["some-llama"] = {"alpha_value": 8, "stock alpha_value": 1}
    assert asked.read("some-llama", NOWHERE, "ExLlama").host_alpha is None
    asked.given["some-llama"] = {"alpha_value": 4, "stock alpha_value": 1}
    assert asked.read("some-llama", NOWHERE, "ExLlama").host_alpha_source == "alpha_value in the Model tab"


def test_a_context_for_several_requests_at_once_is_divided() -> None:
    asked = users(("ctx_size",), ctx_size=9000, parallel=2)
    request = asked.read("some-llama", NOWHERE, "llama.cpp")
    assert (request.context_tokens, request.context_source) == (
        4500,
        "--ctx_size on the command line, for 2 requests at once",
    )
    assert asked.read("some-llama", NOWHERE, "ExLlamav3").context_tokens == 9000
    saved = users((), {"truncation_length": 9000}, ctx_size=0, parallel=2).read("some-llama", NOWHERE, "llama.cpp")
    assert saved.context_tokens == 9000


def test_the_users_extra_flags_state_a_factor_for_llama_cpp_alone() -> None:
    asked = users(extra_flags="--rope-scaling linear --rope-scale 2")
    request = asked.read("some-llama", NOWHERE, "llama.cpp")
    assert (request.host_factor, request.host_factor_source) == (2.0, "extra_flags of llama.cpp")
    assert asked.read("some-llama", NOWHERE, "Transformers").host_factor is None


def test_a_cache_type_counts_for_the_loaders_that_take_it() -> None:
    assert users().read("some-llama", NOWHERE, "ExLlamav2_HF").cache_type == "q8"
    assert users().read("some-llama", NOWHERE, "Transformers").cache_type == "fp16"
    assert users(cache_type=None).read("some-llama", NOWHERE, "llama.cpp").cache_type == "fp16"
