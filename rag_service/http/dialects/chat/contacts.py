"""/contacts, in the chat dialect: people, and what they said."""

from typing import Annotated, Any, Literal

from litestar import MediaType, Request, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct
from msgspec.structs import asdict

from rag_service.assembly import Service
from rag_service.contacts import store as kept
from rag_service.contacts.fields import ContactChange, NewContact, read_changes, read_contact
from rag_service.contacts.files import csv_lines
from rag_service.conversations.store import Conversation
from rag_service.conversations.transcripts import ORDERS, Order
from rag_service.fields import Field, flag, one_of, read_label
from rag_service.http.documenting import CSV, errors, json_body, operation, streamed
from rag_service.http.envelopes import Success
from rag_service.http.exports import exported
from rag_service.http.guarding import need, of_no_bot, scope_of
from rag_service.http.pages import Page, Pagination
from rag_service.http.parameters import body_of, read_query, read_query_or_body
from rag_service.http.threads import Threads

AnyRequest = Request[Any, Any, Any]


class Contact(Struct, frozen=True, kw_only=True, rename="camel"):
    """`conversations` counts those in which `userId` has spoken."""

    id: str
    email: str | None
    name: str | None
    phone: str | None
    user_id: str | None
    metadata: dict[str, Any]
    conversations: int
    created_at: str
    updated_at: str


class Contacts(Struct, frozen=True, kw_only=True):
    contacts: list[Contact]
    pagination: Pagination


class ContactGone(Struct, frozen=True, kw_only=True, rename="camel"):
    id: str
    deleted: Literal[True] = True
    conversations_deleted: int


class Linked(Struct, frozen=True, kw_only=True, rename="camel"):
    bot_id: str
    id: str
    title: str | None
    preview: str
    message_count: int
    metadata: dict[str, Any]
    created_at: str
    updated_at: str


class LinkedPage(Struct, frozen=True, kw_only=True):
    conversations: list[Linked]
    pagination: Pagination


SEARCH = Field("Part of an email, a name, a phone or a user id, whatever its case.", read_label)


class ContactsRequest(Page, frozen=True, kw_only=True):
    search: Annotated[str | None, SEARCH] = None
    order: Annotated[Order, Field("By creation.", one_of(ORDERS))] = "desc"


class DeleteRequest(Struct, frozen=True, kw_only=True):
    conversations: Annotated[
        bool, Field("Their conversations too, with everything in them.", flag)
    ] = False


_EXAMPLE = {"email": "ann@example.com", "name": "Ann Lee", "userId": "user_789"}
_EXPORT = streamed("email,name,phone,user_id,metadata\r\nann@example.com,Ann Lee,,user_789,{}\r\n")
GUARDS = [need("admin"), of_no_bot]
_ONE = "/contacts/{contact_id:str}"
TAGS = ["contacts"]


@post(
    "/contacts",
    status_code=201,
    guards=GUARDS,
    tags=TAGS,
    summary="Create a contact",
    operation_class=operation(body=json_body(NewContact, _EXAMPLE)),
    responses=errors(400, 409, 413, chat=True),
)
async def create_contact(
    request: AnyRequest, service: NamedDependency[Service], threads: NamedDependency[Threads]
) -> Success[Contact]:
    """A phone or a user id will do for an email."""
    fields = read_contact(await body_of(request))
    return Success(
        data=_shown(await threads.write(service.store.contacts.add, scope_of(request), fields))
    )


