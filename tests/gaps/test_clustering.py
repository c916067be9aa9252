"""Questions that mean the same come together, keep their label, and none is lost."""

import random
from collections.abc import Iterable, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_service.gaps.clustering import Clustering
from rag_service.gaps.wordings import Question
from rag_service.knowledge.embedder import Embedder
from rag_service.knowledge.finding.scale import Scale, load_scale
from rag_service.models.embedders import load_embedder
from rag_service.models.embedders.hashing import HashingEmbedder

HASHING = HashingEmbedder("64")
THINGS = ["refund", "password", "invoice", "printer", "parcel", "holiday"]
VOCABULARY = [*THINGS, "E42", "E43", "Berlin", "Paris", "11", "12"]
TEXTS = st.lists(st.sampled_from(VOCABULARY), min_size=1, max_size=4).map(" ".join)


@pytest.fixture(scope="module")
def hashing_scale(tmp_path_factory: pytest.TempPathFactory) -> Scale:
    return load_scale(HASHING, tmp_path_factory.mktemp("scale"))


@pytest.fixture(scope="module")
def minilm(compiled: Path) -> Embedder:
    return load_embedder("all-MiniLM-L6-v2", compiled)


@pytest.fixture(scope="module")
def minilm_scale(minilm: Embedder, compiled: Path) -> Scale:
    return load_scale(minilm, compiled)


def asked(embedder: Embedder, texts: Sequence[str]) -> list[Question]:
    return [
        Question(id=number, text=text, vector=embedder.embed_query(text)[0])
        for number, text in enumerate(texts)
    ]


def grouped(scale: Scale, questions: Iterable[Question]) -> Clustering:
    clustering = Clustering(scale)
    for question in questions:
        clustering.add(question)
    clustering.recluster()
    return clustering


def groups(clustering: Clustering) -> set[frozenset[int]]:
    return {frozenset(clustering.members(label)) for label in clustering.labels}


# -- for all questions ---------------------------------------------------------------------------


@given(st.lists(TEXTS, max_size=25), st.randoms(use_true_random=False), st.data())
def test_no_question_is_lost_or_in_two_clusters(hashing_scale, texts, chance, data):
    questions = asked(HASHING, texts)
    clustering, present = Clustering(hashing_scale), set()
    for question in questions:
        clustering.add(question)
        present.add(question.id)
        match chance.randrange(4):
            case 0:
                clustering.recluster()
            case 1:
                gone = data.draw(st.sampled_from(sorted(present)))
                clustering.remove([gone])
                present.remove(gone)
        members = [one for label in clustering.labels for one in clustering.members(label)]
        assert sorted(members) == sorted(present)
        assert len(clustering) == len(present)
        assert all(one in clustering.members(clustering.label_of(one)) for one in present)
        for label in clustering.labels:
            assert clustering.title_of(label) in clustering.members(label)


@settings(max_examples=40)
@given(st.lists(TEXTS, min_size=1, max_size=25), st.randoms(use_true_random=False))
def test_groups_do_not_depend_on_the_order_of_the_questions(hashing_scale, texts, chance):
    questions = asked(HASHING, texts)
    shuffled = chance.sample(questions, len(questions))
    assert groups(grouped(hashing_scale, questions)) == groups(grouped(hashing_scale, shuffled))


@given(st.lists(TEXTS, min_size=1, max_size=25))
def test_what_is_said_of_a_regrouping_is_what_happened(hashing_scale, texts):
    questions = asked(HASHING, texts)
    clustering = Clustering(hashing_scale)
    before = {question.id: clustering.add(question) for question in questions}
    regrouped = clustering.recluster()
    after = {question.id: clustering.label_of(question.id) for question in questions}
    assert regrouped.labels == after
    assert regrouped.moved == {
        one: (before[one], after[one]) for one in after if before[one] != after[one]
    }
    assert regrouped.merged.keys() == set(before.values()) - set(after.values())
    assert set(regrouped.merged.values()) <= set(after.values())


@given(st.lists(TEXTS, min_size=1, max_size=25))
def test_grouping_again_changes_nothing(hashing_scale, texts):
    clustering = grouped(hashing_scale, asked(HASHING, texts))
    again = clustering.recluster()
    assert (again.moved, again.merged) == ({}, {})


