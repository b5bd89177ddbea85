"""The ``Rope`` port: this room as the service sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..core.ports import Undo

if TYPE_CHECKING:
    from ..core.rope_scaling import RopeReading, RopeScaling


class RopeEngine:
    """Imports torch and transformers when they are used, not before."""

    def patch_classes(self, scaling: RopeScaling) -> Undo:
        from .class_patch import patch_llama_rope

        return patch_llama_rope(scaling).revert

    def scale_live(self, model: Any, scaling: RopeScaling) -> Undo:
        from .live_patch import apply_rope_scaling

        return apply_rope_scaling(model, scaling).revert

    def read(self, model: Any, planned: RopeScaling | None = None) -> RopeReading:
        from .read_back import read_rope_scaling

        return read_rope_scaling(model, planned)