@get(
    "/contacts",
    guards=GUARDS,
    tags=TAGS,
    summary="List contacts",
    operation_class=operation(query=ContactsRequest, streams={CSV: _EXPORT}),
    responses=errors(400, chat=True),
)
async def list_contacts(
    request: AnyRequest, service: NamedDependency[Service], threads: NamedDependency[Threads]
) -> Response[Success[Contacts]]:
    """A page, the newest first; with `Accept: text/csv` all that match as an export."""
    asked = read_query(request, ContactsRequest)
    where = kept.ContactFilter(search=asked.search)
    ascending = asked.order == "asc"
    if CSV in request.headers.get("accept", ""):
        groups = service.store.contacts.export(scope_of(request), where, ascending=ascending)
        parts = (part.encode() for part in csv_lines(groups))
        return exported(parts, threads, CSV, "contacts.csv")
    total, found = await threads.read(
        service.store.contacts.page,
        scope_of(request),
        where,
        limit=asked.limit,
        offset=asked.offset,
        ascending=ascending,
    )
    data = Contacts(contacts=[_shown(one) for one in found], pagination=asked.among(total))
    return Response(Success(data=data), media_type=MediaType.JSON)


@get(
    _ONE,
    guards=GUARDS,
    tags=TAGS,
    summary="Read a contact",
    operation_class=operation(),
    responses=errors(400, 404, chat=True),
)
async def get_contact(
    request: AnyRequest,
    contact_id: FromPath[str],
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> Success[Contact]:
    return Success(
        data=_shown(await threads.read(service.store.contacts.get, scope_of(request), contact_id))
    )


@patch(
    _ONE,
    guards=GUARDS,
    tags=TAGS,
    summary="Change a contact",
    operation_class=operation(body=json_body(ContactChange, {"name": "Ann Lee", "phone": None})),
    responses=errors(400, 404, 409, 413, chat=True),
)
async def update_contact(
    request: AnyRequest,
    contact_id: FromPath[str],
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> Success[Contact]:
    """What is left out stays as it is; null removes it."""
    changes = read_changes(await body_of(request))
    contact = await threads.write(
        service.store.contacts.change, scope_of(request), contact_id, changes
    )
    return Success(data=_shown(contact))


@delete(
    _ONE,
    status_code=200,
    guards=GUARDS,
    tags=TAGS,
    summary="Delete a contact",
    operation_class=operation(
        in_place_of_body=DeleteRequest, body=json_body(DeleteRequest, {"conversations": True})
    ),
    responses=errors(400, 404, 413, chat=True),
)
async def delete_contact(
    request: AnyRequest,
    contact_id: FromPath[str],
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> Success[ContactGone]:
    """For good, with the events that tell of it."""
    asked = await read_query_or_body(request, DeleteRequest)
    gone = await threads.write(
        service.store.contacts.delete,
        scope_of(request),
        contact_id,
        conversations=asked.conversations,
    )
    return Success(data=ContactGone(id=contact_id, conversations_deleted=gone))


@get(
    f"{_ONE}/conversations",
    guards=GUARDS,
    tags=TAGS,
    summary="List a contact's conversations",
    operation_class=operation(query=Page),
    responses=errors(400, 404, chat=True),
)
async def list_contact_conversations(
    request: AnyRequest,
    contact_id: FromPath[str],
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> Success[LinkedPage]:
    """Those in which the contact's `userId` has spoken, of any bot, the last active first."""
    page = read_query(request, Page)
    total, found = await threads.read(
        service.store.contacts.conversations,
        scope_of(request),
        contact_id,
        limit=page.limit,
        offset=page.offset,
    )
    linked = [_linked(one) for one in found]
    return Success(data=LinkedPage(conversations=linked, pagination=page.among(total)))


def _shown(contact: kept.Contact) -> Contact:
    values = {name: value for name, value in asdict(contact).items() if name in _SHOWN}
    return Contact(id=contact.contact_id, **values)


def _linked(conversation: Conversation) -> Linked:
    return Linked(
        bot_id=conversation.bot_id,
        id=conversation.conversation_id,
        title=conversation.title,
        preview=conversation.preview,
        message_count=conversation.messages,
        metadata=conversation.metadata,
        created_at=conversation.created_at,
        updated_at=conversation.updated_at,
    )


_SHOWN = Contact.__struct_fields__

handlers = [
    create_contact,
    list_contacts,
    get_contact,
    update_contact,
    delete_contact,
    list_contact_conversations,
]
