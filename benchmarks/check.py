"""The check of the shipped model's context, against the bare forward passes that it needs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .document_turn import SHIPPED_MODEL
from .measuring import compared
from .rows import Options, Row

NAME = "check"


def rows(options: Options) -> Iterator[Row]:
    """The passes of one check are noted with their tokens, and run again with nothing around them."""
    import torch

    from extensions.airoboros_longctx.check_service import CheckService
    from extensions.airoboros_longctx.checking.measured_model import LogitsModel
    from extensions.airoboros_longctx.core.checking.check_options import CheckOptions
    from extensions.airoboros_longctx.core.checking.checked_model import checked_model
    from extensions.airoboros_longctx.rope.engine import RopeEngine
    from extensions.airoboros_longctx.workbench import Workbench

    asked = CheckOptions(contexts=(64, 128), windows=4, prompts=1) if options.quick else CheckOptions()
    with tempfile.TemporaryDirectory() as data:
        workbench = Workbench(Path(data))
        workbench.load(str(SHIPPED_MODEL))
        loaded = workbench.host.loaded_model()
        assert loaded is not None  # it was loaded in the line before
        measured = LogitsModel(loaded.model, workbench.host.tokenizer)
        subject, service = checked_model(workbench.service.status(), loaded, measured), CheckService(RopeEngine())
        passes: list[dict[str, Any]] = []
        hook = loaded.model.register_forward_pre_hook(lambda _, __, given: passes.append(given), with_kwargs=True)
        service.check(subject, asked)
        hook.remove()

        def bare() -> None:
            with torch.inference_mode():
                for given in passes:
                    loaded.model(**given)

        name = f"check of the shipped model, {len(passes)} forward passes"
        yield compared(
            name,
            lambda: service.check(subject, asked),
            "the same forward passes alone",
            bare,
            at_most=1.3,
            pairs=options.pairs(),
        )
