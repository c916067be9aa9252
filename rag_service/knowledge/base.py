"""The first use case: put documents in, take them out, find passages."""

import re
from collections.abc import Callable, Collection, Sequence
from hashlib import blake2b

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from rag_service.access.scope import ALL_BOTS, Scope
from rag_service.documents import Document, LeftOut, ParsedDocument, Passage, Vectors
from rag_service.errors import Unreadable
from rag_service.knowledge.chunking import PIPELINE_VERSION, split
from rag_service.knowledge.embedder import Embedder
from rag_service.knowledge.finding.confidence import (
    CONTEXT_ABOVE,
    DECISION,
    Weighed,
)
from rag_service.knowledge.finding.decision import Decision
from rag_service.knowledge.finding.foresight import Coming, Foreseen
from rag_service.knowledge.finding.scale import Scale
from rag_service.knowledge.languages import language_warnings, readable_share
from rag_service.knowledge.reranker import RERANKED, Reranker
from rag_service.knowledge.store import (
    Calibration,
    Candidate,
    Embedded,
    Hit,
    KnowledgeStore,
    Known,
    Mode,
    Revision,
    Written,
)
from rag_service.readers import Read, parse_each
from rag_service.small_talk import recognise
from rag_service.texts.sentences import spans


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


class Found(Struct, frozen=True, kw_only=True):
    """Best first. `has_rag_context` is the decision taken on `confidence`."""

    query: str
    searched_as: str | None
    """Where words of the query were respelled."""
    bot_id: str
    has_rag_context: bool
    confidence: float
    evidence: Weighed
    calibration: Calibration
    vector: Vectors
    """The query's, as it was searched; shape (1, dimension)."""
    absent: frozenset[str]
    """Terms of the query that no chunk has."""
    seen: int
    """The newest change of the bot's chunks that the search knew of."""
    coming: Passage | None = None
    """The best passage, where that is one of a change that was foreseen."""
    small_talk: str | None = None
    """The kind of small talk that the query is. It is answered by pages only where it asks, and
    where they are sure to."""
    hits: list[Hit]


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