@given(st.lists(TEXTS, min_size=1, max_size=20), st.sampled_from(["{}?", " {}  ", "{} ?!", "{}."]))
def test_texts_that_differ_in_case_and_marks_alone_are_together(hashing_scale, texts, form):
    twins = [form.format(text.upper()) for text in texts]
    questions = asked(HASHING, texts + twins)
    joined = Clustering(hashing_scale)
    for question in questions:
        joined.add(question)
    for clustering in (joined, grouped(hashing_scale, questions)):
        for one, other in zip(range(len(texts)), range(len(texts), 2 * len(texts)), strict=True):
            assert clustering.label_of(one) == clustering.label_of(other)


@given(st.lists(TEXTS, min_size=1, max_size=25), st.randoms(use_true_random=False))
def test_other_codes_are_never_together(hashing_scale, texts, chance):
    questions = asked(HASHING, texts)
    clustering = Clustering(hashing_scale)
    for question in questions:
        clustering.add(question)
        if chance.random() < 0.2:
            clustering.recluster()
    for label in clustering.labels:
        codes = {
            frozenset({"E42", "E43"} & set(texts[one].split())) for one in clustering.members(label)
        } - {frozenset()}
        assert len(codes) <= 1


@given(st.lists(TEXTS, min_size=1, max_size=25), st.data())
def test_what_is_restored_has_its_labels(hashing_scale, texts, data):
    questions = asked(HASHING, texts)
    labels = [data.draw(st.integers(1, 5)) for _ in questions]
    clustering = Clustering(hashing_scale)
    clustering.restore(zip(questions, labels, strict=True))
    assert [clustering.label_of(question.id) for question in questions] == labels
    assert clustering.add(asked(HASHING, [*texts, "a thing never asked"])[-1]) not in labels


@given(st.lists(TEXTS, min_size=2, max_size=25), st.data())
def test_settled_clusters_stay_and_whole_ones_are_not_torn(hashing_scale, texts, data):
    questions = asked(HASHING, texts)
    labels = [data.draw(st.integers(1, 6)) for _ in questions]
    clustering = Clustering(hashing_scale)
    clustering.restore(zip(questions, labels, strict=True))
    settled, whole = {1, 2}, {3, 4}
    before = {label: clustering.members(label) for label in clustering.labels}
    clustering.recluster(settled=settled, whole=whole)
    for label in settled & before.keys():
        assert clustering.members(label) == before[label]
    for label in whole & before.keys():
        assert len({clustering.label_of(one) for one in before[label]}) == 1


# -- one by one ----------------------------------------------------------------------------------


def test_a_question_that_is_known_stays(hashing_scale):
    clustering = Clustering(hashing_scale)
    question = asked(HASHING, ["refund of a parcel"])[0]
    assert clustering.add(question) == clustering.add(question)
    assert len(clustering) == 1


def test_clusters_get_the_labels_that_they_are_given(hashing_scale):
    clustering = Clustering(hashing_scale)
    first, second, third = (
        clustering.add(question)
        for question in asked(HASHING, ["refund of a parcel", "printer has jammed", "holiday pay"])
    )
    clustering.rename({first: 7, second: 8})
    assert (clustering.members(7), clustering.members(8), clustering.members(third)) == (
        [0],
        [1],
        [2],
    )
    clustering.rename({8: 7, third: 9})
    assert {label: clustering.members(label) for label in clustering.labels} == {7: [0, 1], 9: [2]}
    clustering.rename({7: 9, 9: 7})
    assert {label: clustering.members(label) for label in clustering.labels} == {9: [0, 1], 7: [2]}


def test_a_cluster_whose_questions_went_is_gone(hashing_scale):
    clustering = Clustering(hashing_scale)
    label = clustering.add(asked(HASHING, ["refund of a parcel"])[0])
    clustering.remove([0, 99])
    assert (clustering.labels, len(clustering)) == ([], 0)
    assert clustering.add(asked(HASHING, ["refund of a parcel"])[0]) != label


def test_nothing_asked_is_grouped_into_nothing(hashing_scale):
    clustering = Clustering(hashing_scale)
    assert not clustering.is_due
    assert clustering.recluster().labels == {}


