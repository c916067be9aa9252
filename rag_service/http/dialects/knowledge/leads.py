"""/leads, in the knowledge dialect: contacts, by what became of their conversations."""

from typing import Annotated, Any, Literal, get_args

from litestar import Request, get
from litestar.di import NamedDependency
from msgspec import Struct
from msgspec.structs import asdict

from rag_service.assembly import Service
from rag_service.contacts.store import Contact, ContactFilter, ContactStatus
from rag_service.conversations.transcripts import ORDERS, Order
from rag_service.fields import Field, integer, one_of, read_moment
from rag_service.http.dialects.chat.contacts import GUARDS, SEARCH
from rag_service.http.documenting import errors, operation
from rag_service.http.guarding import scope_of
from rag_service.http.pages import LAST_PAGE
from rag_service.http.parameters import read_query
from rag_service.http.threads import Threads

_MOST = 200


class Lead(Struct, frozen=True, kw_only=True):
    """`status` is active; orphan, which never had a linked conversation; or chat_deleted, of which
    all that there were are deleted."""

    id: str
    email: str | None
    name: str | None
    phone: str | None
    user_id: str | None
    metadata: dict[str, Any]
    status: ContactStatus
    conversations: int
    created_at: str
    updated_at: str


class LeadsAnswer(Struct, frozen=True, kw_only=True):
    leads: list[Lead]
    page: int
    per_page: int
    total_count: int
    total_pages: int


Status = Literal["all", "orphan", "chat_deleted"]
_STATUSES: tuple[Status, ...] = get_args(Status)


class LeadsRequest(Struct, frozen=True, kw_only=True):
    since: Annotated[
        str | None,
        Field(
            "Created from then on: ISO 8601, or what strtotime takes, as `-1 week`.", read_moment
        ),
    ] = None
    search: Annotated[str | None, SEARCH] = None
    status: Annotated[
        Status,
        Field(
            "`orphan`: never had a conversation; `chat_deleted`: had some, all are deleted.",
            one_of(_STATUSES),
        ),
    ] = "all"
    page: Annotated[int, Field("Counts from 1.", integer(1, LAST_PAGE))] = 1
    per_page: Annotated[int, Field("Leads a page.", integer(1, _MOST))] = 50
    order: Annotated[Order, Field("By creation.", one_of(ORDERS))] = "desc"


@get(
    "/leads",
    guards=GUARDS,
    tags=["contacts"],
    summary="Read leads",
    operation_class=operation(query=LeadsRequest),
    responses=errors(400),
)
async def list_leads(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> LeadsAnswer:
    """The contacts, a page of them."""
    asked = read_query(request, LeadsRequest)
    where = ContactFilter(
        since=asked.since,
        search=asked.search,
        status=None if asked.status == "all" else asked.status,
    )
    total, found = await threads.read(
        service.store.contacts.page,
        scope_of(request),
        where,
        limit=asked.per_page,
        offset=(asked.page - 1) * asked.per_page,
        ascending=asked.order == "asc",
    )
    return LeadsAnswer(
        leads=[_lead(contact) for contact in found],
        page=asked.page,
        per_page=asked.per_page,
        total_count=total,
        total_pages=-(-total // asked.per_page),
    )


def _lead(contact: Contact) -> Lead:
    values = asdict(contact)
    return Lead(id=values.pop("contact_id"), **values)


handlers = [list_leads]
