"""How near each sentence of a passage comes to the question, by the vectors kept of them. Pure."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from rag_service.documents import Passage
from rag_service.scale import Scale
from rag_service.sentences import NearSpan, spans
from rag_service.stores import Evidence


def sentence_nearness(
    evidence: Evidence, chunks: Sequence[int], scale: Scale
) -> dict[str, list[NearSpan]]:
    """By chunk id, the spans of those candidates' texts; as a whole where none are kept."""
    vectors = evidence.sentences(chunks)
    return {
        candidate.passage.chunk_id: list(
            _near_spans(
                candidate.passage,
                vectors.get(chunk),
                evidence.vector[0],
                scale,
                evidence.scores[chunk].dense,
            )
        )
        for chunk, candidate in evidence.read(chunks).items()
    }


def _near_spans(
    passage: Passage,
    vectors: NDArray[np.float32] | None,
    query: NDArray[np.float32],
    scale: Scale,
    whole: float,
) -> Iterator[NearSpan]:
    """The text was embedded below its title and heading, and so were the spans cut."""
    places = spans(passage.embedded_text)
    if vectors is None or len(vectors) != len(places):
        yield NearSpan(0, len(passage.text), float(scale.nearness(whole)))
        return
    above = len(passage.embedded_text) - len(passage.text)
    for (start, end), cosine in zip(places, vectors @ query, strict=True):
        if end > above:
            yield NearSpan(max(0, start - above), end - above, float(scale.nearness(cosine)))