class KnowledgeBase:
    """Blocking and thread-safe; a bot outside the scope is Forbidden.

    `embedder` gives the model, loading it at the first call, `scale` what its cosines mean, and
    `reranker` a second model, where there is one. `read` reads documents.
    """

    def __init__(
        self,
        store: KnowledgeStore,
        embedder: Callable[[], Embedder],
        scale: Callable[[], Scale],
        reranker: Callable[[], Reranker] | None = None,
        *,
        read: Read = parse_each,
        small_talk: bool = True,
    ) -> None:
        self._store = store
        self._embedder = embedder
        self._scale = scale
        self._reranker = reranker
        self._read = read
        self._small_talk = small_talk

    # -- pushing: plan, embed and commit are the stages of an import ----------------------------

    def upsert(
        self, scope: Scope, documents: Sequence[Document], *, strict: bool = False
    ) -> list[Upserted]:
        """All or nothing, in one transaction; no key may occur twice.

        What has not changed is not written, and a chunk whose text is known is not embedded.
        Raises Unreadable, where it is `strict` also for a file of which something is left out.
        """
        plan = _whole(self.plan(scope, documents, _strictly(documents, strict)))
        return self.commit(scope, plan, self.embed(plan))

    def plan(
        self, scope: Scope, documents: Sequence[Document], strict: Collection[tuple[str, str]] = ()
    ) -> Plan:
        """`strict` are the keys of those that are refused where something of them is left out."""
        keys = [(document.bot_id, document.source_url) for document in documents]
        stored = self._store.known(scope, keys)
        prints = {key: fingerprint(one) for key, one in zip(keys, documents, strict=True)}
        known = {key: found for key, found in stored.items() if found.fingerprint == prints[key]}
        refused = {
            key: lossy
            for key, found in known.items()
            if key in strict and (lossy := _lossy(found.left_out))
        }
        changed = {key: one for key, one in zip(keys, documents, strict=True) if key not in known}
        revisions = []
        warnings = {}
        read = self._read(list(changed.values()))
        for (key, document), parsed in zip(changed.items(), read, strict=True):
            if isinstance(parsed, Unreadable):
                refused[key] = parsed
                continue
            revision = self._revise(document, parsed, prints[key])
            if key in strict and (lossy := _lossy(revision.left_out)):
                refused[key] = lossy
                continue
            revisions.append(revision)
            warnings[key] = language_warnings(revision.text, self._embedder())
        texts = {
            digest: chunk.embedded_text
            for revision in revisions
            for digest, chunk in zip(revision.digests, revision.chunks, strict=True)
        }
        for digest in self._store.known_vectors(list(texts)):
            del texts[digest]
        return Plan(
            documents=[d for d, key in zip(documents, keys, strict=True) if key not in refused],
            refused=refused,
            known=known,
            revisions=revisions,
            to_embed=texts,
            warnings=warnings,
        )

    def embed(self, plan: Plan) -> dict[bytes, Embedded]:
        """The slow stage; holds no lock and no transaction."""
        if not plan.to_embed:
            return {}
        texts = list(plan.to_embed.values())
        vectors, sentences = self._embedder().embed_spans(texts, [spans(text) for text in texts])
        return dict(zip(plan.to_embed, map(Embedded, vectors, sentences), strict=True))

    def commit(self, scope: Scope, plan: Plan, vectors: dict[bytes, Embedded]) -> list[Upserted]:
        """What it returns is on disk and in every later search."""
        written = self._store.replace(scope, plan.revisions, vectors) if plan.revisions else []
        return self._report(plan, written, set(plan.to_embed))

    def preview(self, scope: Scope, document: Document, *, strict: bool = False) -> Upserted:
        """What `upsert` would answer, changing nothing and embedding nothing."""
        plan = _whole(self.plan(scope, [document], _strictly([document], strict)))
        written = [self._store.matching_chunks(scope, r) for r in plan.revisions]
        digests = {digest for revision in plan.revisions for digest in revision.digests}
        # as if others were not there: what they hold is none of this bot's business
        fresh = digests - self._store.own_vectors(scope, document.bot_id, list(digests))
        return self._report(plan, written, fresh)[0]

    def coming(self, document: Document) -> list[Coming]:
        """The passages that a push of the document would make. Embeds them, and keeps nothing.
        Raises Unreadable."""
        (parsed,) = self._read([document])
        if isinstance(parsed, Unreadable):
            raise parsed
        chunks = self._revise(document, parsed, b"").chunks
        texts = [chunk.embedded_text for chunk in chunks]
        if not texts:
            return []
        vectors, sentences = self._embedder().embed_spans(texts, [spans(text) for text in texts])
        return [
            Coming(
                candidate=Candidate(
                    passage=Passage(
                        chunk_id="",
                        document_id="",
                        source_url=document.source_url,
                        title=chunk.title,
                        heading=chunk.heading,
                        page=chunk.page,
                        text=chunk.text,
                        ordinal=chunk.ordinal,
                    ),
                    vector=vector,
                ),
                sentences=of_sentences,
            )
            for chunk, vector, of_sentences in zip(chunks, vectors, sentences, strict=True)
        ]

    def chunks_of(
        self, scope: Scope, bot_id: str, source_urls: Sequence[str]
    ) -> dict[str, list[Passage]]:
        """The passages of those documents that are there, by URL."""
        known = self._store.known(scope, [(bot_id, url) for url in source_urls])
        return {
            url: self._store.document(scope, one.document_id).passages
            for (_, url), one in known.items()
        }

    def remove(self, scope: Scope, bot_id: str, source_urls: Sequence[str]) -> dict[str, int]:
        """Chunks removed for each URL that was there; the others are missing from the answer."""
        return self._store.remove(scope, bot_id, source_urls)

    # -- finding -------------------------------------------------------------------------------

    def search(
        self,
        scope: Scope,
        query: str,
        bot_id: str,
        *,
        k: int = 5,
        content_type: str | None = None,
        mode: Mode = "hybrid",
        by_document: bool = False,
        vector: Vectors | None = None,
        change: Foreseen | None = None,
    ) -> Found:
        """From one moment of the rows; sees every push and removal that returned before.

        The confidence is the same in every mode. With `by_document` each document is there once,
        with its best passage. `vector` is the query's, where it is known already. With `change` it
        decides as if that had happened.
        """
        asked = self._spelled(scope, query, bot_id)
        embedder, scale = self._embedder(), self._scale()
        reranker = self._reranker() if self._reranker and mode == "hybrid" else None
        wanted = max(k, RERANKED) if reranker else k
        if vector is None or asked != query:
            vector = embedder.embed_query(asked)
        decision = Decision(
            asked,
            scale,
            readable_share(asked, embedder),
            mode=mode,
            wanted=wanted,
            by_document=by_document,
            change=change,
        )
        hits = self._store.search(
            scope,
            bot_id,
            vector=vector,
            query=asked,
            probes=scale.probes,
            depth=max(_DEPTH, (_CHUNKS_EACH if by_document else 2) * wanted),
            content_type=content_type,
            rank=decision.choose,
        )
        if reranker and hits:
            hits = _reranked(reranker, query, hits)[:k]
            decision.rerank(hits[0].score)
        seen = decision.seen
        calibration = seen.calibration if seen.calibration.made_with == self.made_with else None
        judged = decision.probability(calibration or Calibration())
        talk = recognise(query) if self._small_talk else None
        if talk and not (talk.asks and judged >= ANSWERS_SMALL_TALK):
            judged = 0.0
        return Found(
            query=query,
            searched_as=None if asked == query else asked,
            bot_id=bot_id,
            has_rag_context=judged >= CONTEXT_ABOVE,
            confidence=round(judged, 4),
            evidence=seen.weighed,
            calibration=calibration or Calibration(),
            vector=vector,
            absent=seen.absent,
            seen=seen.until,
            coming=seen.coming,
            small_talk=talk.kind if talk else None,
            hits=[replace(hit, sentences=seen.near.get(hit.passage.chunk_id, [])) for hit in hits],
        )

    def scale(self) -> Scale:
        """What the cosines of the embedding model mean."""
        return self._scale()

    def calibration(self, bot_id: str) -> Calibration:
        """What searches of the bot apply."""
        found = self._store.calibrations(ALL_BOTS).get(bot_id, Calibration())
        return found if found.made_with == self.made_with else Calibration()

    @property
    def made_with(self) -> str:
        """The model and the decision, for which alone a calibration is of use."""
        return f"{self._embedder().name}/{DECISION}"

    def refused_calibrations(self, scope: Scope) -> dict[str, str]:
        """By bot, a sentence on its calibration where searches do not apply it, since another model
        or decision was there when it was made."""
        return {
            bot_id: f"the calibration of bot {bot_id!r} was made with "
            f"{found.made_with or 'an earlier version'}, not with {self.made_with}, "
            "and is not applied: run `rag-service calibrate` again"
            for bot_id, found in self._store.calibrations(scope).items()
            if found.made_with != self.made_with
        }

    def around(self, scope: Scope, passages: Sequence[Passage]) -> dict[str, tuple[str, str]]:
        """By chunk id, what stands before and after each passage, unless it is one of them."""
        return self._store.around(scope, passages)

    # -- how -----------------------------------------------------------------------------------

    def _spelled(self, scope: Scope, query: str, bot_id: str) -> str:
        """The query, where it has words that neither the bot nor the model knows, with such as the
        bot knows. A word that the model has in one piece is spelled as it should be. What is no
        ordinary word, such as a code or a name, is left alone."""
        words = [word for word in dict.fromkeys(_WORD.findall(query)) if _is_ordinary(word, query)]
        if not 0 < len(words) <= _MOST_WORDS:
            return query
        pieces = self._embedder().token_offsets(words)
        strange = [word for word, parts in zip(words, pieces, strict=True) if len(parts) > 1]
        known = self._store.respell(scope, bot_id, strange) if strange else {}
        return _WORD.sub(lambda word: known.get(word[0], word[0]), query) if known else query

    def _revise(self, document: Document, parsed: ParsedDocument, digest: bytes) -> Revision:
        embedder = self._embedder()
        chunks = split(parsed, embedder.window, embedder.token_offsets)
        return Revision(
            document=document,
            fingerprint=digest,
            title=parsed.title,
            text=parsed.text,
            chunks=chunks,
            digests=[_digest(chunk.embedded_text) for chunk in chunks],
            left_out=[*document.left_out, *parsed.left_out],
        )

    def _report(self, plan: Plan, written: Sequence[Written], fresh: set[bytes]) -> list[Upserted]:
        """`fresh` are the digests that count as embedded, and not as reused."""
        by_key = {
            (revision.document.bot_id, revision.document.source_url): (revision, result)
            for revision, result in zip(plan.revisions, written, strict=True)
        }
        return [_upserted(document, plan, by_key, fresh) for document in plan.documents]


