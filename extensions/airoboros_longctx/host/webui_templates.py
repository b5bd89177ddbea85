"""Our instruction templates in the webui's own folder, in the format that it reads; never over a file of the user's."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..core.instruction_templates import InstructionTemplate, instruction_templates
from ..core.template_formats import as_jinja_yaml, as_old_yaml

_FIRST_LINE = "# Written by airoboros_longctx, and kept up to date unless it is edited. sha256 "
_SUFFIXES = (".yaml", ".yml", ".json", ".jinja", ".jinja2")


@dataclass(frozen=True)
class TemplatePlace:
    """The folder that the webui lists in its dropdown, and the text of a template's file there."""

    folder: Path
    file_text: Callable[[InstructionTemplate], str]


def probe_template_place() -> TemplatePlace | None:
    """Where this webui keeps its templates; None where none of the known folders is there.

    The webuis that read Jinja have a function that loads such a template (seen in v1.8, v1.16, v2.8.1 and v3.x).
    """
    from modules import chat, models_settings, shared

    user_data = getattr(shared, "user_data_dir", None)
    folders = [Path(user_data) / "instruction-templates"] if user_data else []
    folders += [Path("user_data/instruction-templates"), Path("instruction-templates")]
    folders += [Path("characters/instruction-following")]
    folder = next((folder for folder in folders if folder.is_dir()), None)
    if folder is None:
        return None
    reads_jinja = any(hasattr(module, "load_instruction_template") for module in (chat, models_settings))
    return TemplatePlace(folder, as_jinja_yaml if reads_jinja else as_old_yaml)


def write_templates(folder: Path, file_text: Callable[[InstructionTemplate], str]) -> tuple[str, ...]:
    """Write every shipped template as ``NAME.yaml``; a sentence for each that was not written."""
    problems = []
    for name, template in instruction_templates().items():
        path = folder / f"{name}.yaml"
        others = [folder / f"{name}{suffix}" for suffix in _SUFFIXES if suffix != ".yaml"]
        mine = next((other for other in others if other.exists()), None)
        if mine is not None or not _is_ours(path):
            problems.append(f"{mine or path} is not ours or was edited: it is used as it is, and not replaced.")
            continue
        try:
            _write(path, signed(file_text(template)))
        except OSError as error:
            problems.append(f"{path} could not be written ({error.strerror or error}); the dropdown lacks {name}.")
    return tuple(problems)


def signed(body: str) -> str:
    """``body`` under a line that says who wrote it, and lets an edit be seen."""
    return f"{_FIRST_LINE}{_digest(body)}\n{body}"


def _is_ours(path: Path) -> bool:
    """True where nothing is there, or a file of ours that nobody edited."""
    if not path.exists() and not path.is_symlink():
        return True
    try:
        first, _, body = path.read_text(encoding="utf-8").partition("\n")
    except (OSError, UnicodeDecodeError):
        return False
    return not path.is_symlink() and first == _FIRST_LINE + _digest(body)


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode("utf-8")).hexdigest()


def _write(path: Path, text: str) -> None:
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8", newline="\n")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
