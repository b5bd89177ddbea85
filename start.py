"""Sets up a Python environment of this project's own beside this file, then runs what was asked for.

Standard library only. The setup happens once: a stamp in the environment says for which requirements it is finished,
so a second start goes straight on, and an interrupted setup is never taken for a finished one.
"""

import sys

if sys.version_info < (3, 10):
    sys.exit("This needs Python 3.10 or newer, and this is %d.%d: try python3.11 start.py" % sys.version_info[:2])

import hashlib
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

ROOT = Path(__file__).resolve().parent
REQUIREMENTS = ROOT / "requirements"
CONSTRAINTS = REQUIREMENTS / "constraints.txt"
VENV = Path(os.environ.get("AIROBOROS_LONGCTX_VENV") or ROOT / ".venv").absolute()
VENV_PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "airoboros_longctx.json"
PYTORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"

START_AGAIN = "Nothing half-installed will be used: the same command again starts afresh."
#: Much of a test's time is waiting for a webui's server. ``-n 0`` among the arguments runs everything in one.
IN_TWO_PROCESSES = ["-n", "2"]
RUN_MODULE = (
    "import runpy, sys; sys.path[0] = sys.argv.pop(1); "
    "runpy.run_module('extensions.airoboros_longctx', run_name='__main__', alter_sys=True)"
)


def open_workbench(arguments: list[str]) -> int:
    say("Opening the workbench; it prints its address when it is ready. Ctrl+C closes it.")
    return hand_over([VENV_PYTHON, "-c", RUN_MODULE, ROOT, "workbench", *arguments])


def run_tests(arguments: list[str]) -> int:
    os.chdir(ROOT)
    return hand_over([VENV_PYTHON, "-m", "pytest", *IN_TWO_PROCESSES, *arguments])


def run_tests_of_transformers(arguments: list[str]) -> int:
    return hand_over([VENV_PYTHON, ROOT / "tests" / "transformers_releases.py", *arguments])


def run_in_real_webuis(arguments: list[str]) -> int:
    os.chdir(ROOT)
    return hand_over([VENV_PYTHON, "-m", "tests.releases", *arguments])


def run_benchmarks(arguments: list[str]) -> int:
    os.chdir(ROOT)
    return hand_over([VENV_PYTHON, "-m", "benchmarks", *arguments])


class Command(NamedTuple):
    does: str
    requirements: list[str]
    act: Callable[[list[str]], int]


COMMANDS = {
    "workbench": Command(
        "open the workbench in a browser (also without any command)", ["workbench", "documents"], open_workbench
    ),
    "test": Command("run all tests; what follows goes to pytest", ["workbench", "documents", "test"], run_tests),
    "test-hosts": Command(
        "run every path of every real webui found (see the README)",
        ["workbench", "documents", "test"],
        run_in_real_webuis,
    ),
    "test-transformers": Command(
        "run the numerics tests under many releases of Transformers (or those named, e.g. 4.31 newest)",
        ["workbench", "test"],
        run_tests_of_transformers,
    ),
    "bench": Command(
        "measure what this extension costs and saves, as ratios (--list says what there is)",
        ["workbench"],
        run_benchmarks,
    ),
}


class Group(NamedTuple):
    """A file in requirements/: what it brings, said before it is downloaded, and what must import afterwards."""

    brings: str
    imports: str


GROUPS = {
    "workbench": Group(
        "Transformers, Gradio, matplotlib and what they need: about 130 MB to download, 730 MB on disk",
        "torch, transformers, gradio, sentencepiece, yaml, matplotlib.figure",
    ),
    "documents": Group(
        "what PDFs, web pages, Office files and e-books are read with: about 23 MB to download, 75 MB on disk",
        "pypdf, cryptography, docx, pptx, openpyxl, defusedxml, trafilatura",
    ),
    "test": Group(
        "pytest, Playwright, the type checker and the linters: about 85 MB to download, 250 MB on disk",
        "pytest, xdist, hypothesis, playwright.sync_api",
    ),
}


def main(arguments: list[str]) -> int:
    if arguments[:1] in (["-h"], ["--help"]):
        print(usage())
        return 0
    name = arguments.pop(0) if arguments and not arguments[0].startswith("-") else "workbench"
    if name not in COMMANDS:
        stop(f"There is no command {name!r}.\n\n{usage()}")
    set_up(COMMANDS[name].requirements)
    return COMMANDS[name].act(arguments)


def usage() -> str:
    rows = [f"  python start.py {name:<18} {command.does}" for name, command in COMMANDS.items()]
    return "\n".join(["Sets up what is needed in .venv, then:", *rows, "What follows a command is passed on to it."])


