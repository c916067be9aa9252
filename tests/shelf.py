"""What the tests of the core share: a service in a folder, pages to push, and how to look at it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rag_service.access.scope import ALL_BOTS, Scope
from rag_service.assembly import Service
from rag_service.documents import DEFAULT_BOT, Document, Vectors
from rag_service.knowledge.base import KnowledgeBase
from rag_service.knowledge.embedder import Embedder, Offsets, Span
from rag_service.knowledge.finding.scale import load_scale
from rag_service.knowledge.store import DocumentFilter, Mode
from rag_service.settings import Settings

MODES: tuple[Mode, ...] = ("hybrid", "dense", "keyword")
ALL = DocumentFilter()


def bots(*bot_ids: str) -> Scope:
    return Scope(frozenset(bot_ids))


def settings_in(folder: Path, **changes: Any) -> Settings:
    values = {"data_dir": folder / "data", "index_dir": folder / "indexes", "port": 0}
    return Settings(**{**values, "embedding_model": "hashing:256", **changes})


def with_compiled(settings: Settings, compiled: Path) -> None:
    """The model need not be compiled for this service alone."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    (settings.data_dir / "models").symlink_to(compiled, target_is_directory=True)


def page(name: str, content: str | bytes, **rest: Any) -> Document:
    return Document(source_url=f"https://example.com/{name}", content=content, **rest)


def push(service: Service, *documents: Document) -> None:
    service.knowledge.upsert(ALL_BOTS, documents)


def names(
    service: Service, query: str, mode: Mode = "hybrid", bot_id: str = DEFAULT_BOT, **rest: Any
) -> list[str]:
    """The names of the pages that a search finds, best first; one for each passage."""
    hits = service.knowledge.search(ALL_BOTS, query, bot_id, mode=mode, **rest).hits
    return [hit.passage.source_url.removeprefix("https://example.com/") for hit in hits]


def texts(service: Service, query: str, mode: Mode = "hybrid", **rest: Any) -> list[str]:
    hits = service.knowledge.search(
        ALL_BOTS, query, rest.pop("bot_id", DEFAULT_BOT), mode=mode, **rest
    ).hits
    return [hit.passage.text for hit in hits]


def stored(service: Service, name: str, bot_id: str = DEFAULT_BOT) -> Any:
    """The page as it is kept, with its passages; None when it is not there."""
    where = DocumentFilter(source_url=f"https://example.com/{name}")
    _, infos = service.store.knowledge.documents(bots(bot_id), where, limit=1, offset=0)
    return service.store.knowledge.document(ALL_BOTS, infos[0].document_id) if infos else None


def knowledge_with(service: Service, embedder: Embedder) -> KnowledgeBase:
    """Over the rows of the service, read by another model."""
    models = service.settings.data_dir / "models"
    return KnowledgeBase(
        service.store.knowledge, lambda: embedder, lambda: load_scale(embedder, models)
    )


def paragraphs(*markers: str, words: int = 40) -> str:
    """A text that is cut into one chunk for each marker, which each of its sentences names."""
    return "\n\n".join(
        f"# About {m}\n\n" + f"{m} is told of here. " * (words // 5) for m in markers
    )


class CountingEmbedder:
    """Another embedder, and how many texts of chunks it was asked for."""

    def __init__(self, inner: Embedder) -> None:
        self._inner = inner
        self.name, self.dimension, self.window = inner.name, inner.dimension, inner.window
        self.languages = inner.languages
        self.passages = 0

    def token_offsets(self, texts: Sequence[str]) -> list[Offsets]:
        return self._inner.token_offsets(texts)

    def known_share(self, text: str) -> float:
        return self._inner.known_share(text)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return self._inner.embed_passages(texts)

    def embed_spans(
        self, texts: Sequence[str], spans: Sequence[Sequence[Span]]
    ) -> tuple[Vectors, list[Vectors]]:
        self.passages += len(texts)
        return self._inner.embed_spans(texts, spans)

    def embed_few(self, texts: Sequence[str]) -> Vectors:
        return self._inner.embed_few(texts)

    def embed_query(self, text: str) -> Vectors:
        return self._inner.embed_query(text)
