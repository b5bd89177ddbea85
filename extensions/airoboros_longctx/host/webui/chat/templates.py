"""Our instruction templates in the webui's own folder, in the format that it reads; never over a file of the user's."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ....core.prompts.instruction_templates import InstructionTemplate, instruction_templates
from ....core.prompts.template_formats import as_jinja_yaml, as_old_yaml

_FIRST_LINE = "# Written by airoboros_longctx, and kept up to date unless it is edited. sha256 "
_SUFFIXES = (".yaml", ".yml", ".json", ".jinja", ".jinja2")
#: Where webuis without a ``user_data_dir`` keep them, the newest first: v3.1, v1.6, and before.
_FOLDERS = ("user_data/instruction-templates", "instruction-templates", "characters/instruction-following")


@dataclass(frozen=True)
class TemplatePlace:
    """The folder that the webui lists in its dropdown, and the text of a template's file there."""

    folder: Path
    file_text: Callable[[InstructionTemplate], str]


def probe_template_place() -> TemplatePlace | None:
    """Where this webui keeps its templates; None where none of the known folders is there.

    Every webui that reads Jinja has a function that loads such a template (looked at from December 2023 to v4.7.3).
    """
    from modules import chat, models_settings, shared

    reads_jinja = any(hasattr(module, "load_instruction_template") for module in (chat, models_settings))
    return template_place(getattr(shared, "user_data_dir", None), reads_jinja)


def template_place(user_data: Path | str | None, reads_jinja: bool, root: Path = Path()) -> TemplatePlace | None:
    """The place in a webui that runs in ``root``; where the webui says its ``user_data``, that counts alone."""
    if user_data:
        folder = root / user_data / "instruction-templates"
        there = folder.parent.is_dir()
    else:
        folder = next((root / one for one in _FOLDERS if (root / one).is_dir()), root)
        there = folder != root
    return TemplatePlace(folder, as_jinja_yaml if reads_jinja else as_old_yaml) if there else None


def write_templates(folder: Path, file_text: Callable[[InstructionTemplate], str]) -> tuple[str, ...]:
    """Write every shipped template as ``NAME.yaml``; sentences about what was not written."""
    kept, failed = [], {}
    for name, template in instruction_templates().items():
        try:
            mine = _the_users(folder, name)
            if mine is None:
                _write(folder / f"{name}.yaml", signed(file_text(template)))
            else:
                kept.append(f"{mine} is not ours or was edited: it is used as it is, and not replaced.")
        except OSError as error:
            failed[name] = error.strerror or str(error)
    if failed:
        reason = " / ".join(dict.fromkeys(failed.values()))
        kept.append(f"{', '.join(failed)} could not be written into {folder} ({reason}): the dropdown may lack them.")
    return tuple(kept)


def signed(body: str) -> str:
    """``body`` under a line that says who wrote it, and lets an edit be seen."""
    return f"{_FIRST_LINE}{_digest(body)}\n{body}"


def _the_users(folder: Path, name: str) -> Path | None:
    """The file under this name that is not ours, or was edited."""
    for path in (folder / f"{name}{suffix}" for suffix in _SUFFIXES):
        if os.path.lexists(path) and not (path.suffix == ".yaml" and _is_ours(path)):
            return path
    return None


def _is_ours(path: Path) -> bool:
    """True for a file whose text is what its own first line says that we wrote."""
    try:
        first, _, body = path.read_text(encoding="utf-8").partition("\n")
    except (OSError, UnicodeDecodeError):
        return False
    return not path.is_symlink() and first == _FIRST_LINE + _digest(body)


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode("utf-8")).hexdigest()


def _write(path: Path, text: str) -> None:
    """Put ``text`` there as a whole or not at all; a file that says it already is left alone."""
    path.parent.mkdir(exist_ok=True)
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8", newline="\n")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