_WORD = re.compile(r"(?<![\w.@/#:-])[^\W\d_]{4,}(?![\w@/#:-]|\.\w)")


def _is_ordinary(word: str, query: str) -> bool:
    """Without capitals inside, and with one at its beginning only where a sentence begins."""
    if word.islower():
        return True
    begins = query.lstrip().startswith(word)
    return begins and word[1:].islower()


ANSWERS_SMALL_TALK = 0.9
"""The confidence from which a page answers a question about the assistant ("who are you?"), rather
than the assistant itself. A guess: such a page says it nearly word for word."""
_MOST_WORDS = 64
"""A longer query was not typed by anybody."""
_DEPTH = 50
_CHUNKS_EACH = 10
"""Of a document that may be among the candidates before others are crowded out."""


def _strictly(documents: Sequence[Document], strict: bool) -> set[tuple[str, str]]:
    return {(one.bot_id, one.source_url) for one in documents} if strict else set()


def _lossy(left_out: Sequence[LeftOut]) -> Unreadable | None:
    """Why a document of which something is left out is refused, where that is wanted."""
    losses = "; ".join(kind.sentence for kind in left_out if kind.is_loss)
    if not losses:
        return None
    return Unreadable(
        f"would be stored without {losses}: push it without `strict` to take the rest"
    )


def _whole(plan: Plan) -> Plan:
    for error in plan.refused.values():
        raise error
    return plan


def _reranked(reranker: Reranker, query: str, hits: Sequence[Hit]) -> list[Hit]:
    read = [f"{hit.passage.title}\n{hit.passage.heading}\n{hit.passage.text}" for hit in hits]
    scores = reranker.score(query, [text.strip() for text in read])
    again = [replace(hit, score=round(score, 6)) for hit, score in zip(hits, scores, strict=True)]
    return sorted(again, key=lambda hit: -hit.score)


def fingerprint(document: Document) -> bytes:
    """Changes when anything changes that we keep, index or would cut differently."""
    rest = [document.title, document.content_type, document.format, document.metadata]
    digest = blake2b(str(PIPELINE_VERSION).encode(), digest_size=16)
    digest.update(msgspec.json.encode(rest, order="sorted"))
    digest.update(document.data)
    return digest.digest()


def _digest(text: str) -> bytes:
    return blake2b(text.encode(errors="replace"), digest_size=16).digest()


def _upserted(
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
