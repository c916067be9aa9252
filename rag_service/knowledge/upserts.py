"""What a push will do and what it did, document by document."""

from collections import defaultdict, deque
from collections.abc import Sequence
from hashlib import blake2b

import msgspec
from msgspec import Struct

from rag_service.documents import Document, LeftOut
from rag_service.errors import Unreadable
from rag_service.knowledge.chunking import PIPELINE_VERSION
from rag_service.knowledge.store import Known, Revision, Written


class ChunkCounts(Struct, frozen=True, kw_only=True):
    """`total` is `embedded` plus `reused`; `removed` ones belonged to the former version."""

    total: int
    embedded: int
    reused: int
    removed: int


class Upserted(Struct, frozen=True, kw_only=True):
    """What a push did. `bytes` is the length of the content, of text in UTF-8.

    `left_out` is what the reader of its file did not take. `unsuited` are sentences on what does
    not suit the model, where the document is new or changed. `warnings` are sentences on both.
    """

    source_url: str
    bot_id: str
    content_type: str
    bytes: int
    document_id: str
    unchanged: bool
    chunks: ChunkCounts
    left_out: list[LeftOut]
    unsuited: list[str]

    @property
    def warnings(self) -> list[str]:
        return [*(kind.sentence for kind in self.left_out), *self.unsuited]


class Plan(Struct, frozen=True, kw_only=True):
    """What a push of some documents will write. `known` are those that have not changed.

    Those in `refused`, files that cannot be read, are not among `documents`.
    """

    documents: list[Document]
    refused: dict[tuple[str, str], Unreadable]
    known: dict[tuple[str, str], Known]
    revisions: list[Revision]
    to_embed: dict[bytes, str]
    warnings: dict[tuple[str, str], list[str]]
    """On what does not suit the model, of those that are new or changed."""


def fingerprint(document: Document) -> bytes:
    """Changes when anything changes that we keep, index or would cut differently."""
    rest = [document.title, document.content_type, document.format, document.metadata]
    digest = blake2b(str(PIPELINE_VERSION).encode(), digest_size=16)
    digest.update(msgspec.json.encode(rest, order="sorted"))
    digest.update(document.data)
    return digest.digest()


def strict_keys(documents: Sequence[Document], strict: bool) -> set[tuple[str, str]]:
    return {(one.bot_id, one.source_url) for one in documents} if strict else set()


def lossy(left_out: Sequence[LeftOut]) -> Unreadable | None:
    """Why a document of which something is left out is refused, where that is wanted."""
    losses = "; ".join(kind.sentence for kind in left_out if kind.is_loss)
    if not losses:
        return None
    return Unreadable(
        f"would be stored without {losses}: push it without `strict` to take the rest"
    )


def unrefused(plan: Plan) -> Plan:
    for error in plan.refused.values():
        raise error
    return plan


def upsert_of(
    document: Document,
    plan: Plan,
    written: dict[tuple[str, str], tuple[Revision, Written]],
    fresh: set[bytes],
) -> Upserted:
    key = (document.bot_id, document.source_url)
    known = plan.known.get(key)
    if known is not None:
        document_id, total, left_out = known.document_id, known.chunks, known.left_out
        counts = ChunkCounts(total=total, embedded=0, reused=total, removed=0)
    else:
        revision, result = written[key]
        document_id, total = result.document_id, len(revision.chunks)
        left_out = revision.left_out
        embedded = len(fresh.intersection(revision.digests))
        counts = ChunkCounts(
            total=total, embedded=embedded, reused=total - embedded, removed=result.removed
        )
    return Upserted(
        source_url=document.source_url,
        bot_id=document.bot_id,
        content_type=document.content_type,
        bytes=len(document.data),
        document_id=document_id,
        unchanged=known is not None,
        chunks=counts,
        left_out=left_out,
        unsuited=plan.warnings.get(key, []),
    )


def pair_chunks(
    former: Sequence[tuple[int, int]], wanted: Sequence[int]
) -> tuple[dict[int, int], list[int]]:
    """Former chunks that stay, by new ordinal, and those that go; equal ones pair in order.

    `former` are chunks with their embeddings, and `wanted` the embeddings of the new ones.
    """
    stock: dict[int, deque[int]] = defaultdict(deque)
    for chunk, embedding in former:
        stock[embedding].append(chunk)
    kept = {
        ordinal: stock[embedding].popleft()
        for ordinal, embedding in enumerate(wanted)
        if stock.get(embedding)
    }
    return kept, sorted({chunk for chunk, _ in former}.difference(kept.values()))
