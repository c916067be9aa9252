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
    origins: list[str] = []
    """The sites whose pages may use it, as browsers write them; of the scope `widget` alone."""
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

    def signing_key(self) -> bytes:
        """32 random bytes, the same for every process; made with the base."""
        ...

    def version(self) -> int:
        """Another number after each commit of any process, to whatever. Reads no rows."""
        ...
