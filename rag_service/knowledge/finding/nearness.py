"""How near each sentence of a passage comes to the question, by the vectors kept of them. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from rag_service.documents import Passage
from rag_service.knowledge.finding.scale import Scale
from rag_service.knowledge.store import Evidence
from rag_service.texts.sentences import NearSpan, spans


class Closeness(NamedTuple):
    """Characters [start, end) of a passage as it was embedded, and their cosine to the question."""

    start: int
    end: int
    cosine: float


def sentence_cosines(evidence: Evidence, chunks: Sequence[int]) -> dict[int, list[Closeness]]:
    """Of those candidates, in reading order; of the whole passage where none are kept."""
    vectors = evidence.sentences(chunks)
    found = {}
    for chunk, candidate in evidence.read(chunks).items():
        text = candidate.passage.embedded_text
        places = spans(text)
        kept = vectors.get(chunk)
        if kept is None or len(kept) != len(places) or not places:
            found[chunk] = [Closeness(0, len(text), evidence.scores[chunk].dense)]
        else:
            cosines = (kept @ evidence.vector[0]).tolist()
            found[chunk] = [Closeness(*at, cos) for at, cos in zip(places, cosines, strict=True)]
    return found


def near_spans(passage: Passage, cosines: Iterable[Closeness], scale: Scale) -> list[NearSpan]:
    """In characters of the passage's text, without what is only of its title and heading."""
    above = len(passage.embedded_text) - len(passage.text)
    return [
        NearSpan(max(0, one.start - above), one.end - above, float(scale.nearness(one.cosine)))
        for one in cosines
        if one.end > above
    ]


Cosines = Mapping[int, Sequence[Closeness]]
