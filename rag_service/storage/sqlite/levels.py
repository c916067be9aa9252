"""What cosines mean in the chunks of one bot, measured on a sample of them.

The best of many is better than the best of few, so what a sample shows is carried on to all chunks
by what each doubling of it adds.
"""

from math import log2

import numpy as np
from numpy.typing import NDArray

from rag_service.documents import Vectors
from rag_service.knowledge.store import Levels
from rag_service.storage.sqlite.driver import sqlite3
from rag_service.storage.sqlite.passages import documents_of
from rag_service.storage.views.bot import BotViews, Measured
from rag_service.storage.views.vectors import stack

MOVED = 0.1
"""Of the chunks: as many more or fewer, and the levels are measured again."""
_SAMPLE = 2048
_CHUNKS_ASKED = 256
"""For the level of kin."""

Matrix = NDArray[np.float32]


def levels_of(connection: sqlite3.Connection, views: BotViews, probes: Vectors) -> Levels:
    """Of the chunks that the connection's transaction and the views hold; kept with the views."""
    chunks, known = views.chunks, views.levels
    if known is None or abs(chunks - known.chunks) > MOVED * known.chunks:
        known = Measured(_measure(connection, views, probes), chunks)
        views.levels = known
    return known.levels


def _measure(connection: sqlite3.Connection, views: BotViews, probes: Vectors) -> Levels:
    ids = views.ids()
    places = np.unique(np.linspace(0, len(ids) - 1, min(len(ids), _SAMPLE)).astype(np.int64))
    rows = documents_of(connection, ids[places].tolist())
    if not rows:
        return Levels(reach=0.0, kin=None)
    _, documents, blobs = zip(*rows, strict=True)
    vectors = stack(range(len(rows)), blobs, probes.shape[1]).vectors
    # in an order that has nothing to do with when they came, for the halves below
    order = np.random.default_rng(0).permutation(len(rows))
    vectors, of = vectors[order], np.array(documents, np.int64)[order]
    scale = len(ids) / len(rows)
    asked = vectors[:_CHUNKS_ASKED]
    kin = asked @ vectors.T
    kin[of[:_CHUNKS_ASKED, None] == of[None]] = -1.0
    has_kin = (kin > -1.0).any()
    return Levels(
        reach=_typical(probes @ vectors.T, scale),
        kin=_typical(kin[(kin > -1.0).any(axis=1)], scale) if has_kin else None,
    )


def _typical(cosines: Matrix, scale: float) -> float:
    """The median of the best of each row, among `scale` times as many columns."""
    whole = float(np.median(cosines.max(axis=1)))
    if scale <= 1.0:
        return whole
    half = float(np.median(cosines[:, : cosines.shape[1] // 2].max(axis=1)))
    return min(1.0, whole + max(0.0, whole - half) * log2(scale))
