"""What a transcript row looks like, over HTTP and on the command line alike."""

from typing import Any

import msgspec
from msgspec import Struct

from rag_service.conversations import Source
from rag_service.stores.conversations import TranscriptRow


class ContextItem(Struct, frozen=True, kw_only=True):
    source_url: str
    chunk_id: str
    score: float
    text: str


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
    metadata: dict[str, Any]


COLUMNS = TranscriptItem.__struct_fields__
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


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
        metadata=row.metadata,
    )


def _context(source: Source) -> ContextItem:
    return ContextItem(
        source_url=source.source_url,
        chunk_id=source.chunk_id,
        score=source.score,
        text=source.text,
    )


def cells(row: TranscriptItem) -> list[str]:
    """For CSV: no cell is a formula to a spreadsheet."""
    return [_cell(value) for value in msgspec.structs.astuple(row)]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return f"'{text}" if text.startswith(_FORMULA) else text