def test_grouping_is_due_when_an_eighth_is_new(hashing_scale):
    clustering = Clustering(hashing_scale)
    questions = asked(HASHING, [f"subject{number} word{number}" for number in range(20)])
    for question in questions[:16]:
        clustering.add(question)
    assert clustering.is_due
    clustering.recluster()
    for question in questions[16:18]:
        clustering.add(question)
    assert not clustering.is_due
    clustering.add(questions[18])
    assert clustering.is_due


@pytest.mark.parametrize("text", ["", " ", "???", "!", "\x00", "\ud83d", "x" * 20_000, "如何退款"])
def test_any_text_finds_a_cluster(hashing_scale, text):
    clustering = Clustering(hashing_scale)
    vector = HASHING.embed_query("x")[0]
    label = clustering.add(Question(id=1, text=text, vector=vector))
    clustering.recluster()
    assert clustering.members(label) == [1]


# -- by meaning ----------------------------------------------------------------------------------

TOGETHER = [
    [
        "How do I reset my password?",
        "I forgot my password, how can I get a new one?",
        "password reset not working",
        "cannot log in because I lost my password",
    ],
    [
        "Do you ship to Canada?",
        "can you deliver my order to canada",
        "Is shipping to Canada possible?",
    ],
    [
        "How can I get a refund?",
        "I want my money back",
        "What is your refund policy?",
    ],
    [
        "What are your opening hours?",
        "When are you open?",
        "until when is the shop open today",
    ],
]
APART = [
    ("How do I fix error E42?", "How do I fix error E43?"),
    ("What is the price of part AX-1005-B?", "What is the price of part AX-1003-B?"),
    ("How much is the Pro plan?", "How much is the Enterprise plan?"),
    ("Is there a projector in room 11?", "Is there a projector in room 12?"),
    ("Do you ship to Canada?", "Do you ship to Norway?"),
    ("How do I connect PayPal?", "How do I connect Klarna?"),
    ("How do I install it on Windows 10?", "How do I install it on Windows 11?"),
    ("Are you open on Monday?", "Are you open on Sunday?"),
    ("How do I cancel my subscription?", "Can I try it for free?"),
    ("What is the capital of Mongolia?", "How do I return my shoes?"),
]


@pytest.mark.parametrize("seed", range(3))
def test_ways_to_ask_the_same_come_together(minilm, minilm_scale, seed):
    texts = [text for group in TOGETHER for text in group]
    order = random.Random(seed).sample(asked(minilm, texts), len(texts))
    clustering = grouped(minilm_scale, order)
    found = {frozenset(texts[one] for one in group) for group in groups(clustering)}
    assert found == {frozenset(group) for group in TOGETHER}


def test_one_subject_that_is_asked_alone_is_one_cluster(minilm, minilm_scale):
    clustering = grouped(minilm_scale, asked(minilm, TOGETHER[0]))
    assert len(clustering.labels) == 1


@pytest.mark.parametrize("regroup", [False, True])
def test_what_only_sounds_alike_is_kept_apart(minilm, minilm_scale, regroup):
    texts = [text for pair in APART for text in pair]
    clustering = Clustering(minilm_scale)
    for question in asked(minilm, texts):
        clustering.add(question)
    if regroup:
        clustering.recluster()
    together = {
        (texts[one], texts[other])
        for group in groups(clustering)
        for one, other in combinations(sorted(group), 2)
    }
    assert together == set()


def test_the_title_is_a_question_in_the_middle(minilm, minilm_scale):
    texts = [
        "my aunt in the country wonders whether you would post things to canada one day",
        "Do you ship to Canada?",
        "can you ship to canada",
        "is shipping to Canada possible",
    ]
    clustering = Clustering(minilm_scale)
    clustering.restore((question, 1) for question in asked(minilm, texts))
    assert clustering.title_of(1) != 0


def test_a_meaning_in_other_words_joins_at_once(minilm, minilm_scale):
    clustering = grouped(minilm_scale, asked(minilm, [t for group in TOGETHER for t in group]))
    text = "please help me, I need to reset my password"
    new = Question(id=99, text=text, vector=minilm.embed_query(text)[0])
    assert clustering.add(new) == clustering.label_of(0)
    assert np.array_equal(new.vector, minilm.embed_query(text)[0])
