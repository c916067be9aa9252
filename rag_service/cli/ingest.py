"""The `ingest` command: an import with a progress bar."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from msgspec import Struct

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import Service
from rag_service.knowledge.imports import Result
from rag_service.readers.containers import Within
from rag_service.readers.formats import PICTURES
from rag_service.readers.page_pictures import INSTALL
from rag_service.sources.folder import Defaults, Sources

Progress = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]
"""Shows what is done of a total; the inner function is told how many more are."""

_MOST_FAILURES = 1000
_MOST_WARNINGS = 100
_MOST_KINDS = 10
_COUNTED = (
    "documents",
    "embedded",
    "unchanged",
    "failed",
    "chunks_embedded",
    "chunks_reused",
    "chunks_removed",
)


class Failure(Struct, frozen=True, kw_only=True):
    line: int
    source_url: str | None
    error: str


class Lost(Struct, frozen=True, kw_only=True):
    """What was left out of files, of one kind: how many of it, in how many documents."""

    what: str
    count: int
    documents: int


class IngestReport(Struct, frozen=True, kw_only=True):
    """Counts of documents and chunks. `failures` has the first 1,000; `warnings` tells of each
    sentence on what does not suit the model how many documents it is of, and has 100 at most;
    `skipped` counts files of folders that cannot be read by the ending of their names."""

    documents: int
    embedded: int
    unchanged: int
    failed: int
    chunks_embedded: int
    chunks_reused: int
    chunks_removed: int
    seconds: float
    interrupted: bool
    failures: list[Failure]
    left_out: list[Lost]
    warnings: dict[str, int]
    skipped: dict[str, int]

    @property
    def skipped_sentences(self) -> list[str]:
        """One of the pictures, and one of all other files."""
        pictures = sum(self.skipped.get(ending, 0) for ending in PICTURES)
        kinds = [ending or "no ending" for ending in self.skipped if ending not in PICTURES]
        sentences = []
        if pictures:
            what = "1 picture" if pictures == 1 else f"{pictures:,} pictures"
            sentences.append(f"skipped {what} ({INSTALL} reads them)")
        if others := sum(self.skipped.values()) - pictures:
            what = "1 file" if others == 1 else f"{others:,} files"
            names = ", ".join(kinds[:_MOST_KINDS]) + (" and more" if kinds[_MOST_KINDS:] else "")
            sentences.append(f"skipped {what} of kinds that cannot be read ({names})")
        return sentences


class Ingest:
    def __init__(
        self,
        service: Service,
        paths: Sequence[Path],
        bot_id: str | None,
        content_type: str | None,
        *,
        strict: bool = False,
        within: Within | None = None,
    ) -> None:
        defaults = Defaults(
            bot_id=bot_id,
            content_type=content_type,
            longest=service.settings.max_body_bytes,
            strict=strict,
            within=within or Within(),
        )
        self._service = service
        self._sources = Sources(paths, defaults, service.readers.unpack)
        self._counts = dict.fromkeys(_COUNTED, 0)
        self._failures: list[Failure] = []
        self._left_out: dict[str, Lost] = {}
        self._warnings: Counter[str] = Counter()

    def run(self, progress: Progress) -> IngestReport:
        """An interrupt ends it; what was committed until then stays and costs nothing next time."""
        start = time.monotonic()
        interrupted = False
        with progress("Ingesting", self._sources.count()) as advance:
            try:
                for group in self._service.importer.run(ALL_BOTS, self._sources.lines()):
                    for result in group:
                        self._count(result)
                    advance(len(group))
            except KeyboardInterrupt:
                interrupted = True
        return IngestReport(
            **self._counts,
            seconds=round(time.monotonic() - start, 2),
            interrupted=interrupted,
            failures=self._failures,
            left_out=sorted(self._left_out.values(), key=lambda lost: -lost.documents),
            warnings=dict(self._warnings.most_common(_MOST_WARNINGS)),
            skipped=dict(self._sources.skipped.most_common()),
        )

    def _count(self, result: Result) -> None:
        counts = self._counts
        counts["documents"] += 1
        if result.upserted is None:
            counts["failed"] += 1
            if len(self._failures) < _MOST_FAILURES:
                line = result.line
                error = line.error or ""
                failure = Failure(line=line.number, source_url=line.source_url, error=error)
                self._failures.append(failure)
            return
        counts["unchanged" if result.upserted.unchanged else "embedded"] += 1
        self._warnings.update(result.upserted.unsuited)
        for kind in result.upserted.left_out:
            before = self._left_out.get(kind.many) or Lost(what=kind.many, count=0, documents=0)
            self._left_out[kind.many] = Lost(
                what=kind.many, count=before.count + kind.count, documents=before.documents + 1
            )
        chunks = result.upserted.chunks
        counts["chunks_embedded"] += chunks.embedded
        counts["chunks_reused"] += chunks.reused
        counts["chunks_removed"] += chunks.removed
