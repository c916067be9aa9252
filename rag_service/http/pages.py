"""Pages of a list, in the chat dialect."""

from litestar.openapi.spec import Schema
from msgspec import Struct

from rag_service.fields import integer
from rag_service.http.documenting import whole
from rag_service.http.parameters import Parameters

_MOST = 100
_USUAL = 20


class Pagination(Struct, frozen=True, kw_only=True, rename="camel"):
    page: int
    limit: int
    total: int
    has_more: bool


class Page(Struct, frozen=True, kw_only=True):
    """A page that is asked for. `page` counts from 1."""

    page: int
    limit: int

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.limit

    def among(self, total: int) -> Pagination:
        return Pagination(
            page=self.page,
            limit=self.limit,
            total=total,
            has_more=self.offset + self.limit < total,
        )


def page_query(what: str) -> dict[str, Schema]:
    return {
        "page": whole("Counts from 1.", 1, None, 1),
        "limit": whole(f"{what} a page.", 1, _MOST, _USUAL),
    }


def page_of(values: Parameters) -> Page:
    """`page` and `limit`; they mean something only after `done`."""
    return Page(
        page=values.take("page", integer(1, 10**9), 1),
        limit=values.take("limit", integer(1, _MOST), _USUAL),
    )
