"""What happened, as small structs; written in the transaction of the change itself."""

from datetime import UTC, datetime
from typing import Any, Literal

from msgspec import Struct, field

from rag_service.ids import new_id

EventType = Literal[
    "message.created",
    "conversation.created",
    "knowledge.upserted",
    "knowledge.deleted",
    "job.finished",
]


def now() -> str:
    return written(datetime.now(UTC))


def written(moment: datetime) -> str:
    """ISO 8601 in UTC to the millisecond with a trailing Z; sorts as text."""
    in_utc = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return in_utc.replace("+00:00", "Z")


class Event(Struct, frozen=True, kw_only=True):
    type: EventType
    bot_id: str
    data: dict[str, Any]
    id: str = field(default_factory=lambda: new_id("evt"))
    created_at: str = field(default_factory=now)
