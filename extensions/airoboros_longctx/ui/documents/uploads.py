"""Files that a page uploaded: looked at before they are read, and deleted afterwards.

Gradio 3 hands a panel whatever path of the server a client names, so only files inside the upload folder are touched.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from ...core.errors import AiroborosLongctxError
from ...core.foreign_text import quoted
from ..gradio_versions import low


class UploadError(AiroborosLongctxError):
    """A file that is not taken. The text names it and says what is needed."""


def upload_folder() -> Path:
    """Where Gradio keeps uploads, in every version since 3.33."""
    return Path(os.environ.get("GRADIO_TEMP_DIR") or Path(tempfile.gettempdir()) / "gradio").resolve()


def is_an_upload(path: str) -> bool:
    return Path(path).resolve().is_relative_to(upload_folder())


def uploads_in(field: Any) -> list[Any]:
    """The files of an upload field: what it holds is a list, one file, or nothing."""
    return field if isinstance(field, list) else [field] if field else []


def uploaded_path(file: Any) -> Path:
    """Where an uploaded file (a path, or an object with one in ``name``) lies. UploadError where it is none."""
    path = Path(file if isinstance(file, (str, os.PathLike)) else str(file.name))
    if not is_an_upload(str(path)):
        name = quoted(path.name, 80)
        raise UploadError(f"{name} is not an uploaded file; only files that were uploaded on this page are read.")
    return path


def delete_upload(file: Any) -> None:
    """Delete an uploaded file, and the folder that Gradio made for it alone; nothing else is ever deleted."""
    with suppress(OSError, UploadError):
        _delete(uploaded_path(file))


def _delete(path: Path) -> None:
    path.unlink(missing_ok=True)
    if path.parent.resolve() != upload_folder():
        with suppress(OSError):
            path.parent.rmdir()


def _delete_originals(uploaded: Any, taken: Any) -> None:
    """Gradio 3 uploads a file, hands over a copy named by its content, and leaves the original (``blob``)."""
    copies = {Path(str(one.name)).resolve() for one in (taken if isinstance(taken, list) else [taken]) if one}
    for one in uploaded if isinstance(uploaded, list) else [uploaded]:
        there = [one, one.get("blob")] if isinstance(one, dict) else []
        for path in (Path(str(file.get("name"))) for file in there if isinstance(file, dict)):
            if is_an_upload(str(path)) and path.is_file() and path.resolve() not in copies:
                _delete(path)


def _is_gone(one: Any) -> bool:
    """True for an upload, as Gradio 3 hands it over, that has been deleted."""
    return isinstance(one, dict) and bool(one.get("is_file")) and not Path(str(one.get("name"))).is_file()


def create_upload(**options: Any) -> Any:
    """A ``gr.File`` for several files; in Gradio 3 one that refuses paths outside the upload folder.

    It names no types: Gradio 6 would refuse every file of a drop for the sake of one.
    """
    import gradio as gr

    options = {"file_count": "multiple", **low(gr.File, 130), **options}
    if hasattr(gr, "FileData") or not hasattr(gr.File, "make_temp_copy_if_needed"):
        return gr.File(**options)

    class UploadedFile(gr.File):  # type: ignore[misc]
        def get_block_name(self) -> str:
            return "file"

        def preprocess(self, x: Any) -> Any:
            given = [one for one in (x if isinstance(x, list) else [x]) if one]
            for one in given:
                if isinstance(one, dict) and one.get("is_file") and not is_an_upload(str(one.get("name"))):
                    raise gr.Error("Only files that were uploaded on this page are read.")
            # Asked again at each step of an event in steps, when the files of the first are read and deleted.
            there = [one for one in given if not _is_gone(one)]
            taken = super().preprocess(there)
            _delete_originals(there, taken)
            return taken

    return UploadedFile(**options)
