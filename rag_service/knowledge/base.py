"""The first use case: put documents in, take them out, find passages."""

from collections.abc import Callable, Collection, Sequence
from hashlib import blake2b

from msgspec.structs import replace

from rag_service.access.scope import ALL_BOTS, Scope
from rag_service.documents import Document, ParsedDocument, Passage, Vectors
from rag_service.errors import Unreadable
from rag_service.knowledge.chunking import split
from rag_service.knowledge.embedder import Embedder
from rag_service.knowledge.filters import Filter, unseen_values
from rag_service.knowledge.finding.confidence import CONTEXT_ABOVE, DECISION
from rag_service.knowledge.finding.decision import Decision
from rag_service.knowledge.finding.findings import Findings
from rag_service.knowledge.finding.foresight import Coming, Foreseen
from rag_service.knowledge.finding.scale import Scale
from rag_service.knowledge.finding.strange_words import respelled, strange_words
from rag_service.knowledge.languages import language_warnings, readable_share
from rag_service.knowledge.reranker import RERANKED, Reranker, reranked
from rag_service.knowledge.store import (
    Calibration,
    Embedded,
    KnowledgeStore,
    Mode,
    Revision,
    Written,
)
from rag_service.knowledge.upserts import (
    Plan,
    Upserted,
    fingerprint,
    lossy,
    strict_keys,
    unrefused,
    upsert_of,
)
from rag_service.readers import Read, parse_each
from rag_service.small_talk import recognise
from rag_service.texts.sentences import spans


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
        plan = unrefused(self.plan(scope, documents, strict_keys(documents, strict)))
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
            key: loss
            for key, found in known.items()
            if key in strict and (loss := lossy(found.left_out))
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
            if key in strict and (loss := lossy(revision.left_out)):
                refused[key] = loss
                continue
            revisions.append(revision)
            warnings[key] = [
                *language_warnings(revision.text, self._embedder()),
                *unseen_values(document.metadata),
            ]
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
        plan = unrefused(self.plan(scope, [document], strict_keys([document], strict)))
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
            Coming.of(document, chunk, vector, of_sentences)
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

    def matching(self, scope: Scope, bot_id: str, only: Filter | None) -> dict[str, int]:
        """The URLs of the documents that the filter leaves, with how many chunks each has."""
        return self._store.matching(scope, bot_id, only)

    def remove_matching(
        self, scope: Scope, bot_id: str, only: Filter | None, confirm: int | None
    ) -> dict[str, int]:
        """As `remove`, of the documents that the filter leaves. Raises Conflict, and removes none,
        where they are not as many as confirmed."""
        return self._store.remove_matching(scope, bot_id, only, confirm)

    # -- finding -------------------------------------------------------------------------------

    def search(
        self,
        scope: Scope,
        query: str,
        bot_id: str,
        *,
        k: int = 5,
        only: Filter | None = None,
        mode: Mode = "hybrid",
        by_document: bool = False,
        vector: Vectors | None = None,
        change: Foreseen | None = None,
    ) -> Findings:
        """From one moment of the rows; sees every push and removal that returned before.

        The confidence is the same in every mode. `only` leaves some of the bot's documents; what
        scores mean is told by all of them. With `by_document` each document is there once, with its
        best passage. `vector` is the query's, where it is known already. With `change` it decides
        as if that had happened.
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
            only=only,
            rank=decision.choose,
        )
        if reranker and hits:
            hits = reranked(reranker, query, hits)[:k]
            decision.rerank(hits[0].score)
        seen = decision.seen
        calibration = seen.calibration if seen.calibration.made_with == self.made_with else None
        judged = decision.probability(calibration or Calibration())
        talk = recognise(query) if self._small_talk else None
        if talk and not (talk.asks and judged >= ANSWERS_SMALL_TALK):
            judged = 0.0
        return Findings(
            query=query,
            searched_as=None if asked == query else asked,
            bot_id=bot_id,
            only=only,
            has_rag_context=judged >= CONTEXT_ABOVE,
            confidence=round(judged, 4),
            evidence=seen.weighed,
            calibration=calibration or Calibration(),
            vector=vector,
            absent=seen.absent,
            chunks=seen.chunks,
            seen=seen.until,
            coming=seen.coming,
            small_talk=talk.kind if talk else None,
            hits=[replace(hit, sentences=seen.near.get(hit.passage.chunk_id, [])) for hit in hits],
        )

    def nearness(self, query: Vectors, texts: Sequence[str]) -> list[float]:
        """How near each of a few texts comes to a query's vector: 0 for chance, 1 for what answers
        typically have."""
        cosines = self._embedder().embed_few(texts) @ query[0]
        return [float(self._scale().nearness(cosine)) for cosine in cosines.tolist()]

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
        strange = strange_words(query, self._embedder())
        return respelled(query, self._store.respell(scope, bot_id, strange) if strange else {})

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
        return [upsert_of(document, plan, by_key, fresh) for document in plan.documents]


ANSWERS_SMALL_TALK = 0.9
"""The confidence from which a page answers a question about the assistant ("who are you?"), rather
than the assistant itself. A guess: such a page says it nearly word for word."""
_DEPTH = 50
_CHUNKS_EACH = 10
"""Of a document that may be among the candidates before others are crowded out."""


def _digest(text: str) -> bytes:
    return blake2b(text.encode(errors="replace"), digest_size=16).digest()
