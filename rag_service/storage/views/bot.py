"""One bot's two views of the rows, vectors and words, which move together.

A view has a sealed part on disk, named by its watermark (the last change it contains), and a
tail in memory with what came since. Sealing writes a new folder and renames it into place, so a
folder that has its final name is whole.
"""

import hashlib
import os
import shutil
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from msgspec import Struct

from rag_service.disk import sync
from rag_service.documents import Vectors
from rag_service.knowledge.store import Levels
from rag_service.storage.views.selection import Ids, Selection
from rag_service.storage.views.spelling import near_terms
from rag_service.storage.views.vectors import (
    Batch,
    Reader,
    Recall,
    SealedVectors,
    TailVectors,
    seal_vectors,
)
from rag_service.storage.views.words import (
    Entry,
    SealedWords,
    TailWords,
    Weights,
    seal_words,
    weigh,
)

LAYOUT = 5
"""Raised when a folder written before cannot be read any more, or terms are cut differently."""


_SOME = 4


class Identity(Struct, frozen=True, kw_only=True):
    """Which rows a view is of."""

    base: str
    model: str
    dimension: int


class Manifest(Struct, frozen=True, kw_only=True):
    """`sealed.json`: what the folder beside it holds."""

    layout: int
    identity: Identity
    watermark: int
    event: str
    """What the rows noted of this sealing: rows that a backup has put back do not have it."""
    chunks: int
    terms: int
    """All terms of all chunks, for their mean length."""
    recall: Recall
    files: dict[str, str]
    """SHA-256 by path below the folder."""


class Damaged(Exception):
    """A sealed folder is not what its manifest says, or of other rows."""


class Sealed:
    """A sealed folder, read and verified."""

    def __init__(self, folder: Path, identity: Identity) -> None:
        try:
            manifest = msgspec.json.decode((folder / "sealed.json").read_bytes(), type=Manifest)
            if (manifest.layout, manifest.identity) != (LAYOUT, identity):
                raise Damaged(f"{folder.name} is of another base or version")
            if manifest.files != _digests(folder):
                raise Damaged(f"{folder.name} is damaged")
            self.vectors = SealedVectors(folder / "vectors", manifest.recall)
            self.words = SealedWords(folder / "words")
        except (OSError, ValueError, RuntimeError) as error:
            raise Damaged(f"{folder.name} cannot be read: {error}") from error
        self.folder = folder
        self.manifest = manifest


class Change(Struct, frozen=True):
    """A chunk that came, as both views take it."""

    entry: Entry
    vector: bytes


class Measured(NamedTuple):
    """The levels of a bot, and how many chunks it had when they were taken."""

    levels: Levels
    chunks: int


