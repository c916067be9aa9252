"""What comes first, and how sure we are: through the knowledge base, and over made-up evidence."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from shelf import CountingEmbedder, knowledge_with, names, page, push

from rag_service.access.scope import ALL_BOTS
from rag_service.documents import Passage
from rag_service.knowledge.embedder import Offsets
from rag_service.knowledge.finding.confidence import READ, fit, probability, signs, weigh
from rag_service.knowledge.finding.nearness import sentence_cosines
from rag_service.knowledge.finding.ranking import rank
from rag_service.knowledge.finding.scale import Scale
from rag_service.knowledge.store import Calibration, Candidate, Evidence, Levels, Scores
from rag_service.models.embedders.hashing import HashingEmbedder

FILLER = [page(f"filler{n}", f"Notice {n} tells nothing of what anybody wants.") for n in range(30)]


def test_words_that_stand_together_come_before_the_same_words_apart(service):
    apart = "The password of this building is kept by a porter. Some want a reset of their lives."
    together = "Some people want a password reset. A porter keeps the building and their lives."
    push(service, page("apart", apart), page("together", together), *FILLER)
    assert names(service, "password reset", k=2) == ["together", "apart"]


def test_covering_the_question_comes_before_repeating_a_part_of_it(service):
    push(
        service,
        page(
            "repeats",
            "Invoices are what this is about: who writes invoices, and who reads invoices.",
        ),
        page("covers", "Invoices in Norway are sent by the branch that took the order there."),
        *FILLER,
    )
    assert names(service, "invoices Norway", k=2) == ["covers", "repeats"]


def test_a_part_number_is_found_among_pages_that_read_alike(service):
    parts = [
        page(f"XR-{n}", f"The pump XR-{n} fits the old frame and the new one.")
        for n in range(4700, 4740)
    ]
    push(service, *parts)
    for mode in ("hybrid", "keyword"):
        assert names(service, "does pump XR-4711 fit", mode, k=1) == ["XR-4711"]


def test_by_document_shows_each_once_with_its_best_passage(service):
    long = "\n\n".join(
        f"# Part {n}\n\nThe harbour opens at {n}. " + "Sand. " * 40 for n in range(6)
    )
    push(service, page("long", long), page("short", "The harbour opens at dawn."), *FILLER)
    chunks = names(service, "when does the harbour open", k=8)
    assert chunks.count("long") > 1
    documents = names(service, "when does the harbour open", k=8, by_document=True)
    assert len(set(documents)) == len(documents) == 8
    assert set(documents[:2]) == {"long", "short"}
    best = {name: chunks.index(name) for name in ("long", "short")}
    assert documents[:2] == sorted(best, key=lambda name: best[name])


class TwoPieces(CountingEmbedder):
    """To its tokenizer every long word is strange."""

    def token_offsets(self, texts: Sequence[str]) -> list[Offsets]:
        return [
            np.array([[0, 1], [1, len(text)]] if len(text) > 3 and " " not in text else [[0, 1]])
            for text in texts
        ]


@pytest.mark.parametrize("asked", ["ligthouse", "lighthose", "lighthouuse", "lighthouze"])
def test_a_mistyped_word_is_found_in_every_mode(service, asked):
    push(service, page("light", "Our Lighthouse is open."), page("other", "Nothing here."), *FILLER)
    knowledge = knowledge_with(service, TwoPieces(HashingEmbedder("1024")))
    for mode in ("hybrid", "keyword", "dense"):
        found = knowledge.search(ALL_BOTS, f"{asked}?", "default", mode=mode, k=1)
        assert [hit.passage.source_url for hit in found.hits] == ["https://example.com/light"]
        assert found.query == f"{asked}?"
        assert found.searched_as == "Lighthouse?"


def test_only_words_that_no_chunk_has_are_respelled(service):
    push(service, page("a", "Lighthouse and Lighthouses, appointment, cod, ship."))
    push(service, page("gone", "Harbour."))
    service.knowledge.remove(ALL_BOTS, "default", ["https://example.com/gone"])
    asked = [
        "lighthouses",
        "lighthose",
        "appointmnet",
        "code",
        "xhip",
        "harbor",
        "灯塔开放时间",
        "42nd",
    ]
    assert service.store.knowledge.respell(ALL_BOTS, "default", asked) == {
        "lighthose": "Lighthouse",
        "appointmnet": "appointment",
    }
    assert service.store.knowledge.respell(ALL_BOTS, "nobody", asked) == {}


def test_what_was_sealed_is_respelled_as_well(service):
    push(service, page("a", "Lighthouse."))
    service.store.views.seal("default", share=0)
    push(service, page("b", "Appointment."))
    asked = ["lighthose", "appointmnet"]
    assert list(service.store.knowledge.respell(ALL_BOTS, "default", asked)) == asked


# -- over any evidence ----------------------------------------------------------------------------


@st.composite
def evidence(draw: st.DrawFn) -> Evidence:
    count = draw(st.integers(0, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    vectors = rng.standard_normal((count + 1, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    words = ["tree", "house", "lamp", "the"]
    passages = {
        chunk: Candidate(
            passage=Passage(
                chunk_id=str(chunk),
                document_id=str(chunk // 3),
                source_url="https://e.com",
                title="",
                heading="",
                page=None,
                text=" ".join(rng.choice(words, 12)),
                ordinal=0,
            ),
            vector=vectors[chunk],
        )
        for chunk in range(count)
    }
    keyword = rng.exponential(5, count) * (rng.random(count) < 0.5)
    query = vectors[count:]
    return Evidence(
        seen=0,
        scores={c: Scores(float(vectors[c] @ query[0]), float(keyword[c])) for c in range(count)},
        vector=query,
        terms=["tree", "lamp"],
        idf={"tree": 3.0, "lamp": 1.5},
        absent=frozenset({"tree", "lamp"}) if not count else frozenset(),
        chunks=count,
        levels=Levels(reach=0.3, kin=0.4),
        calibration=Calibration(),
        cut=str.split,
        read=lambda chunks: {chunk: passages[chunk] for chunk in chunks},
        sentences=lambda chunks: {},
    )


SCALE = Scale(chance=0.0, answer=0.7, probes=np.eye(8, dtype=np.float32))


@given(evidence(), st.sampled_from(["hybrid", "dense", "keyword"]), st.integers(1, 100))
def test_scores_fall_from_the_first_to_the_last(seen, mode, k):
    ranked = rank(seen, SCALE, mode, k)
    scores = [score for _, score in ranked]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    chunks = [chunk for chunk, _ in ranked]
    assert len(set(chunks)) == len(chunks) <= k
    wanted = [c for c, s in seen.scores.items() if mode != "keyword" or s.keyword > 0]
    assert len(chunks) == min(k, len(wanted))
    if mode == "dense":
        raw = [seen.scores[chunk].dense for chunk in chunks]
        assert raw == sorted(raw, reverse=True)
    documents = rank(seen, SCALE, mode, k, by_document=True)
    assert len({chunk // 3 for chunk, _ in documents}) == len(documents)
    of_documents = [score for _, score in documents]
    assert of_documents == sorted(of_documents, reverse=True)
    assert of_documents[:1] >= scores[:1]  # the next best chunks of a document count for it


@given(evidence().filter(lambda seen: seen.scores))
def test_confidence_is_a_probability_that_grows_with_the_best_cosine(seen):
    first = [chunk for chunk, _ in rank(seen, SCALE, "hybrid", READ)]

    def odds(evidence: Evidence) -> float:
        cosines = sentence_cosines(evidence, first)
        return weigh(signs("tree lamp", evidence, cosines, SCALE, 1.0)).log_odds

    sure = odds(seen)
    assert 0 <= probability(sure, seen.calibration) <= 1
    best = max(first, key=lambda chunk: seen.scores[chunk].dense)
    nearer = {**seen.scores, best: Scores(1.0, seen.scores[best].keyword)}
    assert odds(structs.replace(seen, scores=nearer)) >= sure


@given(
    st.lists(st.tuples(st.floats(-20, 20), st.booleans()), min_size=1, max_size=80),
)
def test_a_calibration_keeps_the_order_and_is_nearer_to_the_truth(labelled):
    odds, truth = zip(*labelled, strict=True)
    found = fit(odds, truth)
    assert found.scale > 0
    sure = [probability(value, found) for value in sorted(odds)]
    assert sure == sorted(sure)

    def unlikely(calibration: Calibration) -> float:
        values = (probability(value, calibration) for value in odds)
        return -sum(
            math.log(max(p if is_true else 1 - p, 1e-22))
            for p, is_true in zip(values, truth, strict=True)
        )

    assert unlikely(found) <= unlikely(Calibration()) + 1e-3


def test_few_questions_move_a_calibration_little_and_many_a_lot():
    doubtful = [(-1.0, True), (-2.0, False)]
    few, many = (fit(*zip(*(doubtful * times), strict=True)) for times in (1, 200))
    assert abs(few.shift) < abs(many.shift)
    assert probability(-1.0, few) < 0.5 < probability(-1.0, many)
    assert probability(-2.0, many) < 0.5
