"""What a transcript row looks like, over HTTP and on the command line alike."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

import msgspec
from msgspec import Struct

from rag_service.conversations.messages import Feedback, Role, Source
from rag_service.conversations.store import TranscriptFilter, TranscriptRow
from rag_service.dates import read_moment
from rag_service.errors import Invalid
from rag_service.texts.spreadsheets import BYTE_ORDER_MARK, cell, lines


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
    role: str
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


ROLES: dict[str, Role | None] = {**{role: role for role in get_args(Role)}, "all": None}
DECISIONS = {"yes": True, "no": False, "any": None}
COLUMNS = TranscriptItem.__struct_fields__


def read_filter(given: Mapping[str, str | None]) -> TranscriptFilter:
    """Raises Invalid, which names the date that cannot be read."""
    moments: dict[str, str | None] = {}
    for name in ("since", "until"):
        value = given.get(name)
        try:
            moments[name] = None if value is None else read_moment(value)
        except ValueError as error:
            raise Invalid(f"--{name} {error}", {name: str(error)}) from error
    return TranscriptFilter(
        **moments,
        session_id=given.get("session_id"),
        role=ROLES[given.get("role") or "all"],
        has_rag_context=DECISIONS[given.get("has_rag_context") or "any"],
        q=given.get("q"),
    )


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
