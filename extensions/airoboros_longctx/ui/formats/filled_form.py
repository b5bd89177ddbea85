"""The form that is chosen with what was filled in, read from the page's components."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...core.documents.chat_session import ChatDocument, ChatSession
from ...core.documents.shelves import DocumentShelves
from ...core.formats.errors import FormatError
from ...core.formats.form_field import DOCUMENT
from ...core.settings import Settings
from ...format_service import Form, FormList
from ...prompt_service import PageRequest
from ..panel_host import PanelHost
from .slots import MOST_SLOTS, values_of

_SLOTS = 2 * MOST_SLOTS


@dataclass(frozen=True)
class FilledForm:
    """``page`` are the values of the host's inputs. A document field that was left empty has the page's documents."""

    form: Form
    values: dict[str, str]
    session: ChatSession
    page: Sequence[Any]

    def message(self) -> str:
        """What stands between USER: and ASSISTANT:. Raises FormatError."""
        return self.form.message(self.values)


class FilledForms:
    """Reads [form's title, slots …, session, host's inputs …]."""

    def __init__(self, host: PanelHost, shelves: DocumentShelves, settings: Settings, forms: FormList) -> None:
        self._host = host
        self._shelves = shelves
        self._settings = settings
        self._forms = forms

    def session(self, session: ChatSession | None) -> ChatSession:
        return session or ChatSession(self._settings.document_options)

    def read(self, fields: Sequence[Any]) -> FilledForm:
        """Raises AiroborosLongctxError with a sentence."""
        title, *rest = fields
        form = self._forms.known.get(title or "")
        if form is None:
            raise FormatError("No form is chosen; choose one first.")
        if len(form.fields) > MOST_SLOTS:
            raise FormatError(
                f"{form.title} has {len(form.fields)} fields; this panel shows {MOST_SLOTS}. Use the command line "
                "(format recipe), or a recipe with fewer."
            )
        slots, session, page = rest[:_SLOTS], self.session(rest[_SLOTS]), rest[_SLOTS + 1 :]
        values = values_of(form.fields, slots)
        for field in form.fields:
            if field.kind == DOCUMENT and field.name not in values and not field.default:
                values[field.name] = self._documents_text(field.label, session, page)
        return FilledForm(form, values, session, page)

    def _documents_text(self, label: str, session: ChatSession, page: Sequence[Any]) -> str:
        documents = documents_of(self._shelves, session, self._host.request(session, page))
        if not documents:
            raise FormatError(f"{label} is empty, and no document of this chat is on; fill it in, or add a document.")
        if len(documents) == 1:
            return documents[0].text
        return "\n\n".join(f"{document.title}\n\n{document.text}".strip() for document in documents)


def documents_of(shelves: DocumentShelves, session: ChatSession, request: PageRequest) -> tuple[ChatDocument, ...]:
    """The page's documents that are on, with those that are attached to messages."""
    return (*shelves.active(session, request.place), *request.attached)
