"""The ways in which webui releases import an extension, played in a throw-away folder by a fresh Python."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "extensions" / "airoboros_longctx"


@dataclass(frozen=True)
class Way:
    """How releases of one time import the extension NAME: its folder, and the code that leaves it in `script`."""

    id: str
    folder: str
    code: str


LONE_FILE = """
import importlib.util
def run_script():
    spec = importlib.util.spec_from_file_location("user_ext_NAME", "user_data/extensions/NAME/script.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
script = run_script()
"""

WAYS = [
    Way(
        "exec, 2023",
        "extensions",
        'exec("import extensions.NAME.script"); script = sys.modules["extensions"].NAME.script',
    ),
    Way(
        "import_module, 2024",
        "extensions",
        'import importlib; script = importlib.import_module("extensions.NAME.script")',
    ),
    Way(
        "user_data package, 2025",
        "user_data/extensions",
        'import importlib; script = importlib.import_module("user_data.extensions.NAME.script")',
    ),
    Way("user_data lone file, 2026", "user_data/extensions", LONE_FILE),
]

STUB_EXTENSION = """
from .core.greeting import GREETING
params = {"greeting": GREETING}
calls = []
def setup(host_module_name): calls.append(host_module_name)
def ui(): calls.append("ui")
def state_modifier(state): return {**state, "greeting": params["greeting"]}
def custom_css(): return ".css"
def custom_js(): return "js()"
"""

REPORT = "\nprint('REPORT' + json.dumps(report))"


def stub_package(folder: Path, extension: str = STUB_EXTENSION) -> Path:
    """The real script.py, around an extension.py that only writes down what reaches it."""
    files = {
        "__init__.py": "",
        "extension.py": extension,
        "core/__init__.py": "",
        "core/greeting.py": "GREETING = 'hello'",
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    shutil.copy(PACKAGE / "script.py", folder / "script.py")
    return folder


def whole_clone(folder: Path, package: Callable[[Path], Path]) -> Path:
    """A clone of the repository: the root's script.py, with the package two folders further down."""
    package(folder / "extensions" / "airoboros_longctx")
    shutil.copy(ROOT / "script.py", folder / "script.py")
    return folder


def real_package(folder: Path) -> Path:
    shutil.copytree(PACKAGE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@dataclass(frozen=True)
class Outcome:
    report: dict[str, Any]
    said: list[str]


def import_as(way: Way, name: str, webui: Path, then: str, before: str = "") -> Outcome:
    """Start Python in ``webui``, import the extension ``name`` in this way, then run code that fills `report`."""
    code = "\n".join(["import json, sys", before, "report = {}", way.code.replace("NAME", name), then, REPORT])
    done = subprocess.run(
        [sys.executable, "-B", "-c", code], cwd=webui, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    printed = done.stdout.rpartition("REPORT")[2]
    return Outcome(json.loads(printed), [line for line in done.stderr.splitlines() if line.strip()])
