"""Runs the numerics tests under the releases of Transformers that webuis brought: a row for each.

``python start.py test-transformers [RELEASE ...]`` runs this with the project's own environment, which is the newest
release. Every other one gets a small environment beside it: it installs what requirements/transformers-releases.txt
pins and takes all else (PyTorch, pytest) from the project's environment. Standard library only.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PROJECT_ENVIRONMENT = Path(sys.prefix)
TESTS = ("tests/unit/rope", "tests/unit/prefix_cache")
NEWEST = "newest"
STAMP = "airoboros_longctx.json"
PINS = ROOT / "requirements" / "transformers-releases.txt"


class Row(NamedTuple):
    """``result`` is "passed", "failed" or "absent"; ``detail`` the counts, or why there are none."""

    release: str
    result: str
    detail: str

    def __str__(self) -> str:
        return f"{self.release:<8} {self.result:<7} {self.detail}"


class NoEnvironmentError(Exception):
    """The environment for a release cannot be had; the text says why."""


def releases() -> dict[str, list[str]]:
    """Each release and its pinned packages, the oldest first; the newest has none of its own."""
    lines = [line for line in PINS.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    pinned = dict(line.split(": ", 1) for line in lines)
    return {release: packages.split() for release, packages in pinned.items()} | {NEWEST: []}


def main(asked: Sequence[str]) -> int:
    """Exit status 0 where at least one release ran and none failed."""
    known = releases()
    unknown = [release for release in asked if release not in known]
    if unknown:
        print(f"No release {unknown[0]!r} is prepared. Known: {', '.join(known)}.", file=sys.stderr)
        return 2
    rows = []
    for release in asked or known:
        rows.append(row_of(release, known[release]))
        print(rows[-1], flush=True)
    if len(rows) > 1:
        print("\n".join(["", "release  result", *map(str, rows)]))
    results = {row.result for row in rows}
    return 0 if "passed" in results and "failed" not in results else 1


def row_of(release: str, packages: list[str]) -> Row:
    try:
        python = Path(sys.executable) if release == NEWEST else python_of(release, packages)
    except NoEnvironmentError as reason:
        return Row(release, "absent", str(reason))
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [str(python), "-m", "pytest", *TESTS, "-q", "-p", "no:cacheprovider", f"--junit-xml={report}"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", errors="replace")
        counts = counts_in(report) if report.exists() else "the tests did not begin"
    counts = f"Transformers {version_in(python)}: {counts}"
    if done.returncode == 0:
        return Row(release, "passed", counts)
    print(done.stdout[-20_000:], done.stderr[-4_000:], sep="\n", flush=True)
    return Row(release, "failed", counts)


def version_in(python: Path) -> str:
    """The version that really was tested: not the one asked for, but the one found first."""
    question = "from importlib.metadata import version; print(version('transformers'))"
    done = subprocess.run([str(python), "-c", question], capture_output=True, text=True)
    return done.stdout.strip() or "of no known version"


def counts_in(report: Path) -> str:
    """``288 passed, 7 skipped`` from pytest's report."""
    suite = next(ElementTree.parse(report).getroot().iter("testsuite"))
    tests, skipped, failed, errors = (int(suite.get(name, 0)) for name in ("tests", "skipped", "failures", "errors"))
    counts = {"passed": tests - skipped - failed - errors, "failed": failed, "errors": errors, "skipped": skipped}
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count or name == "passed")


def python_of(release: str, packages: list[str]) -> Path:
    """The Python of the environment for ``release``, set up if need be. Raises NoEnvironmentError."""
    folder = PROJECT_ENVIRONMENT.with_name(f"{PROJECT_ENVIRONMENT.name}-transformers-{release}")
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    wanted = {"python": sys.version, "beside": str(PROJECT_ENVIRONMENT), "packages": packages}
    stamp = folder / STAMP
    if stamp.exists() and json.loads(stamp.read_text(encoding="utf-8") or "{}") == wanted:
        return python
    if folder.exists():
        if not stamp.exists():
            raise NoEnvironmentError(f"{folder} exists and was not made by this command; move it away")
        shutil.rmtree(folder)
    print(f"Setting up {folder.name}: {' '.join(packages)}", flush=True)
    folder.mkdir()
    stamp.write_text("{}", encoding="utf-8")  # unfinished, until the last line
    venv.create(folder, with_pip=False, symlinks=sys.platform != "win32")
    own = sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)})
    shared = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (Path(own) / "project.pth").write_text("\n".join(sorted(shared)) + "\n", encoding="utf-8")
    command = [python, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
    command += ["--no-deps", "--ignore-installed", "--only-binary=:all:", *packages]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        reason = done.stderr.strip().splitlines() or ["it said nothing"]
        raise NoEnvironmentError(f"pip could not install it: {reason[-1]}")
    stamp.write_text(json.dumps(wanted), encoding="utf-8")
    return python


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
