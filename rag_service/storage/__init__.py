"""Where everything is kept: a store of stores, one for each contract of the rooms.

Every method is one atomic step, blocking and thread-safe. What returned is on disk, and every
later call of any process on the same data folder sees it. Raises StorageFailed or StorageBusy;
then nothing of the step has happened.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from rag_service.access.store import TokenStore
from rag_service.clock import Clock
from rag_service.contacts.store import ContactStore
from rag_service.conversations.continuations import ContinuationStore
from rag_service.conversations.store import (
    ConversationStore,
    MessageStore,
    ReplyStore,
    TranscriptStore,
)
from rag_service.events.feed import EventStore
from rag_service.events.store import DeliveryStore, OutboxStore, WebhookStore
from rag_service.gaps.store import FeedbackStore, GapStore, LedgerStore
from rag_service.knowledge.bots import BotStore
from rag_service.knowledge.jobs import JobStore
from rag_service.knowledge.store import KnowledgeStore
from rag_service.knowledge.views import ViewStore
from rag_service.settings import Settings
from rag_service.storage.upkeep import UpkeepStore

__all__ = ["Store", "UpkeepStore", "open_store"]


class Store(Protocol):
    """What a backend provides. Code that uses one asks for the part it needs."""

    @property
    def tokens(self) -> TokenStore: ...
    @property
    def bots(self) -> BotStore: ...
    @property
    def knowledge(self) -> KnowledgeStore: ...
    @property
    def views(self) -> ViewStore: ...
    @property
    def jobs(self) -> JobStore: ...
    @property
    def conversations(self) -> ConversationStore: ...
    @property
    def messages(self) -> MessageStore: ...
    @property
    def continuations(self) -> ContinuationStore: ...
    @property
    def transcripts(self) -> TranscriptStore: ...
    @property
    def replies(self) -> ReplyStore: ...
    @property
    def contacts(self) -> ContactStore: ...
    @property
    def events(self) -> EventStore: ...
    @property
    def outbox(self) -> OutboxStore: ...
    @property
    def webhooks(self) -> WebhookStore: ...
    @property
    def deliveries(self) -> DeliveryStore: ...
    @property
    def upkeep(self) -> UpkeepStore: ...
    @property
    def ledger(self) -> LedgerStore: ...
    @property
    def gaps(self) -> GapStore: ...
    @property
    def feedback(self) -> FeedbackStore: ...


def open_store(
    settings: Settings,
    embedder: Callable[[], tuple[str, int]],
    upgrade: Callable[[str], None] | None = None,
    clock: Clock | None = None,
) -> AbstractContextManager[Store]:
    """The store in RAG_DATA_DIR, made when it is not there.

    One of an earlier version is upgraded where `upgrade` is given, which hears how far that is;
    otherwise it raises OtherVersion, as one of a later version always does.

    `embedder` tells the embedding model's name and dimension; it is asked only when knowledge is
    first read or written, and raises EmbedderMismatch there when the base was filled with another.

    Rows are stamped with the time of `clock`, the system's where none is given.
    """
    from rag_service.storage.sqlite import SqliteStore  # noqa: PLC0415

    return SqliteStore(settings, embedder, upgrade, clock)
