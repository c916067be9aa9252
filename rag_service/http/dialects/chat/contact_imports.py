"""/contacts/import, in the chat dialect: contacts from a file."""

from typing import Annotated, Any

from litestar import Request, post
from litestar.di import NamedDependency
from msgspec import Struct

from rag_service.assembly import Service
from rag_service.background.jobs import spool_folder
from rag_service.contacts import files
from rag_service.contacts.fields import REGION
from rag_service.contacts.files import ContactFile, ImportReport
from rag_service.errors import Invalid
from rag_service.fields import read_fields
from rag_service.http.dialects.chat.contacts import GUARDS, TAGS
from rag_service.http.documenting import CSV, either, errors, form_body, operation, text_body
from rag_service.http.envelopes import Success
from rag_service.http.forms import Form
from rag_service.http.guarding import scope_of
from rag_service.http.parameters import query_of
from rag_service.http.threads import Threads

AnyRequest = Request[Any, Any, Any]


class ImportRequest(Struct, frozen=True, kw_only=True):
    region: Annotated[str | None, REGION] = None


_FILE = {
    "type": "string",
    "format": "binary",
    "contentMediaType": "text/csv",
    "description": "A CSV file.",
}
_IMPORT = either(
    text_body(
        CSV,
        "A header names email, name, phone, user_id or metadata (JSON); other columns become keys "
        "of the metadata. Best in UTF-8: other encodings are guessed.",
        "email,name,Plan\nann@example.com,Ann Lee,pro\n",
    ),
    form_body(ImportRequest, {"file": _FILE}, {"file": "contacts.csv"}),
)


@post(
    "/contacts/import",
    status_code=200,
    guards=GUARDS,
    tags=TAGS,
    summary="Import contacts",
    operation_class=operation(query=ImportRequest, body=_IMPORT),
    responses=errors(400, 413, chat=True),
)
async def import_contacts(
    request: AnyRequest, service: NamedDependency[Service], threads: NamedDependency[Threads]
) -> Success[ImportReport]:
    """A contact with its email, or its user id, is changed; an empty cell changes nothing.

    A bad line is told with its reason, and does not stop the others.
    """
    data, given = await _upload(request, service)
    asked = read_fields(ImportRequest, query_of(request, ImportRequest) | given)
    file = await threads.read(ContactFile, data, asked.region)
    return Success(
        data=await threads.write(
            files.import_contacts, service.store.contacts, scope_of(request), file
        )
    )


async def _upload(request: AnyRequest, service: Service) -> tuple[bytes, dict[str, str]]:
    """The file, and the fields that came with it."""
    if not request.headers.get("content-type", "").startswith("multipart/"):
        return await request.body(), {}
    longest = service.settings.max_body_bytes
    async with Form(spool_folder(service.settings), longest) as form:
        await form.read(request)
        if len(form.files) != 1:
            raise Invalid("Invalid parameter(s): file", {"file": "has to be one file"})
        return form.content(form.files[0]), form.fields


handlers = [import_contacts]
