"""The child process that reads one file; ``child.py`` starts it by its path and documents what it answers.

It needs ``readers/`` beside it and the packages of the one reader that is asked for: nothing else of the extension is
imported, whatever name the extension has in the process that started it.

    python read_in_child.py FILE READER MEMORY_BYTES CHARACTERS CPU_SECONDS
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

PACKAGE = "airoboros_longctx_readers"


def main(file: str, reader: str, memory_bytes: str, characters: str, cpu_seconds: str) -> None:
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    here = Path(__file__).resolve().parent
    sys.path[:] = [folder for folder in sys.path if folder and Path(folder).resolve() != here]
    limit(int(memory_bytes), int(cpu_seconds))
    readers = load_readers(here / "readers")
    output = readers.Output(answers, int(characters))
    try:
        importlib.import_module(f".{reader}", PACKAGE).read(Path(file), output)
        output.done()
    except readers.Refusal as refusal:
        output.error(str(refusal))
    except MemoryError:
        output.error(
            f"needs more than {int(memory_bytes) >> 20} MiB of memory to be read; split it, or paste the part you need."
        )
    except ImportError as error:
        output.package(f"{type(error).__name__}: {error}")
    except RecursionError:
        output.error("is nested too deeply to be read; save it anew with another program, or paste the part you need.")
    except Exception as error:
        output.error(
            f"could not be read ({type(error).__name__}); it is damaged, cut short or not of the type that its name "
            "says. Save it anew, or paste the part you need."
        )


def limit(memory_bytes: int, cpu_seconds: int) -> None:
    """Bound this process where the system can: Linux does, macOS for time only, Windows not."""
    with contextlib.suppress(ImportError):
        import resource

        for kind, most in (("RLIMIT_AS", memory_bytes), ("RLIMIT_CPU", cpu_seconds), ("RLIMIT_CORE", 0)):
            with contextlib.suppress(AttributeError, ValueError, OSError):
                resource.setrlimit(getattr(resource, kind), (most, most))


def load_readers(folder: Path) -> Any:
    """The package ``readers`` by its path, under a name of its own: nothing of this folder is on sys.path."""
    spec = importlib.util.spec_from_file_location(
        PACKAGE, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"no Python package in {folder}")
    package = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = package
    spec.loader.exec_module(package)
    return package


if __name__ == "__main__":
    main(*sys.argv[1:])
