"""A search tells how near each sentence of its best hits comes to the question."""

import pytest

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import Service
from rag_service.documents import Document
from rag_service.knowledge.finding.confidence import READ
from rag_service.knowledge.store import Mode

PAGE = """# Harbour

The harbour master opens the gate at six every morning of the year.

## Boats

A boat that is longer than twelve metres needs a berth of the outer basin.
Herons nest on the pier and must not be fed by anybody who moors there.
"""


def push(service: Service, name: str, content: str) -> None:
    page = Document(source_url=f"https://example.com/{name}", content=content, format="markdown")
    service.knowledge.upsert(ALL_BOTS, [page])


def test_the_sentence_that_was_asked_for_is_the_nearest(service: Service):
    push(service, "harbour", PAGE)
    hits = service.knowledge.search(ALL_BOTS, "herons nest on the pier", "default").hits
    told = [
        (one.nearness, hit.passage.text[one.start : one.end])
        for hit in hits
        for one in hit.sentences
    ]
    assert "Herons nest on the pier" in max(told)[1]


@pytest.mark.parametrize("mode", ["hybrid", "dense", "keyword"])
def test_spans_are_of_the_passages_text_in_order(service: Service, mode: Mode):
    push(service, "harbour", PAGE)
    for hit in service.knowledge.search(ALL_BOTS, "harbour gate", "default", mode=mode).hits:
        text = hit.passage.text
        ends = [0, *(one.end for one in hit.sentences)]
        for end, sentence in zip(ends, hit.sentences, strict=False):
            assert not text[end : sentence.start].strip()
            assert sentence.start < sentence.end
        assert ends[-1] == len(text)


def test_only_the_best_passages_are_read(service: Service):
    for number in range(READ + 3):
        push(service, str(number), f"The heron number {number} sits on the pier.")
    hits = service.knowledge.search(ALL_BOTS, "heron pier", "default", k=READ + 3).hits
    assert [bool(hit.sentences) for hit in hits] == [True] * READ + [False] * 3
