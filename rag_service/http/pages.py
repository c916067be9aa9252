"""Pages of a list."""

from typing import Annotated

from msgspec import Struct

from rag_service.fields import Field, integer

_MOST = 100
LAST_PAGE = 10**9


class Pagination(Struct, frozen=True, kw_only=True, rename="camel"):
    page: int
    limit: int
    total: int
    has_more: bool


class Page(Struct, frozen=True, kw_only=True):
    """A page that is asked for, in the chat dialect."""

    page: Annotated[int, Field("Counts from 1.", integer(1, LAST_PAGE))] = 1
    limit: Annotated[int, Field("How many a page.", integer(1, _MOST))] = 20

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


class Rows(Struct, frozen=True, kw_only=True):
    """Those that are asked for, in the knowledge dialect."""

    limit: Annotated[int, Field("How many at most.", integer(1, 1000))] = 100
    offset: Annotated[int, Field("How many to skip.", integer(0))] = 0
