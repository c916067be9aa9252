"""The only module that knows which concrete class plays which part."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from rag_service.access.rates import Attempts, RateLimiter, VisitorLimiter
from rag_service.access.tokens import Access
from rag_service.access.visitors import Visitors
from rag_service.background.dispatching import Dispatcher
from rag_service.background.gap_watch import GapWatch
from rag_service.background.jobs import Jobs, spool_folder
from rag_service.background.orders import Background
from rag_service.background.upkeep import Caretaker, Upkeep
from rag_service.clock import Clock, SystemClock
from rag_service.conversations.assistant import Assistant
from rag_service.conversations.budgets import count_tokens
from rag_service.conversations.replies import Replies
from rag_service.conversations.retelling import Retelling
from rag_service.conversations.tasks import Tasks
from rag_service.events.deliveries import Deliverer
from rag_service.events.webhooks import Webhooks
from rag_service.gaps.desk import GapDesk
from rag_service.gaps.forecast import Forecaster
from rag_service.gaps.ledger import Ledger
from rag_service.knowledge.base import KnowledgeBase
from rag_service.knowledge.embeddings import Embeddings
from rag_service.knowledge.finding.scale import load_scale
from rag_service.knowledge.imports import Importer
from rag_service.models.chat import load_chat_model
from rag_service.models.embedders import load_embedder
from rag_service.models.rerankers import load_reranker
from rag_service.outbound import open_poster
from rag_service.readers.messages import Limits
from rag_service.readers.pool import ReaderPool
from rag_service.settings import Settings
from rag_service.small_talk import recognise
from rag_service.storage import Store, open_store
from rag_service.supervisor import Supervisor

T = TypeVar("T")


@dataclass(frozen=True)
class Service:
    """What the command line and the HTTP application are both thin skins over."""

    settings: Settings
    clock: Clock
    store: Store
    knowledge: KnowledgeBase
    embeddings: Embeddings
    importer: Importer
    access: Access
    limiter: RateLimiter
    attempts: Attempts
    visitors: Visitors
    visitor_limiter: VisitorLimiter
    jobs: Jobs
    assistant: Assistant
    retelling: Retelling
    tasks: Tasks
    replies: Replies
    webhooks: Webhooks
    deliverer: Deliverer
    dispatcher: Dispatcher
    upkeep: Upkeep
    readers: ReaderPool
    caretaker: Caretaker
    ledger: Ledger
    gap_watch: GapWatch
    forecaster: Forecaster
    desk: GapDesk
    supervisor: Supervisor

    def ready(self) -> bool:
        """The model and the views are loaded. Never blocks."""
        return self.jobs.warm

    def embedding_model(self) -> str:
        """Its short name, loading nothing."""
        return self.settings.embedding_model.rstrip("/").rpartition("/")[2]


@contextmanager
def assemble(
    settings: Settings,
    upgrade: Callable[[str], None] | None = None,
    clock: Clock | None = None,
) -> Iterator[Service]:
    """`upgrade` hears of the steps that bring an earlier version's rows up to date.

    Without it such rows raise OtherVersion. All of the service asks `clock` for the time, which is
    the system's where none is given.
    """
    clock = clock or SystemClock()
    embedder = _once(lambda: load_embedder(settings.embedding_model, settings.data_dir / "models"))

    def identity() -> tuple[str, int]:
        return embedder().name, embedder().dimension

    with (
        open_store(settings, identity, upgrade, clock) as store,
        closing(ReaderPool(settings.readers, _limits(settings))) as readers,
    ):
        reranker = _once(partial(load_reranker, settings.rerank_model))
        scale = _once(lambda: load_scale(embedder(), settings.data_dir / "models"))
        knowledge = KnowledgeBase(
            store.knowledge,
            embedder,
            scale,
            reranker if settings.rerank_model else None,
            read=readers.read,
            small_talk=settings.small_talk,
        )

        def warm_up() -> None:
            embedder().embed_query("warm")
            scale()
            if settings.rerank_model:
                reranker().score("warm", ["warm"])
            store.views.warm()
            recognise("warm")  # reads the phrases

        chat_model = load_chat_model(settings, knowledge.nearness)
        context_tokens = settings.chat_context_tokens
        assistant = Assistant(
            knowledge,
            store.messages,
            chat_model,
            count=count_tokens,
            context_tokens=min(context_tokens, chat_model.context_tokens or context_tokens),
            nothing_found=settings.nothing_found,
            small_talk=settings.small_talk,
            small_talk_reply=settings.small_talk_reply,
            weak_below=settings.weak_below,
        )
        weak_below = settings.weak_below
        ledger = Ledger(store.ledger, knowledge, weak_below=weak_below)
        forecaster = Forecaster(store.ledger, store.gaps, knowledge, weak_below=weak_below)
        supervisor = Supervisor()
        background = Background(settings, supervisor)
        open_ours = partial(open_poster, settings, clock)
        upkeep = Upkeep(settings, store.upkeep, spool_folder(settings))

        yield Service(
            settings=settings,
            clock=clock,
            store=store,
            knowledge=knowledge,
            embeddings=Embeddings(embedder),
            importer=Importer(knowledge, store.views),
            access=Access(store.tokens, clock),
            limiter=RateLimiter(
                {
                    "chat": settings.rate_chat,
                    "data": settings.rate_data,
                    "webhook": settings.rate_webhook,
                },
                clock,
            ),
            attempts=Attempts(settings.rate_wrong_tokens, clock),
            visitors=Visitors(_once(store.tokens.signing_key), clock),
            visitor_limiter=VisitorLimiter(settings.rate_visitor, settings.rate_address, clock),
            jobs=Jobs(settings, store, background, warm_up, supervisor, clock),
            assistant=assistant,
            retelling=Retelling(assistant, store.continuations, clock),
            tasks=Tasks(chat_model),
            replies=Replies(store.replies, assistant, spool_folder(settings), supervisor, clock),
            webhooks=Webhooks(store.webhooks, store.deliveries, _once(open_ours), clock),
            deliverer=Deliverer(store.webhooks, store.outbox, _once(open_ours), clock=clock),
            dispatcher=Dispatcher(store, background, supervisor),
            upkeep=upkeep,
            readers=readers,
            caretaker=Caretaker(store.upkeep, background, upkeep, supervisor, clock),
            ledger=ledger,
            gap_watch=GapWatch(ledger, background, supervisor),
            forecaster=forecaster,
            desk=GapDesk(store.gaps, store.feedback, store.messages, knowledge, ledger, forecaster),
            supervisor=supervisor,
        )


def _limits(settings: Settings) -> Limits:
    """A file may be compressed, and blocks add to its text; four times as much is a guess."""
    return Limits(
        memory_mb=settings.reader_memory_mb,
        seconds=settings.reader_seconds,
        output_bytes=4 * settings.max_body_bytes,
    )


def _once(load: Callable[[], T]) -> Callable[[], T]:
    """Load at the first call, whichever thread makes it; a failure is tried again."""
    lock = threading.Lock()
    loaded: list[T] = []

    def get() -> T:
        if not loaded:
            with lock:
                if not loaded:
                    loaded.append(load())
        return loaded[0]

    return get
