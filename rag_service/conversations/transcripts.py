"""What a transcript row looks like, over HTTP and on the command line alike."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Struct

from rag_service.conversations.messages import Feedback, Role, Source
from rag_service.conversations.store import TranscriptFilter, TranscriptRow
from rag_service.fields import (
    Field,
    integer,
    one_of,
    read_bot_id,
    read_label,
    read_moment,
    text,
)
from rag_service.texts.spreadsheets import BYTE_ORDER_MARK, cell, lines

Order = Literal["asc", "desc"]
ORDERS: tuple[Order, ...] = get_args(Order)
Decision = Literal["yes", "no", "any"]
_DECISIONS: tuple[Decision, ...] = get_args(Decision)
_ROLES: tuple[Literal[Role, "all"], ...] = (*get_args(Role), "all")


class ContextItem(Struct, frozen=True, kw_only=True):
    source_url: str
    chunk_id: str
    score: float
    text: str
    used: bool | None
    """Whether the answer cites it; null where that is not known."""


class TranscriptItem(Struct, frozen=True, kw_only=True):
    """A row. `rag_context` is what the model was given; null where that was nothing."""

    id: int
    session_id: str
    bot_id: str
    role: Role
    message: str
    timestamp: str
    has_rag_context: bool | None
    rag_context: list[ContextItem] | None
    message_id: str
    user_id: str | None
    user_identifier: str | None
    user_email: str | None
    user_name: str | None
    originating_page_url: str | None
    originating_page_title: str | None
    feedback: Feedback | None
    metadata: dict[str, Any]


class TranscriptsRequest(Struct, frozen=True, kw_only=True):
    """Which rows, and in what order."""

    since: Annotated[
        str | None,
        Field("Rows from then on: ISO 8601, or what strtotime takes, as `-1 week`.", read_moment),
    ] = None
    until: Annotated[str | None, Field("Rows up to then.", read_moment)] = None
    session_id: Annotated[str | None, Field("Only this conversation.", read_label)] = None
    role: Annotated[Literal[Role, "all"], Field("Who speaks.", one_of(_ROLES))] = "all"
    has_rag_context: Annotated[
        Decision, Field("`no` finds the questions nothing was found for.", one_of(_DECISIONS))
    ] = "any"
    bot_id: Annotated[
        str | None, Field("Only this bot; otherwise all that the token may see.", read_bot_id)
    ] = None
    q: Annotated[
        str | None, Field("Only texts that contain this, whatever its case.", text(1000))
    ] = None
    limit: Annotated[int, Field("Rows at most.", integer(1, 1000))] = 100
    offset: Annotated[int, Field("Rows to skip.", integer(0))] = 0
    order: Annotated[Order, Field("By time.", one_of(ORDERS))] = "desc"

    def filter(self) -> TranscriptFilter:
        """Without `bot_id`, which narrows the scope."""
        return TranscriptFilter(
            since=self.since,
            until=self.until,
            session_id=self.session_id,
            role=None if self.role == "all" else self.role,
            has_rag_context=None
            if self.has_rag_context == "any"
            else self.has_rag_context == "yes",
            q=self.q,
        )


COLUMNS = TranscriptItem.__struct_fields__


def item(row: TranscriptRow) -> TranscriptItem:
    return TranscriptItem(
        id=row.id,
        session_id=row.conversation_id,
        bot_id=row.bot_id,
        role=row.role,
        message=row.text,
        timestamp=row.created_at,
        has_rag_context=row.has_rag_context,
        rag_context=None if row.context is None else [_context(one) for one in row.context],
        message_id=row.message_id,
        user_id=row.sender.id,
        user_identifier=row.sender.id,
        user_email=row.sender.email,
        user_name=row.sender.name,
        originating_page_url=row.sender.page_url,
        originating_page_title=row.sender.page_title,
        feedback=row.feedback,
        metadata=row.metadata,
    )


def _context(source: Source) -> ContextItem:
    return ContextItem(
        source_url=source.source_url,
        chunk_id=source.chunk_id,
        score=source.score,
        text=source.text,
        used=source.used,
    )


def csv_lines(groups: Iterable[list[TranscriptRow]]) -> Iterator[str]:
    """The whole file, a group of rows at a time; no cell is a formula to a spreadsheet."""
    yield BYTE_ORDER_MARK + lines([COLUMNS])
    for rows in groups:
        yield lines([cell(value) for value in msgspec.structs.astuple(item(row))] for row in rows)
