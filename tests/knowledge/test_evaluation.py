"""Are the figures right? By hand, and by their own laws."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from shelf import page, push

from rag_service.access.scope import ALL_BOTS
from rag_service.errors import Invalid
from rag_service.knowledge.evaluation import Judged, ask, auroc, compare, evaluation, ndcg
from rag_service.knowledge.questions import read_questions

URL = "https://example.com/"


def questions(*lines):
    return read_questions([json.dumps(line).encode() for line in lines])


@pytest.fixture
def filled(service):
    push(
        service,
        page("tree", "The tree stands."),
        page("trees", "The tree and the tree."),
        page("lamp", "The lamp shines."),
        page("house", "The house is old."),
    )
    return service


def judged(number=0, *, ndcg=1.0, confidence=0.9, answerable=True, ranks=(1,), relevant=1):
    return Judged(
        id=str(number),
        query=f"q{number}",
        answerable=answerable,
        confidence=confidence,
        has_rag_context=confidence >= 0.5,
        log_odds=0.0,
        relevant=relevant if answerable else 0,
        ranks=list(ranks) if answerable else [],
        ndcg=ndcg if answerable else None,
    )


def test_a_run_counts_each_document_once_and_weighs_grades(filled):
    asked = questions(
        {"question": "lamp", "source_urls": f"{URL}lamp"},
        {"question": "tree", "source_urls": {f"{URL}tree": 1, f"{URL}trees": 2, f"{URL}gone": 1}},
        {"question": "something else", "source_urls": []},
    )
    lamp, tree, nothing = ask(filled.knowledge, ALL_BOTS, asked, "default", "keyword")
    assert (lamp.ranks, lamp.ndcg) == ([1], 1.0)
    assert sorted(tree.ranks) == [1, 2]
    order = [
        hit.passage.source_url
        for hit in filled.knowledge.search(ALL_BOTS, "tree", "default", mode="keyword").hits
    ]
    gains = [{f"{URL}tree": 1, f"{URL}trees": 2}[url] for url in order]
    best = 2 + 1 / math.log2(3) + 1 / 2
    assert tree.ndcg == pytest.approx((gains[0] + gains[1] / math.log2(3)) / best)
    assert (nothing.answerable, nothing.ndcg, nothing.ranks) == (False, None, [])
    metrics = evaluation([lamp, tree, nothing], "default", "keyword").metrics
    assert metrics["Recall@5"] == pytest.approx((1 + 2 / 3) / 2, abs=1e-4)
    assert metrics["Hit@1"] == metrics["MRR@10"] == 1.0
    assert set(metrics) >= {"AUROC", "balanced accuracy", "calibration error"}


def test_ranking_by_hand():
    run = [
        judged(0, ranks=(1, 4), relevant=2),
        judged(1, ranks=(7,), relevant=4),
        judged(2, ranks=(), ndcg=0.0),
        judged(3, answerable=False),
    ]
    assert evaluation(run[:3], "b", "hybrid").metrics == {
        "nDCG@10": 0.6667,
        "Recall@1": pytest.approx(0.5 / 3, abs=1e-4),
        "Recall@5": pytest.approx(1 / 3, abs=1e-4),
        "Recall@10": pytest.approx(1.25 / 3, abs=1e-4),
        "MRR@10": pytest.approx((1 + 1 / 7) / 3, abs=1e-4),
        "Hit@1": pytest.approx(1 / 3, abs=1e-4),
        "Hit@5": pytest.approx(1 / 3, abs=1e-4),
        "Hit@10": pytest.approx(2 / 3, abs=1e-4),
    }
    assert evaluation(run, "b", "hybrid").metrics["nDCG@10"] == 0.6667


@given(
    st.dictionaries(st.text(max_size=3), st.integers(1, 5), min_size=1, max_size=15),
    st.randoms(use_true_random=False),
    st.integers(0, 10),
)
def test_ndcg_is_a_share_of_the_best_order(relevant, choice, strangers):
    best = sorted(relevant.values(), reverse=True)[:10]
    assert ndcg(best, relevant) == pytest.approx(1)
    gains = [*relevant.values(), *[0] * strangers]
    choice.shuffle(gains)
    value = ndcg(gains[:10], relevant)
    assert 0 <= value <= 1 + 1e-9
    assert (value == 0) is not any(gains[:10])
    assert ndcg(sorted(gains[:10], reverse=True), relevant) >= value - 1e-9


def test_sureness_by_hand():
    run = [
        judged(0, confidence=0.95),
        judged(1, confidence=0.75),
        judged(2, confidence=0.35),
        judged(3, confidence=0.75, answerable=False),
        judged(4, confidence=0.05, answerable=False),
    ]
    found = evaluation(run, "b", "hybrid")
    assert found.metrics["AUROC"] == pytest.approx((1 + 1 + 0.5 + 1 + 0 + 1) / 6, abs=1e-4)
    assert found.metrics["balanced accuracy"] == pytest.approx((2 / 3 + 1 / 2) / 2, abs=1e-4)
    wrong = abs(0.95 - 1) + 2 * abs(0.75 - 0.5) + abs(0.35 - 1) + abs(0.05 - 0)
    assert found.metrics["calibration error"] == pytest.approx(wrong / 5, abs=1e-4)
    assert [(one.at_least, one.questions) for one in found.reliability] == [
        (0.0, 1),
        (0.3, 1),
        (0.7, 2),
        (0.9, 1),
    ]
    assert "AUROC" not in evaluation(run[:3], "b", "hybrid").metrics
    assert evaluation(run[3:], "b", "hybrid").metrics == {}


@given(
    st.lists(st.tuples(st.integers(-50, 50), st.booleans()), min_size=2, max_size=50).filter(
        lambda pairs: len({truth for _, truth in pairs}) == 2
    )
)
def test_auroc_asks_for_the_order_only(pairs):
    scores, truth = zip(*pairs, strict=True)
    value = auroc(scores, truth)
    assert 0 <= value <= 1
    assert auroc([score * 3 + 7 for score in scores], truth) == value
    assert auroc([-score for score in scores], truth) == pytest.approx(1 - value)
    pairs_won = [
        1.0 if a > b else 0.5 if a == b else 0.0
        for a, is_true in pairs
        if is_true
        for b, is_other in pairs
        if not is_other
    ]
    assert value == pytest.approx(sum(pairs_won) / len(pairs_won))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "JSON"),
        (b"[]", "not a JSON object"),
        (b'{"source_urls": []}', "`question`"),
        (b'{"question": " "}', "`question`"),
        (b'{"question": "q", "source_urls": 5}', "`source_urls`"),
        (b'{"question": "q", "source_urls": [5]}', "`source_urls`"),
        (b'{"question": "q", "source_urls": {"u": -1}}', "not negative"),
        (b'{"question": "q", "source_urls": {"u": "a"}}', "not negative"),
        (b'{"question": "q", "source_urls": [" "]}', "blank"),
        (b'{"question": "q", "source_urls": "u", "answerable": 0}', "`answerable`"),
        (b'{"question": "q", "id": [1]}', "`id`"),
        (b'{"question": "\xe9"}', "UTF-8"),
        (b'{"question": "q", "id": 1}', "there twice"),
    ],
)
def test_a_bad_line_is_named(line, reason):
    with pytest.raises(Invalid, match=r"line 3: ") as raised:
        read_questions([b'{"question": "first", "id": 1}', b"", line])
    assert reason in str(raised.value)


def test_a_file_without_questions_is_refused():
    with pytest.raises(Invalid, match="no questions"):
        read_questions([b"\n", b"  "])


def test_other_names_and_grades_of_nothing():
    one, two, three = questions(
        {"text": "a", "urls": ["u", " v "]},
        {"query": "b", "relevant": {"u": 0}},
        {"question": "c", "source_url": "u", "answerable": False},
    )
    assert one.relevant == {"u": 1.0, "v": 1.0}
    assert two.relevant == three.relevant == {}
    assert [one.id, two.id, three.id] == ["1", "2", "3"]


def test_two_runs_are_compared_on_what_they_share():
    before = evaluation([judged(n, ndcg=0.5 + n % 2 / 100) for n in range(20)], "b", "hybrid")
    after = evaluation([judged(n, ndcg=0.8 + n % 3 / 100) for n in range(5, 30)], "b", "hybrid")
    found = compare(before, after)
    assert found.shared == 15
    assert found.ndcg_difference == pytest.approx(0.305, abs=0.01)
    assert found.means_something
    assert (len(found.better), found.worse) == (10, [])
    same = compare(before, before)
    assert (same.ndcg_difference, same.means_something, same.better) == (0, False, [])
    with pytest.raises(Invalid, match="share no question"):
        compare(before, evaluation([judged(99)], "b", "hybrid"))


def test_runs_are_compared_by_question_and_not_by_line():
    before = evaluation([judged(n, ndcg=n % 2) for n in range(6)], "b", "hybrid")
    moved = [replace(judged(n, ndcg=n % 2), id=str(n + 1)) for n in range(6)]
    new = replace(judged(0, ndcg=0.0), query="another question")
    found = compare(before, evaluation([new, *moved], "b", "hybrid"))
    assert (found.shared, found.ndcg_difference, found.better, found.worse) == (6, 0, [], [])
    assert {one.difference for one in found.changes} == {0}


def test_few_questions_prove_little():
    def run(*values):
        judgements = [judged(n, ndcg=value) for n, value in enumerate(values)]
        return evaluation(judgements, "b", "hybrid")

    found = compare(run(0.1, 0.2, 0.3), run(0.2, 0.4, 0.7))
    assert found.ndcg_difference == pytest.approx(0.2333, abs=1e-4)
    assert found.noise == pytest.approx(4.3027 * 0.152753 / 3**0.5, abs=1e-4)  # t, two degrees
    assert not found.means_something
    assert not compare(run(0.0), run(1.0)).means_something
