"""The contract of bots: each has knowledge and conversations of its own."""

from typing import Protocol, runtime_checkable

from msgspec import Struct

from rag_service.access.scope import Scope


class Bot(Struct, frozen=True):
    """`created_at` is None for `default` while nothing was written to it."""

    bot_id: str
    created_at: str | None
    documents: int
    chunks: int


@runtime_checkable
class BotStore(Protocol):
    def create(self, scope: Scope, bot_id: str) -> None:
        """Raises Conflict."""
        ...

    def has(self, scope: Scope, bot_id: str) -> bool:
        """`default` always exists."""
        ...

    def all(self, scope: Scope) -> dict[str, Bot]:
        """Those that were made, by id."""
        ...
