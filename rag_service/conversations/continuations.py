"""Clients that tell the whole conversation with each request: which one of ours it goes on with.

A conversation has an owner: the token, and the user that it speaks for. What an owner has said and
heard is digested, so that a request is known by what it begins with, and a repeat by all of it.
"""

import hashlib
from collections.abc import Iterable
from typing import Protocol, runtime_checkable

from msgspec import Struct

from rag_service.access.scope import Scope
from rag_service.conversations.messages import Message
from rag_service.conversations.store import TranscriptRow


class Retold(Struct, frozen=True, kw_only=True):
    """A request, as rows remember it."""

    owner: bytes
    request: bytes
    """Of all that was sent: equal for a repeat alone."""
    said: bytes
    """Of what the user and the assistant have said, the question included."""


@runtime_checkable
class ContinuationStore(Protocol):
    """What was said, found by its digests."""

    def owns(
        self, scope: Scope, bot_id: str, conversation_id: str, owner: bytes, user: str | None
    ) -> bool:
        """Whether the conversation may go on as this owner's: it is theirs, or of nobody in
        particular, or there is none. One that came in by another door is of the users that it
        names."""
        ...

    def conversation_after(self, scope: Scope, bot_id: str, said: bytes) -> str | None:
        """The conversation in which this has been said. One that ends there goes before one that
        has gone on, and then the newest."""
        ...

    def repeated(
        self, scope: Scope, bot_id: str, request: bytes, since: str
    ) -> TranscriptRow | None:
        """The newest question of this request that was asked since then."""
        ...


def owner_of(token: str, user: str | None) -> bytes:
    return _digest(b"owner", [token, user or ""])


def digest_of_request(owner: bytes, conversation_id: str, messages: Iterable[Message]) -> bytes:
    """`conversation_id` is the one that the client names, or empty."""
    said = [part for message in messages for part in (message.role, message.text)]
    return _digest(owner, ["request", conversation_id, *said])


def digest_of_said(owner: bytes, messages: Iterable[Message]) -> bytes:
    """White space does not count, nor what a system says, which may tell the time."""
    said = owner
    for message in messages:
        if message.role != "system" and message.text.strip():
            said = digest_after(said, message)
    return said


def digest_after(said: bytes, message: Message) -> bytes:
    """Of what was said, when this message comes after it."""
    return _digest(said, [message.role, " ".join(message.text.split())])


def _digest(before: bytes, parts: Iterable[str]) -> bytes:
    digest = hashlib.sha256(before)
    for part in parts:
        data = part.encode(errors="surrogatepass")
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.digest()[:16]
