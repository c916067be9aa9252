"""The `doctor` command: what is configured, and whether it is in place."""

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct, structs

from rag_service.access.scope import ALL_BOTS
from rag_service.errors import NotFound, RagError
from rag_service.knowledge.base import KnowledgeBase
from rag_service.knowledge.embedder import Embedder
from rag_service.knowledge.finding.scale import load_scale
from rag_service.knowledge.languages import language_warnings
from rag_service.knowledge.store import DocumentFilter
from rag_service.models.chat import load_chat_model
from rag_service.models.embedders import load_embedder
from rag_service.models.rerankers import load_reranker
from rag_service.settings import Settings
from rag_service.storage import Store, open_store

_SLICES, _SLICE = 10, 20


class Finding(Struct, frozen=True, kw_only=True):
    what: str
    ok: bool
    found: str


def examine(settings: Settings) -> list[Finding]:
    """Loads the model and reads the rows; contacts nobody."""
    values = structs.asdict(settings)

    @cache
    def embedder() -> Embedder:
        return load_embedder(settings.embedding_model, settings.data_dir / "models")

    return [
        Finding(what=f"RAG_{name.upper()}", ok=True, found=_shown(name, value))
        for name, value in values.items()
    ] + [
        _try("python", lambda: sys.version.split()[0]),
        _try("data folder", lambda: _writable(settings.data_dir)),
        _try("index folder", lambda: _writable(settings.index_dir)),
        _try("embedding model", lambda: _model(embedder())),
        *_reranker(settings),
        _try("answer model", lambda: load_chat_model(settings).name),
        _try("rows", lambda: _rows(settings)),
        _try("views", lambda: _views(settings, embedder)),
        _try("languages", lambda: _languages(settings, embedder)),
        _try("calibrations", lambda: _calibrations(settings, embedder)),
        _try("hosts that could be contacted", lambda: _hosts(settings)),
    ]


def _shown(name: str, value: object) -> str:
    return "(set)" if value and name == "chat_api_key" else str(value)


def _hosts(settings: Settings) -> str:
    hosts = []
    if settings.chat_model.startswith("openai:"):
        host = urlsplit(settings.chat_base_url).netloc.rpartition("@")[2]
        hosts.append(f"{host}, for answers, as RAG_CHAT_BASE_URL says")
    with open_store(settings, _nobody) as store:
        told = {urlsplit(one.url).netloc for one in store.webhooks.all(ALL_BOTS) if one.enabled}
    hosts += [f"{host}, by a webhook" for host in sorted(told)]
    if hosts:
        return f"{'; '.join(hosts)}; no other"
    return "none: models are read from this machine, and nothing reports home"


def _try(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(what=what, ok=True, found=look())
    except (RagError, OSError) as error:
        return Finding(what=what, ok=False, found=str(error))


def _writable(folder: Path) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"{folder} cannot be written: check its owner and rights")
    room = os.statvfs(folder)
    return f"{folder.resolve()}, {room.f_bavail * room.f_frsize / 1e9:.1f} GB free"


def _model(embedder: Embedder) -> str:
    kind = type(embedder).__name__
    return f"{embedder.name}, {embedder.dimension} dimensions, run by {kind}"


def _reranker(settings: Settings) -> list[Finding]:
    spec = settings.rerank_model
    return [_try("reranking model", lambda: load_reranker(spec).name)] if spec else []


def _rows(settings: Settings) -> str:
    with open_store(settings, _nobody) as store:
        bots = store.bots.all(ALL_BOTS)
        tokens = len(store.tokens.all())
    documents = sum(one.documents for one in bots.values())
    return f"{documents} documents of {len(bots)} bots, {tokens} tokens"


def _views(settings: Settings, embedder: Callable[[], Embedder]) -> str:
    """Raises EmbedderMismatch when another model filled the base."""
    with open_store(settings, lambda: (embedder().name, embedder().dimension)) as store:
        if not any(one.documents for one in store.bots.all(ALL_BOTS).values()):
            return "nothing to find yet"  # a base that is empty is left to any model
        store.views.warm()
    return "loaded"


def _languages(settings: Settings, embedder: Callable[[], Embedder]) -> str:
    """Raises RagError when most of a sample of the documents does not suit the model."""
    with open_store(settings, lambda: (embedder().name, embedder().dimension)) as store:
        texts = list(_sampled(store))
    if not texts:
        return "nothing to read yet"
    warned = [warning for text in texts for warning in language_warnings(text, embedder())]
    sentences = [f"{sentence} ({count})" for sentence, count in Counter(warned).most_common(5)]
    told = f"{len(warned)} of {len(texts)} documents looked at do not suit the model"
    told = "; ".join([told, *sentences])
    if 2 * len(warned) > len(texts):
        raise RagError(told)
    return told


def _calibrations(settings: Settings, embedder: Callable[[], Embedder]) -> str:
    """Raises RagError when searches do not apply one of them."""
    with open_store(settings, lambda: (embedder().name, embedder().dimension)) as store:
        made = store.knowledge.calibrations(ALL_BOTS)
        if not made:
            return "none: the default confidence of every bot"
        models = settings.data_dir / "models"
        knowledge = KnowledgeBase(store.knowledge, embedder, lambda: load_scale(embedder(), models))
        if refused := knowledge.refused_calibrations(ALL_BOTS):
            raise RagError("; ".join(refused.values()))
    return f"applied for {', '.join(made)}"


def _sampled(store: Store) -> Iterator[str]:
    """The texts of up to 200 documents, taken from all ages."""
    everything = DocumentFilter()
    total, _ = store.knowledge.documents(ALL_BOTS, everything, limit=1, offset=0)
    step = max(_SLICE, total // _SLICES)
    for offset in range(0, min(total, _SLICES * step), step):
        _, documents = store.knowledge.documents(ALL_BOTS, everything, limit=_SLICE, offset=offset)
        for document in documents:
            with suppress(NotFound):  # gone since, by another process
                yield store.knowledge.document(ALL_BOTS, document.document_id).text


def _nobody() -> tuple[str, int]:
    raise RagError("the model is not needed here")
