"""The contract of a request to somebody else's server."""

from typing import Protocol

from msgspec import Struct


class Answer(Struct, frozen=True, kw_only=True):
    """What came back; `error` where no status did."""

    status: int | None = None
    duration_ms: int = 0
    text: str = ""
    """How its body begins."""
    error: str | None = None
    retry_after_s: float | None = None
    """What its Retry-After asks for, at most a day."""


class Poster(Protocol):
    """For use within one event loop."""

    async def post(self, url: str, headers: dict[str, str], body: bytes) -> Answer:
        """Never raises for what the other side does."""
        ...

    async def check(self, url: str, *, within_s: float) -> str:
        """The URL in its normal form.

        Raises Invalid when it is none, and Refused when its host has an address that must not be
        reached. A name that is not found within that time passes: it is checked when it is used.
        """
        ...

    async def close(self) -> None: ...
