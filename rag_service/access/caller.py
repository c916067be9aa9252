"""Whoever calls: what a token lets its holder do."""

from typing import Literal

from msgspec import Struct

from rag_service.access.scope import Scope
from rag_service.errors import Forbidden

Permission = Literal["knowledge", "transcripts", "chat", "admin", "widget"]
RateClass = Literal["chat", "data", "webhook"]


class Caller(Struct, frozen=True, kw_only=True):
    """Whoever holds a valid token."""

    name: str
    permissions: list[str]
    """Its holder calls them scopes, as OAuth does."""
    scope: Scope
    rates: dict[str, str]
    origins: list[str] = []
    """The sites whose pages may use it, where it is a widget's key."""

    def need(self, permission: Permission) -> None:
        """Raises Forbidden."""
        if not self.has(permission):
            raise Forbidden(f"This token lacks the scope {permission!r}.")

    def has(self, permission: Permission) -> bool:
        return permission in self.permissions or self.is_admin

    @property
    def is_admin(self) -> bool:
        return "admin" in self.permissions
