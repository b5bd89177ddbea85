"""The last check of each model, on a disk."""

from __future__ import annotations

import stat

import pytest

from extensions.airoboros_longctx.core.checking.check_result import (
    PASSKEY,
    CheckResult,
    CheckVerdict,
    PerplexityPoint,
    RetrievalCell,
    ScalingMeasured,
)
from extensions.airoboros_longctx.core.documents.place import CHAT, Place
from extensions.airoboros_longctx.core.rope_scaling import RopeScaling
from extensions.airoboros_longctx.documents.check_store import FOLDER, CheckStore
from extensions.airoboros_longctx.documents.store import FileDocumentStore

MEASURED = ScalingMeasured(
    RopeScaling("linear", 4, 256),
    (PerplexityPoint(64, 9.1, 10, (2.0, 2.5)), PerplexityPoint(128, float("inf"), 10)),
    (RetrievalCell(PASSKEY, 128, 0.5, 1, 2),),
)
VERDICT = CheckVerdict("other_factor", "It looks like ×2.", 128, 2.0)
RESULT = CheckResult("tiny", "Transformers", 1024, 256, (MEASURED,), VERDICT, "t", "m", 1.5, False, ("a note",))


def test_result_comes_back_as_it_was_for_its_own_model_alone(tmp_path):
    store = CheckStore(tmp_path / "new" / FOLDER)
    assert store.read("tiny") is None
    store.keep("tiny", RESULT)
    assert CheckStore(tmp_path / "new" / FOLDER).read("tiny") == RESULT
    assert store.read("tiny, other window") is None


def test_files_are_their_owners_alone_and_named_by_no_model(tmp_path):
    CheckStore(tmp_path / FOLDER).keep("../../secret model", RESULT)
    (path,) = (tmp_path / FOLDER).iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert "secret" not in path.name


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", b'{"format": 1}', b'{"format": 1, "measured": [7]}', b"\xff"]
)
def test_damaged_file_is_no_result_and_the_next_check_mends_it(tmp_path, content):
    store = CheckStore(tmp_path)
    store.keep("tiny", RESULT)
    next(tmp_path.iterdir()).write_bytes(content)
    assert store.read("tiny") is None
    store.keep("tiny", RESULT)
    assert store.read("tiny") == RESULT


def test_documents_beside_it_see_nothing_of_it(tmp_path):
    CheckStore(tmp_path / FOLDER).keep("tiny", RESULT)
    documents = FileDocumentStore(tmp_path)
    assert documents.folders() == ()
    assert documents.read(Place().shelf(CHAT)) == ()
