"""The contract of where knowledge is kept, and what it is asked and answers."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol, runtime_checkable

from msgspec import Struct

from rag_service.access.scope import Scope
from rag_service.documents import Chunk, Document, LeftOut, Passage, Vectors
from rag_service.knowledge.filters import Filter
from rag_service.texts.sentences import NearSpan

Mode = Literal["hybrid", "dense", "keyword"]


class Embedded(Struct, frozen=True):
    """A text as the model reads it: its vector, shape (dimension,), and those of its sentences."""

    vector: Vectors
    sentences: Vectors


class Revision(Struct, frozen=True, kw_only=True):
    """A document ready to be written: parsed, cut, each chunk with the digest of what it embeds."""

    document: Document
    fingerprint: bytes
    title: str
    text: str
    chunks: list[Chunk]
    digests: list[bytes]
    """One per chunk, of its `embedded_text`."""
    left_out: list[LeftOut] = []


class Known(Struct, frozen=True, kw_only=True):
    """A document that is stored, as much as tells whether a push changes it."""

    fingerprint: bytes
    document_id: str
    chunks: int
    left_out: list[LeftOut] = []


class Written(Struct, frozen=True, kw_only=True):
    """What a replace did to one document. `added + kept` chunks are what it has now."""

    document_id: str
    added: int
    kept: int
    removed: int


class DocumentInfo(Struct, frozen=True, kw_only=True):
    """A stored document without its body. Times are ISO 8601 in UTC."""

    document_id: str
    source_url: str
    bot_id: str
    content_type: str
    title: str
    metadata: dict[str, Any]
    format: str
    bytes: int
    chunks: int
    created_at: str
    updated_at: str


class StoredDocument(Struct, frozen=True, kw_only=True):
    info: DocumentInfo
    text: str
    """The plain text that was parsed from the pushed content."""
    left_out: list[LeftOut]
    passages: list[Passage]


class DocumentFilter(Struct, frozen=True, kw_only=True):
    """Every field that is not None narrows; `q` is a substring of URL, title or text."""

    content_type: str | None = None
    source_url: str | None = None
    q: str | None = None
    metadata: Filter | None = None


class Scores(Struct, frozen=True):
    """Of one candidate chunk: its cosine, and its BM25 (0 where it is below the best ones)."""

    dense: float
    keyword: float


class Calibration(Struct, frozen=True, kw_only=True):
    """What questions of a bot's own say about the default confidence: its log-odds become
    `scale * log-odds + shift` (Platt 1999)."""

    scale: float = 1.0
    shift: float = 0.0
    made_with: str = ""
    """The embedding model and the decision that it was fitted to; it is of no use to others."""


class Levels(Struct, frozen=True, kw_only=True):
    """What cosines mean in the chunks of one bot."""

    reach: float
    """The best one that a question about something else finds: the median over the probes."""
    kin: float | None
    """The best one of a chunk with a chunk of another document: the median over a sample. None
    where there are no two documents."""


class Candidate(Struct, frozen=True, kw_only=True):
    """A chunk looked at closely. `vector` has shape (dimension,) and length 1."""

    passage: Passage
    vector: Vectors


class Evidence(Struct, frozen=True, kw_only=True):
    """The candidates of one query, by chunk row, with what tells how much the scores mean."""

    scores: dict[int, Scores]
    vector: Vectors
    """The query's, of shape (1, dimension)."""
    terms: list[str]
    """The query's, in order."""
    idf: dict[str, float]
    """The query's distinct terms with their BM25 weight in this bot's chunks."""
    absent: frozenset[str]
    """Those of them that no chunk has."""
    chunks: int
    """How many chunks the bot has."""
    seen: int
    """The newest change of its chunks that the scores know of."""
    levels: Levels
    calibration: Calibration
    cut: Callable[[str], list[str]]
    """A text into terms such as the query's."""
    read: Callable[[Sequence[int]], dict[int, Candidate]]
    """Those chunks among the candidates, in that order."""
    sentences: Callable[[Sequence[int]], dict[int, Vectors]]
    """The vectors of the sentences of those chunks, where they are kept."""


