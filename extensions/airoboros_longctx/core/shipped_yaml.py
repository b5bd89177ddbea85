"""The YAML files of this package, read quickly: some are read while a webui starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

#: libyaml's parser, ten times as quick, where PyYAML was built with it. Files of others are left to PyYAML's own.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_shipped_yaml(file: Path) -> Any:
    """What ``yaml.safe_load`` makes of ``file``, which comes with this package."""
    return yaml.load(file.read_text(encoding="utf-8"), Loader=_LOADER)
