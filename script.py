"""Makes a clone of the whole repository inside a webui's extensions folder work as the extension itself."""

from __future__ import annotations

import importlib.util
from pathlib import Path

_entry = Path(__file__).resolve().parent / "extensions" / "airoboros_longctx" / "script.py"
_spec = importlib.util.spec_from_file_location("airoboros_longctx_script", _entry)
if _spec is None or _spec.loader is None:
    raise ImportError(f"[airoboros_longctx] {_entry} cannot be read: clone the whole repository again.")
_script = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_script)
_script.__name__ = __name__  # setup() tells it on: the settings' keys start with the name the webui knows
globals().update({name: value for name, value in vars(_script).items() if not name.startswith("_")})