Ranking = Callable[[Evidence], list[tuple[int, float]]]
"""The chosen chunk rows with their final score, best first."""


class Hit(Struct, frozen=True, kw_only=True):
    passage: Passage
    score: float
    scores: Scores
    sentences: list[NearSpan] = []
    """Of its text, for the best few hits; empty for the others."""


@runtime_checkable  # Litestar validates what it injects
class KnowledgeStore(Protocol):
    """Documents, chunks, vectors, and the two views that find them.

    A document outside the scope is not found; a bot outside it that is named is Forbidden.
    """

    def known(self, scope: Scope, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Known]:
        """Of the documents that exist among these (bot_id, source_url) keys."""
        ...

    def known_vectors(self, digests: Sequence[bytes]) -> set[bytes]:
        """Those that are kept with their sentences, whichever document, bot or former version
        brought them."""
        ...

    def own_vectors(self, scope: Scope, bot_id: str, digests: Sequence[bytes]) -> set[bytes]:
        """Those of `known_vectors` that a chunk of this bot has."""
        ...

    def replace(
        self, scope: Scope, revisions: Sequence[Revision], vectors: Mapping[bytes, Embedded]
    ) -> list[Written]:
        """Write these documents whole, dropping chunks they no longer have; in one transaction.

        Every digest is in `vectors` or known. No key occurs twice.
        """
        ...

    def matching_chunks(self, scope: Scope, revision: Revision) -> Written:
        """What `replace` would do, without doing it; `document_id` is "" for a new document."""
        ...

    def remove(self, scope: Scope, bot_id: str, source_urls: Sequence[str]) -> dict[str, int]:
        """Chunks removed for each URL that was there; the others are missing from the answer."""
        ...

    def matching(self, scope: Scope, bot_id: str, only: Filter | None) -> dict[str, int]:
        """The URLs of the bot's documents that the filter leaves, oldest first, with how many
        chunks each has."""
        ...

    def remove_matching(
        self, scope: Scope, bot_id: str, only: Filter | None, confirm: int | None
    ) -> dict[str, int]:
        """As `remove`, of what `matching` gives in the same transaction. Raises Conflict, and
        removes none, where that is not `confirm` documents."""
        ...

    def search(
        self,
        scope: Scope,
        bot_id: str,
        *,
        vector: Vectors,
        query: str,
        probes: Vectors,
        depth: int,
        only: Filter | None,
        rank: Ranking,
    ) -> list[Hit]:
        """Candidates from the two views, chosen and put in order by `rank`, from one moment; of
        documents alone that the filter leaves, where there is one.

        `vector` has shape (1, dimension); each view gives its best `depth`. `probes` are questions
        about all kinds of things, which the levels are measured with. An unknown bot has no
        candidates, and `rank` is not asked; it may be asked again when somebody writes meanwhile.
        Sees every write that returned before the call, in any process.
        """
        ...

    def around(self, scope: Scope, passages: Sequence[Passage]) -> dict[str, tuple[str, str]]:
        """By chunk id, the texts before and after each passage in its document, "" where there is
        none or it is among the passages itself."""
        ...

    def respell(self, scope: Scope, bot_id: str, words: Sequence[str]) -> dict[str, str]:
        """For those words that no chunk of the bot has, a word that one has, a typing error or two
        away; the others are missing from the answer."""
        ...

    def documents(
        self, scope: Scope, where: DocumentFilter, *, limit: int, offset: int
    ) -> tuple[int, list[DocumentInfo]]:
        """How many match, and one page of them, newest first."""
        ...

    def document(self, scope: Scope, document_id: str) -> StoredDocument:
        """Raises NotFound."""
        ...

    def calibrate(self, scope: Scope, bot_id: str, calibration: Calibration | None) -> None:
        """For every later search of the bot; None goes back to the default. Raises NotFound."""
        ...

    def calibrations(self, scope: Scope) -> dict[str, Calibration]:
        """Of the bots that have one, by their id."""
        ...
