"""/leads, in the knowledge dialect: contacts, by what became of their conversations."""

from typing import Any

from litestar import Request, get
from litestar.di import NamedDependency
from msgspec import Struct
from msgspec.structs import asdict

from rag_service.assembly import Service
from rag_service.contacts.store import Contact, ContactFilter, ContactStatus
from rag_service.dates import read_moment
from rag_service.fields import integer, one_of, read_label
from rag_service.http.dialects.chat.contacts import GUARDS
from rag_service.http.documenting import RATE_HEADERS, errors, operation, string, whole
from rag_service.http.guarding import scope_of
from rag_service.http.parameters import Parameters, query_of
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


_STATUSES: dict[str, ContactStatus | None] = {
    "all": None,
    "orphan": "orphan",
    "chat_deleted": "chat_deleted",
}
_QUERY = {
    "since": string("Created from then on: ISO 8601, or what strtotime takes, as `-1 week`."),
    "search": string("Part of an email, a name, a phone or a user id, whatever its case."),
    "status": string(
        "`orphan`: never had a conversation; `chat_deleted`: had some, all are deleted.",
        enum=list(_STATUSES),
        default="all",
    ),
    "page": whole("Counts from 1.", 1, None, 1),
    "per_page": whole("Leads a page.", 1, _MOST, 50),
    "order": string("By creation.", enum=["asc", "desc"], default="desc"),
}


@get(
    "/leads",
    guards=GUARDS,
    response_headers=RATE_HEADERS,
    tags=["contacts"],
    summary="Read leads",
    operation_class=operation(query=_QUERY),
    responses=errors(400),
)
async def read_leads(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> LeadsAnswer:
    """The contacts, a page of them."""
    values = Parameters(query_of(request))
    where = ContactFilter(
        since=values.take("since", read_moment, None),
        search=values.take("search", read_label, None),
        status=_STATUSES[values.take("status", one_of(tuple(_STATUSES)), "all")],
    )
    page = values.take("page", integer(1, 10**9), 1)
    per_page = values.take("per_page", integer(1, _MOST), 50)
    ascending = values.take("order", one_of(("asc", "desc")), "desc") == "asc"
    values.done()
    total, found = await threads.read(
        service.store.contacts.page,
        scope_of(request),
        where,
        limit=per_page,
        offset=(page - 1) * per_page,
        ascending=ascending,
    )
    return LeadsAnswer(
        leads=[_lead(contact) for contact in found],
        page=page,
        per_page=per_page,
        total_count=total,
        total_pages=-(-total // per_page),
    )


def _lead(contact: Contact) -> Lead:
    values = asdict(contact)
    return Lead(id=values.pop("contact_id"), **values)


handlers = [read_leads]
