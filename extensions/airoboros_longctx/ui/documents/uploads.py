"""Files that a page uploaded: read as text, then deleted. Only files inside the upload folder are touched.

Gradio 3 hands a panel whatever path of the server a client names, so the path is looked at before Gradio opens it.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from ...core.chat_session import ChatDocument
from ...core.errors import AiroborosLongctxError
from ...core.foreign_text import UnreadableFileError, quoted, read_bytes
from ..gradio_versions import low

TYPES = (".txt", ".md")
MOST_BYTES = 4 << 20


class UploadError(AiroborosLongctxError):
    """A file that is not taken. The text names it and says what is needed."""


def upload_folder() -> Path:
    """Where Gradio keeps uploads, in every version since 3.33."""
    return Path(os.environ.get("GRADIO_TEMP_DIR") or Path(tempfile.gettempdir()) / "gradio").resolve()


def is_an_upload(path: str) -> bool:
    return Path(path).resolve().is_relative_to(upload_folder())


def read_upload(file: Any) -> ChatDocument:
    """The document in an uploaded file (a path, or an object with one in ``name``). The file is deleted."""
    path = Path(file if isinstance(file, (str, os.PathLike)) else str(file.name))
    name = quoted(path.name, 80)
    if not is_an_upload(str(path)):
        raise UploadError(f"{name} is not an uploaded file; only files that were uploaded on this page are read.")
    try:
        if path.suffix.lower() not in TYPES:
            raise UploadError(f"{name} is of a type that is not read; {' or '.join(TYPES)} is needed.")
        content, more = read_bytes(path, MOST_BYTES)
        if more:
            raise UploadError(f"{name} is larger than {MOST_BYTES >> 20} MiB; split it, or paste the part you need.")
        text = content.decode("utf-8-sig")
    except UnreadableFileError as error:
        raise UploadError(f"{name} {error}.") from error
    except UnicodeDecodeError as error:
        raise UploadError(f"{name} is not UTF-8 text; save it as UTF-8, or paste its text.") from error
    finally:
        _delete(path)
    if not text.strip():
        raise UploadError(f"{name} is empty; a file with text is needed.")
    return ChatDocument(path.stem, text, (("file", path.name),))


def _delete_originals(uploaded: Any, taken: Any) -> None:
    """Gradio 3 uploads a file, hands over a copy named by its content, and leaves the original (``blob``)."""
    copies = {Path(str(one.name)).resolve() for one in (taken if isinstance(taken, list) else [taken]) if one}
    for one in uploaded if isinstance(uploaded, list) else [uploaded]:
        there = [one, one.get("blob")] if isinstance(one, dict) else []
        for path in (Path(str(file.get("name"))) for file in there if isinstance(file, dict)):
            if is_an_upload(str(path)) and path.is_file() and path.resolve() not in copies:
                _delete(path)


def _delete(path: Path) -> None:
    """The file, and the folder that Gradio made for it alone."""
    path.unlink(missing_ok=True)
    if path.parent.resolve() != upload_folder():
        with suppress(OSError):
            path.parent.rmdir()


def create_upload(**options: Any) -> Any:
    """A ``gr.File`` for several files; in Gradio 3 one that refuses paths outside the upload folder."""
    import gradio as gr

    options = {"file_count": "multiple", "file_types": list(TYPES), **low(gr.File, 110), **options}
    if hasattr(gr, "FileData") or not hasattr(gr.File, "make_temp_copy_if_needed"):
        return gr.File(**options)

    class UploadedFile(gr.File):  # type: ignore[misc]
        def get_block_name(self) -> str:
            return "file"

        def preprocess(self, x: Any) -> Any:
            for one in x if isinstance(x, list) else [x]:
                if isinstance(one, dict) and one.get("is_file") and not is_an_upload(str(one.get("name"))):
                    raise gr.Error("Only files that were uploaded on this page are read.")
            taken = super().preprocess(x)
            _delete_originals(x, taken)
            return taken

    return UploadedFile(**options)
