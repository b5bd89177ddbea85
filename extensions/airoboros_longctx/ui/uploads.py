"""Files that a page uploaded: read as text, then deleted. Only files inside the upload folder are touched.

Gradio 3 hands a panel whatever path of the server a client names, so the path is looked at before Gradio opens it.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from ..core.chat_session import ChatDocument
from ..core.errors import AiroborosLongctxError
from ..core.foreign_text import UnreadableFileError, quoted, read_bytes

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
    path = Path(str(getattr(file, "name", file)))
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
        path.unlink(missing_ok=True)
    if not text.strip():
        raise UploadError(f"{name} is empty; a file with text is needed.")
    return ChatDocument(path.stem, text, (("file", path.name),))


def create_upload(**options: Any) -> Any:
    """A ``gr.File`` for several files; in Gradio 3 one that refuses paths outside the upload folder."""
    import gradio as gr

    options = {"file_count": "multiple", "file_types": list(TYPES), **options}
    if hasattr(gr, "FileData") or not hasattr(gr.File, "make_temp_copy_if_needed"):
        return gr.File(**options)

    class UploadedFile(gr.File):  # type: ignore[misc]
        def get_block_name(self) -> str:
            return "file"

        def preprocess(self, x: Any) -> Any:
            for one in x if isinstance(x, list) else [x]:
                if isinstance(one, dict) and one.get("is_file") and not is_an_upload(str(one.get("name"))):
                    raise gr.Error("Only files that were uploaded on this page are read.")
            return super().preprocess(x)

    return UploadedFile(**options)
