"""What the store says where it cannot: no path and no word of a document is in any of its errors."""

from __future__ import annotations

from ..core.errors import AiroborosLongctxError


class DocumentStoreError(AiroborosLongctxError):
    """Documents that could not be stored, read, exported or deleted. The text is for their owner and for a log."""


def unreadable(why: str) -> DocumentStoreError:
    """Documents that are there, perhaps, and cannot be looked at."""
    return DocumentStoreError(
        f"The stored documents cannot be read: {why}. Let this user read their folder, name another one with "
        "documents_folder, or switch the store off with store_documents: false."
    )


def reason(error: OSError) -> str:
    """Why a file could not be used, without its name."""
    return error.strerror or type(error).__name__
