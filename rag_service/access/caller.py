"""Whoever calls: what a token lets its holder do."""

from typing import Literal

from msgspec import Struct

from rag_service.errors import Forbidden

Scope = Literal["knowledge", "transcripts", "chat", "admin"]
RateClass = Literal["chat", "data", "webhook"]


class Caller(Struct, frozen=True, kw_only=True):
    """Whoever holds a valid token."""

    name: str
    scopes: list[str]
    bot_id: str | None
    rates: dict[str, str]

    def need(self, scope: Scope) -> None:
        """Raises Forbidden."""
        if not self.has(scope):
            raise Forbidden(f"This token lacks the scope {scope!r}.")

    def has(self, scope: Scope) -> bool:
        return scope in self.scopes or self.is_admin

    def may_use(self, bot_id: str) -> None:
        """Raises Forbidden."""
        if self.bot_id not in (None, bot_id):
            raise Forbidden(f"This token is bound to the bot {self.bot_id!r}.")

    @property
    def is_admin(self) -> bool:
        return "admin" in self.scopes

    @property
    def bot_ids(self) -> list[str] | None:
        """The bots it may see; None for all."""
        return None if self.bot_id is None else [self.bot_id]
