"""Every store over one SQLite file, with FAISS and tantivy as views of its rows."""

from collections.abc import Callable
from types import TracebackType
from typing import Self

from rag_service.clock import Clock
from rag_service.settings import Settings
from rag_service.storage.sqlite.base import Base
from rag_service.storage.sqlite.bots import SqliteBots
from rag_service.storage.sqlite.contacts import SqliteContacts
from rag_service.storage.sqlite.continuations import SqliteContinuations
from rag_service.storage.sqlite.conversations import SqliteConversations
from rag_service.storage.sqlite.database import RowsFile
from rag_service.storage.sqlite.deliveries import SqliteDeliveries
from rag_service.storage.sqlite.events import SqliteEvents
from rag_service.storage.sqlite.feedback import SqliteFeedback
from rag_service.storage.sqlite.gaps import SqliteGaps
from rag_service.storage.sqlite.jobs import SqliteJobs
from rag_service.storage.sqlite.knowledge import SqliteKnowledge
from rag_service.storage.sqlite.ledger import SqliteLedger
from rag_service.storage.sqlite.messages import SqliteMessages
from rag_service.storage.sqlite.outbox import SqliteOutbox
from rag_service.storage.sqlite.replies import SqliteReplies
from rag_service.storage.sqlite.tokens import SqliteTokens
from rag_service.storage.sqlite.transcripts import SqliteTranscripts
from rag_service.storage.sqlite.upkeep import SqliteUpkeep
from rag_service.storage.sqlite.views import SqliteViews
from rag_service.storage.sqlite.webhooks import SqliteWebhooks


class SqliteStore:
    """The contracts of `rag_service.storage` over RAG_DATA_DIR and RAG_INDEX_DIR."""

    def __init__(
        self,
        settings: Settings,
        embedder: Callable[[], tuple[str, int]],
        upgrade: Callable[[str], None] | None = None,
        clock: Clock | None = None,
    ) -> None:
        rows = RowsFile(settings.data_dir / "rag.db", settings.lock_timeout_s, upgrade, clock)
        base = Base(rows, settings.index_dir, embedder)
        self._rows = rows
        self.tokens = SqliteTokens(rows)
        self.bots = SqliteBots(rows)
        self.knowledge = SqliteKnowledge(rows, base)
        self.views = SqliteViews(rows, base)
        self.jobs = SqliteJobs(rows)
        self.conversations = SqliteConversations(rows)
        self.messages = SqliteMessages(rows)
        self.continuations = SqliteContinuations(rows)
        self.transcripts = SqliteTranscripts(rows)
        self.replies = SqliteReplies(rows)
        self.contacts = SqliteContacts(rows)
        self.events = SqliteEvents(rows)
        self.outbox = SqliteOutbox(rows)
        self.webhooks = SqliteWebhooks(rows)
        self.deliveries = SqliteDeliveries(rows)
        self.upkeep = SqliteUpkeep(rows, base)
        self.ledger = SqliteLedger(rows)
        self.gaps = SqliteGaps(rows)
        self.feedback = SqliteFeedback(rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._rows.close()
