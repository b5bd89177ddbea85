"""docx, pptx, xlsx and epub are zip files: what one would grow to is bounded before anything of it is unpacked.

The sizes are the archive's own directory's. It cannot lie: Python's zipfile hands out no more bytes of a member than
the directory says. An archive inside the archive is a member like a picture, and never unpacked.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

from .output import Refusal

MOST_UNPACKED_BYTES = 400 << 20
MOST_MEMBERS = 20_000
#: Text in XML packs about 1:10, an empty spreadsheet 1:100; a bomb 1:1000.
MOST_RATIO = 200
_RATIO_COUNTS_FROM_BYTES = 16 << 20
_OLD_OFFICE = bytes.fromhex("d0cf11e0a1b11ae1")


def check_zip(path: Path, suffix: str) -> None:
    """Raise Refusal for what is no zip file, is encrypted, or unpacks to more than a document would."""
    with path.open("rb") as file:
        if file.read(8) == _OLD_OFFICE:
            raise Refusal(
                f"is protected by a password, or in an older format than {suffix}; save a copy as {suffix} without a "
                "password and add that."
            )
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError) as error:
        raise Refusal(
            f"is damaged, cut short or no {suffix} file; get it anew, or save it anew as {suffix}."
        ) from error
    unpacked = sum(member.file_size for member in members)
    packed = max(1, sum(member.compress_size for member in members))
    if len(members) > MOST_MEMBERS:
        raise Refusal(f"holds {len(members):,} files, as no document needs; at most {MOST_MEMBERS:,} are unpacked.")
    if unpacked > MOST_UNPACKED_BYTES or (unpacked > _RATIO_COUNTS_FROM_BYTES and unpacked > MOST_RATIO * packed):
        raise Refusal(
            f"would unpack to {unpacked >> 20:,} MiB, {unpacked // packed} times its size, as no document needs; at "
            f"most {MOST_UNPACKED_BYTES >> 20} MiB and {MOST_RATIO} times are unpacked."
        )
    if any(member.flag_bits & 1 for member in members):
        raise Refusal("is protected by a password; save a copy without one and add that.")
