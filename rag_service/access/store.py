"""The contract of where tokens are kept."""

from typing import Protocol, runtime_checkable

from msgspec import Struct


class Token(Struct, frozen=True, kw_only=True):
    """A bearer token as it is kept: never the token itself."""

    name: str
    digest: bytes
    scopes: list[str]
    bot_id: str | None
    rates: dict[str, str]
    created_at: str


@runtime_checkable
class TokenStore(Protocol):
    def add(self, token: Token) -> None:
        """Raises Conflict when the name is taken."""
        ...

    def rotate(self, name: str, digest: bytes) -> None:
        """Raises NotFound."""
        ...

    def revoke(self, name: str) -> None:
        """Raises NotFound."""
        ...

    def all(self) -> list[Token]: ...

    def version(self) -> int:
        """Another number after each commit of any process, to whatever. Reads no rows."""
        ...