def set_up(groups: list[str]) -> None:
    """Bring the environment to where every group of requirements is installed; nothing to do is the usual case."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    wanted = {"python": python} | {group: fingerprint(group) for group in groups}
    stamp = read_stamp()
    if VENV_PYTHON.exists() and wanted.items() <= stamp.items():
        return
    began = time.monotonic()
    if not VENV_PYTHON.exists() or stamp.get("python") != python:
        create_environment()
        stamp = {}
    STAMP.write_text("{}", encoding="utf-8")  # unfinished, until the last line
    for group in groups:
        if stamp.get(group) != wanted[group]:
            install(group)
    stamp.update(wanted)
    STAMP.write_text(json.dumps(stamp), encoding="utf-8")
    say(f"Everything is set up in {VENV} ({time.monotonic() - began:.0f} s). The next start is quick.")


def fingerprint(group: str) -> str:
    content = b"\0".join(path.read_bytes() for path in (REQUIREMENTS / f"{group}.txt", CONSTRAINTS))
    return hashlib.sha256(content).hexdigest()


def read_stamp() -> dict[str, str]:
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def create_environment() -> None:
    if VENV.exists():
        empty_environment()
    if importlib.util.find_spec("ensurepip") is None:
        stop(
            "This Python cannot make environments: its module ensurepip is missing. "
            "On Debian and Ubuntu `sudo apt install python3-venv` brings it. Then start again."
        )
    say(f"Making an environment with Python {platform.python_version()} in {VENV}; nothing outside it is changed.")
    VENV.mkdir(parents=True, exist_ok=True)
    STAMP.write_text("{}", encoding="utf-8")
    base_python = getattr(sys, "_base_executable", None) or sys.executable  # outside any environment now active
    if run([base_python, "-m", "venv", VENV]) != 0:
        stop(f"Python could not make an environment in {VENV} (its message is above).")


def empty_environment() -> None:
    """Delete what an earlier setup left; its stamp stays to the end, as the proof that the folder is ours to empty."""
    left = [path for path in VENV.iterdir() if path != STAMP]
    if left and not STAMP.exists():
        stop(
            f"{VENV} exists and was not made by this script. "
            "Move it away, or set AIROBOROS_LONGCTX_VENV to a folder that may be made."
        )
    if left:
        say(f"The environment in {VENV} is unfinished, or was made for another Python: starting it afresh.")
    for path in left:
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def install(group: str) -> None:
    if group == "workbench":
        install_torch()
    say(f"Installing {GROUPS[group].brings}.")
    pip("install", "-r", REQUIREMENTS / f"{group}.txt", "-c", CONSTRAINTS)
    say("Trying what was installed.")
    if run([VENV_PYTHON, "-c", f"import {GROUPS[group].imports}"]) != 0:
        stop(f"What was installed does not run on this machine (Python's message is above). {START_AGAIN}")


def install_torch() -> None:
    """PyTorch comes first: from the index, Linux gets gigabytes of CUDA with it unless a CPU build is there already."""
    torch = next(line for line in CONSTRAINTS.read_text(encoding="utf-8").splitlines() if line.startswith("torch=="))
    version = torch.removeprefix("torch==")
    if sys.platform != "linux":
        say(f"Installing PyTorch {version}: about 120 MB to download, 500 MB on disk.")  # PyPI: no CUDA on Windows
    elif has_nvidia_gpu():
        say(f"Installing PyTorch {version} with CUDA for the NVIDIA GPU: about 3 GB to download, 7 GB on disk.")
    else:
        say(f"No NVIDIA GPU found: looking for a CPU build of PyTorch {version}.")
        for options in ([], ["--index-url", PYTORCH_CPU_INDEX]):
            if offers(f"{version}+cpu", options):
                say("Installing it: about 190 MB to download, 750 MB on disk.")
                pip("install", "--no-deps", f"{torch}+cpu", *options)
                return
            say(f"None on {options[-1] if options else 'the package index'}.")
        say(f"Installing PyTorch {version} with CUDA instead: about 3 GB to download, 7 GB on disk.")
    pip("install", torch, "-c", CONSTRAINTS)


def offers(build: str, options: list[str]) -> bool:
    """Whether the package index offers this build of PyTorch; an index that cannot be reached in time does not."""
    question = [str(VENV_PYTHON), "-m", "pip", "index", "versions", "torch", "--timeout", "10", "--retries", "1"]
    return build in answer_of([*question, *options], seconds=60).replace(",", " ").split()


def has_nvidia_gpu() -> bool:
    return any(Path("/proc/driver/nvidia/gpus").glob("*")) or "GPU" in answer_of(["nvidia-smi", "-L"], seconds=20)


def answer_of(command: list[str], seconds: float) -> str:
    """What a command prints; nothing where it fails or takes too long."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def pip(*arguments: str | Path) -> None:
    command: list[str | Path] = [VENV_PYTHON, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    if run([*command, *arguments]) != 0:
        stop(f"pip could not install it (its message is above). {START_AGAIN}")


def run(command: Sequence[str | Path]) -> int:
    """Run a command to its end. Ctrl+C reaches it as well as us: it closes by itself, and we wait for that."""
    process = subprocess.Popen([str(part) for part in command])
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.wait()
        raise


def hand_over(command: Sequence[str | Path]) -> int:
    """Become the command, where the system can; its exit status and its signals are then our own."""
    if os.name == "posix":
        sys.stdout.flush()
        os.execv(command[0], [str(part) for part in command])
    try:
        return run(command)
    except KeyboardInterrupt:
        return 130


def say(sentence: str) -> None:
    print(f"[start] {sentence}", flush=True)


def stop(sentence: str) -> NoReturn:
    sys.exit(f"[start] {sentence}")


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        print(f"\n[start] Interrupted. {START_AGAIN}", file=sys.stderr)
        sys.exit(130)