class BotViews:
    """The sealed part and the tail of one bot. Thread-safe; `lock` is held while it changes."""

    def __init__(self, dimension: int, sealed: Sealed | None) -> None:
        self.lock = threading.RLock()
        self.sealed = sealed
        self.watermark = sealed.manifest.watermark if sealed else 0
        self._dimension = dimension
        self._tail_vectors = TailVectors(dimension)
        self._tail_words = TailWords()
        self._tail: set[int] = set()
        self._gone: set[int] = set()
        self.levels: Measured | None = None

    @property
    def unsealed(self) -> int:
        """Changes that a search pays for: what is in the tail, and what is hidden in the rest."""
        return len(self._tail) + len(self._gone)

    @property
    def chunks(self) -> int:
        sealed = self.sealed.manifest.chunks if self.sealed else 0
        return sealed - len(self._gone) + len(self._tail)

    def apply(
        self, came: Sequence[Change], batch: Batch, went: Sequence[int], watermark: int
    ) -> None:
        """Take over everything up to `watermark`. Row i of `batch` is the vector of `came[i]`."""
        with self.lock:
            if watermark <= self.watermark:
                return
            if old := [chunk for chunk in went if chunk in self._tail]:
                self._tail_vectors.remove(np.array(old, np.int64))
                self._tail.difference_update(old)
                for chunk in old:
                    self._tail_words.remove(chunk)
            if self.sealed:  # not all that went was there when it was sealed
                sealed = np.intersect1d(np.array(went, np.int64), self.sealed.vectors.ids)
                self._gone = self._gone | set(sealed.tolist())  # searches may hold the old set
            if came:
                self._tail_vectors.add(batch.ids, batch.vectors)
                for change in came:
                    self._tail_words.add(change.entry)
                    self._tail.add(change.entry.chunk)
            self.watermark = watermark

    def find(
        self, vector: Vectors, query: str, depth: int, only: Selection | None
    ) -> tuple[dict[int, float], dict[int, float], Weights]:
        """Cosine and BM25 by chunk, the best `depth` of each, with the weights of the terms.

        Of the selection alone, where there is one; the weights are those of all chunks.
        """
        with self.lock:
            sealed, gone = self.sealed, self._gone
            weights = weigh(
                query, sealed.words if sealed else None, self._tail_words, self._mean_length()
            )
            dense = self._tail_vectors.best(vector, depth, only)
            words = self._tail_words.best(weights, depth, only)
        if sealed:
            dense += sealed.vectors.best(vector, depth, only, _ascending(gone))
            words += sealed.words.best(weights, depth, only, sealed.vectors.ids, gone)
        return _best(dense, depth), _best(words, depth), weights

    def near(self, word: str, term: str) -> dict[str, list[int]]:
        """Terms that a word may have been meant for, which is cut to a term that no chunk has.

        Nearest first, with some of the chunks that have them.
        """
        with self.lock:
            parts: list[SealedWords | TailWords] = [self._tail_words]
            if self.sealed:
                parts.append(self.sealed.words)
            if any(part.frequency(term) for part in parts):
                return {}
            vocabulary: Counter[str] = Counter()
            for part in parts:
                vocabulary.update(dict(part.beginning(term[0])))
            return {
                near: [chunk for part in parts for chunk in part.having(near, _SOME)]
                for near in near_terms(word, term, vocabulary.items())
            }

    def ids(self) -> Ids:
        """Every chunk that a search can find in the vectors, ascending."""
        with self.lock:
            sealed = self.sealed.vectors.ids if self.sealed else np.zeros(0, np.int64)
            tail = np.fromiter(self._tail, np.int64, len(self._tail))
            return np.union1d(np.setdiff1d(sealed, _ascending(self._gone)), tail)

    def _mean_length(self) -> float:
        chunks = self._tail_words.chunks
        terms = self._tail_words.terms
        if self.sealed:
            chunks += self.sealed.manifest.chunks
            terms += self.sealed.manifest.terms
        return terms / max(chunks, 1)


def _ascending(chunks: set[int]) -> Ids:
    return np.sort(np.fromiter(chunks, np.int64, len(chunks)))


def _best(found: list[tuple[int, float]], depth: int) -> dict[int, float]:
    return dict(sorted(found, key=lambda pair: -pair[1])[:depth])


class SealReader(Reader):
    """What sealing reads: every chunk of a bot at one moment."""

    chunks: int

    def entries(self) -> Iterator[Entry]:
        raise NotImplementedError


def seal(folder: Path, identity: Identity, watermark: int, event: str, reader: SealReader) -> None:
    """Write `folder/WATERMARK` whole or not at all. Raises OSError, for instance on a full disk."""
    partial = folder / f"{watermark:020}.{os.getpid()}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o700, parents=True)
    try:
        terms = seal_words(partial / "words", reader.entries())
        recall = seal_vectors(partial / "vectors", identity.dimension, reader.chunks, reader)
        for lock in (partial / "words").glob(".*.lock"):
            lock.unlink()
        manifest = Manifest(
            layout=LAYOUT,
            identity=identity,
            watermark=watermark,
            event=event,
            chunks=reader.chunks,
            terms=terms,
            recall=recall,
            files=_digests(partial),
        )
        (partial / "sealed.json").write_bytes(msgspec.json.encode(manifest))
        for path in [*partial.rglob("*"), partial]:
            path.chmod(0o700 if path.is_dir() else 0o600)  # they hold texts
            sync(path)
        final = folder / f"{watermark:020}"
        shutil.rmtree(final, ignore_errors=True)
        partial.rename(final)
        sync(folder)
    except (ValueError, RuntimeError) as error:  # what tantivy and faiss raise when a write fails
        raise OSError(f"the views could not be written: {error}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")
    return {
        path.relative_to(folder).as_posix(): _digest(path)
        for path in files
        if path.name != "sealed.json"
    }


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
