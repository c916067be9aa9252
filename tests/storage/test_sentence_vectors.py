"""Are the vectors of sentences kept, and do samples tell what cosines mean among the chunks?"""

from contextlib import closing

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shelf import names, page, push

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import Service, assemble
from rag_service.knowledge.finding.scale import load_scale
from rag_service.knowledge.store import Evidence
from rag_service.models.embedders.hashing import HashingEmbedder
from rag_service.storage.sqlite.driver import sqlite3
from rag_service.storage.sqlite.embeddings import as_bytes, from_bytes
from rag_service.texts.sentences import spans

TEXT = "The lighthouse opens at nine in the morning. The harbour is closed on every Sunday of May."


@given(st.integers(0, 2**32 - 1), st.integers(0, 12), st.integers(2, 400))
def test_vectors_come_back_from_their_bytes_nearly_as_they_were(seed, count, dimension):
    vectors = np.random.default_rng(seed).standard_normal((count, dimension)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    blob = as_bytes(vectors)
    assert len(blob) == count * (dimension + 2)
    back = from_bytes(blob, dimension)
    assert (back.shape, back.dtype) == (vectors.shape, np.float32)
    largest = np.abs(vectors).max(axis=1, initial=0, keepdims=True)
    assert (np.abs(back - vectors) <= 0.005 * largest).all()


def seen(service: Service, query: str, bot_id: str = "default") -> Evidence | None:
    """What the store shows of a query."""
    embedder = HashingEmbedder("1024")
    shown: list[Evidence] = []

    def rank(evidence: Evidence) -> list[tuple[int, float]]:
        shown.append(evidence)
        assert evidence.sentences(list(evidence.scores)) is not None
        return []

    service.store.knowledge.search(
        ALL_BOTS,
        bot_id,
        vector=embedder.embed_query(query),
        query=query,
        probes=load_scale(embedder, service.settings.data_dir / "models").probes,
        depth=50,
        only=None,
        rank=rank,
    )
    return shown[-1] if shown else None


def test_the_levels_of_one_page_know_no_other_document(service):
    push(service, page("a", TEXT))
    levels = seen(service, "lighthouse").levels
    assert levels.kin is None
    assert -1 <= levels.reach <= 1


def test_an_unknown_bot_and_an_empty_one_show_nothing(service):
    assert seen(service, "lighthouse", "nobody") is None
    service.store.bots.create(ALL_BOTS, "empty")
    shown = seen(service, "lighthouse", "empty")
    assert shown is None or shown.scores == {}
    assert not service.knowledge.search(ALL_BOTS, "lighthouse", "empty").has_rag_context


def test_copies_of_a_page_are_as_near_to_each_other_as_can_be(service):
    push(service, *(page(f"copy{n}", TEXT) for n in range(3000)))
    levels = seen(service, "lighthouse").levels
    assert levels.kin == pytest.approx(1, abs=0.01)
    assert -1 <= levels.reach <= 1


def test_the_levels_follow_the_rows(service):
    push(service, page("a", TEXT))
    alone = seen(service, "lighthouse").levels
    push(service, *(page(f"p{n}", f"Notice {n} is about room {n}.") for n in range(40)))
    assert seen(service, "lighthouse").levels != alone
    service.knowledge.remove(ALL_BOTS, "default", [f"https://example.com/p{n}" for n in range(40)])
    assert seen(service, "lighthouse").levels == alone


def without_sentences(settings) -> None:
    """As the rows of a version that kept none."""
    with closing(sqlite3.connect(settings.data_dir / "rag.db")) as rows:
        rows.execute("update embeddings set sentences = null")
        rows.commit()


def sentence_counts(settings) -> list[int]:
    with closing(sqlite3.connect(settings.data_dir / "rag.db")) as rows:
        blobs = rows.execute("select sentences from embeddings order by id").fetchall()
    return [0 if blob is None else len(from_bytes(blob, 1024)) for (blob,) in blobs]


def test_rows_without_sentences_are_searched_and_a_changed_page_brings_them(settings):
    with assemble(settings) as service:
        push(service, page("a", TEXT), page("b", "Pumps are oiled once a year."))
    expected = sentence_counts(settings)
    assert expected[0] == len(spans(TEXT)) == 2
    without_sentences(settings)
    with assemble(settings) as service:
        assert names(service, "when does the lighthouse open")[0] == "a"
        assert service.knowledge.search(
            ALL_BOTS, "when does the lighthouse open", "default"
        ).evidence
        assert sentence_counts(settings) == [0, 0]
        push(service, page("a", TEXT, title=""), page("b", "Another text about the smith."))
        push(service, page("a", TEXT, content_type="faq"))
        assert sentence_counts(settings)[0] == 2
        assert names(service, "when does the lighthouse open")[0] == "a"
