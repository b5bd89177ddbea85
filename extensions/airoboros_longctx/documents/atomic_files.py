"""Files that are wholly the old ones or wholly the new ones, whenever the program or the machine stops."""

from __future__ import annotations

import os
import secrets
import stat
import time
from contextlib import suppress
from pathlib import Path

from ..core.foreign_text import UnreadableFileError

#: What a file is called until it is whole: its name, eight random digits, and this.
NEW = ".new"
_FOLDER_MODE, _FILE_MODE = 0o700, 0o600
#: Windows refuses to replace a file while another program reads it.
_REPLACE_ATTEMPTS, _REPLACE_PAUSE_SECONDS = 20, 0.01


def make_folder(folder: Path) -> None:
    """Make ``folder`` and what is above it; the folder itself is its owner's alone. Raises OSError."""
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=_FOLDER_MODE, exist_ok=True)
        sync_folder(folder.parent)


def write_file(path: Path, content: bytes) -> None:
    """Put ``content`` into ``path``, readable by its owner alone.

    It is on the disk under its name once ``sync_folder`` has returned for its folder. Raises OSError; what was there
    is then unchanged.
    """
    new = path.with_name(f"{path.name}.{secrets.token_hex(4)}{NEW}")
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(new, flags, _FILE_MODE), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _replace(new, path)
    except OSError:
        with suppress(OSError):
            new.unlink()
        raise


def _replace(new: Path, path: Path) -> None:
    for attempt in range(_REPLACE_ATTEMPTS):
        try:
            new.replace(path)
            return
        except PermissionError:
            if os.name != "nt" or attempt == _REPLACE_ATTEMPTS - 1:
                raise
            time.sleep(_REPLACE_PAUSE_SECONDS)


def sync_folder(folder: Path) -> None:
    """Have the names in ``folder`` on the disk, where the system can be asked for that."""
    if os.name == "nt":
        return
    with suppress(OSError):  # some file systems know no such thing
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def stat_plain_file(path: Path, limit: int) -> os.stat_result:
    """The state of a file of at most ``limit`` bytes.

    Raises OSError, and UnreadableFileError for a link, a pipe and the like, and for a larger file.
    """
    return _plain(path.lstat(), limit)


def read_plain_file(path: Path, limit: int) -> bytes:
    """What is in a file of at most ``limit`` bytes; a link is not followed. Raises as ``stat_plain_file``."""
    stat_plain_file(path, limit)
    kinds = (getattr(os, name, 0) for name in ("O_BINARY", "O_NOFOLLOW", "O_NONBLOCK"))
    with os.fdopen(os.open(path, sum(kinds, os.O_RDONLY)), "rb") as file:
        _plain(os.fstat(file.fileno()), limit)  # it may have become another one
        return file.read(limit)


def _plain(found: os.stat_result, limit: int) -> os.stat_result:
    if not stat.S_ISREG(found.st_mode):
        raise UnreadableFileError("is not a plain file")
    if found.st_size > limit:
        raise UnreadableFileError(f"is larger than {limit >> 20} MiB")
    return found
