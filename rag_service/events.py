"""What happened, as small structs; written in the transaction of the change itself."""

from datetime import UTC, datetime
from typing import Any, Literal

from msgspec import Struct, field

from rag_service.ids import new_id

EventType = Literal["knowledge.upserted", "knowledge.deleted", "job.finished"]


def now() -> str:
    """ISO 8601 in UTC to the millisecond with a trailing Z; sorts as text."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Event(Struct, frozen=True, kw_only=True):
    type: EventType
    bot_id: str
    data: dict[str, Any]
    id: str = field(default_factory=lambda: new_id("evt"))
    created_at: str = field(default_factory=now)
