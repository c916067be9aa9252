"""The contract of contacts: people, of the whole installation and of no bot."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal, Protocol, runtime_checkable

from msgspec import UNSET, Struct, UnsetType

from rag_service.access.scope import Scope
from rag_service.conversations.store import Conversation

ContactStatus = Literal["active", "orphan", "chat_deleted"]
"""An orphan never had a linked conversation; of one with `chat_deleted` all are deleted."""
Outcome = Literal["created", "updated", "unchanged"]


class ContactFields(Struct, frozen=True, kw_only=True):
    """What is known of somebody: an email, a phone or a user id at least.

    `user_id` is what the client's own system knows the person by, in what they say too.
    """

    email: str | None = None
    name: str | None = None
    phone: str | None = None
    user_id: str | None = None
    metadata: dict[str, Any] = {}
    """A key that is null is left out, or removed from what there was."""


class ContactChanges(Struct, frozen=True, kw_only=True):
    """What is not given stays; None removes it. The metadata are merged, key by key."""

    email: str | UnsetType | None = UNSET
    name: str | UnsetType | None = UNSET
    phone: str | UnsetType | None = UNSET
    user_id: str | UnsetType | None = UNSET
    metadata: dict[str, Any] | UnsetType | None = UNSET


class Contact(Struct, frozen=True, kw_only=True):
    """`conversations` counts those in which the user of this id has spoken."""

    contact_id: str
    email: str | None
    name: str | None
    phone: str | None
    user_id: str | None
    metadata: dict[str, Any]
    created_at: str
    updated_at: str
    conversations: int
    status: ContactStatus


class ContactFilter(Struct, frozen=True, kw_only=True):
    """Every field that is not None narrows. `since` is a time of creation, inclusive."""

    search: str | None = None
    """A substring of email, name, phone or user id, whatever its case."""
    since: str | None = None
    status: ContactStatus | None = None


@runtime_checkable
class ContactStore(Protocol):
    """An email, whatever its case, is that of one contact at most.

    Contacts belong to no bot: a scope of some bots is Forbidden.
    """

    def add(self, scope: Scope, fields: ContactFields) -> Contact:
        """Raises Conflict when there is one with this email."""
        ...

    def change(self, scope: Scope, contact_id: str, changes: ContactChanges) -> Contact:
        """A change to what it was writes nothing.

        Raises NotFound, Conflict, and Invalid when neither email, phone nor user id would be left.
        """
        ...

    def get(self, scope: Scope, contact_id: str) -> Contact:
        """Raises NotFound."""
        ...

    def page(
        self, scope: Scope, where: ContactFilter, *, limit: int, offset: int, ascending: bool
    ) -> tuple[int, list[Contact]]:
        """How many match, and one page of them by creation."""
        ...

    def export(
        self, scope: Scope, where: ContactFilter, *, ascending: bool
    ) -> Iterator[list[Contact]]:
        """All that match at the first step, a group at a time, except what is deleted meanwhile."""
        ...

    def put(self, scope: Scope, group: Sequence[ContactFields]) -> list[Outcome]:
        """Create each, or change the one there is: what is None stays.

        That is the one with its email; without an email, the only one with its user id; with
        neither, the only one of which no more than this phone is known.
        """
        ...

    def delete(self, scope: Scope, contact_id: str, *, conversations: bool) -> int:
        """For good, with its events; `conversations`: and those linked, with everything of them.

        How many conversations are gone. Raises NotFound.
        """
        ...

    def conversations(
        self, scope: Scope, contact_id: str, *, limit: int, offset: int
    ) -> tuple[int, list[Conversation]]:
        """How many are linked, of any bot, and one page of them, the last active first.

        Raises NotFound.
        """
        ...
