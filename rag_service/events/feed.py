"""The contract of the events as a feed."""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from rag_service.access.scope import Scope
from rag_service.events.happenings import Event


@runtime_checkable
class EventStore(Protocol):
    def page(
        self, scope: Scope, after: str | None, *, types: list[str] | None, limit: int
    ) -> tuple[list[Event], str]:
        """In order, and the cursor behind the last one that was looked at.

        `after` is an event's id or such a cursor; None for the beginning. Raises Invalid when it
        is neither.
        """
        ...

    def after(self, place: int | None, limit: int) -> tuple[list[tuple[int, Event]], int]:
        """Of all bots and types, each with its place in the order, and where to go on. No events,
        and the end, when `place` is None."""
        ...

    def on_write(self, tell: Callable[[], None]) -> None:
        """Have `tell` called after each write of this process, in the thread that wrote."""
        ...


def cursor(place: int) -> str:
    """As clients are told a place in the order of events."""
    return f"cur_{place}"


def place_of(cursor: str) -> int:
    return int(cursor.removeprefix("cur_"))
