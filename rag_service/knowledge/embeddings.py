"""The third use case: vectors of texts, as the knowledge base itself makes them."""

from collections.abc import Callable, Sequence

import numpy as np

from rag_service.documents import Vectors
from rag_service.knowledge.embedder import Embedder


class Embeddings:
    def __init__(self, embedder: Callable[[], Embedder]) -> None:
        self._embedder = embedder

    @property
    def dimension(self) -> int:
        return self._embedder().dimension

    def embed(self, texts: Sequence[str], *, as_queries: bool = False) -> Vectors:
        """One row for each text. What is longer than the model's window is read in windows, and
        its vector is their mean, weighted by their tokens."""
        embedder = self._embedder()
        parts = [_windows(embedder, text) for text in texts]
        windows = [window for of_text in parts for window, _ in of_text]
        if as_queries:
            vectors = np.concatenate([embedder.embed_query(window) for window in windows])
        else:
            vectors = embedder.embed_passages(windows)
        rows = np.empty((len(texts), embedder.dimension), dtype=np.float32)
        start = 0
        for row, of_text in enumerate(parts):
            end = start + len(of_text)
            rows[row] = _mean(vectors[start:end], [weight for _, weight in of_text])
            start = end
        return rows


def _windows(embedder: Embedder, text: str) -> list[tuple[str, int]]:
    """Pieces that the model reads whole, with their tokens."""
    (offsets,) = embedder.token_offsets([text])
    if len(offsets) <= embedder.window:
        return [(text, max(1, len(offsets)))]
    pieces = []
    for first in range(0, len(offsets), embedder.window):
        of_window = offsets[first : first + embedder.window]
        pieces.append((text[int(of_window[0][0]) : int(of_window[-1][1])], len(of_window)))
    return pieces


def _mean(vectors: Vectors, weights: Sequence[int]) -> Vectors:
    if len(weights) == 1:
        only: Vectors = vectors[0]
        return only
    mean: Vectors = np.average(vectors, axis=0, weights=weights).astype(np.float32)
    length = float(np.linalg.norm(mean))
    return mean / length if length else mean
