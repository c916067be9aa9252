"""Are the figures right? By hand, by their own laws, and through the command line."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shelf import page, push

from rag_service.assembly import assemble
from rag_service.errors import Invalid
from rag_service.evaluation import (
    Judged,
    ask,
    auroc,
    compare,
    evaluation,
    read_questions,
)

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
    lamp, tree, nothing = ask(filled.knowledge, asked, "default", "keyword")
    assert (lamp.ranks, lamp.ndcg) == ([1], 1.0)
    assert sorted(tree.ranks) == [1, 2]
    order = [
        hit.passage.source_url
        for hit in filled.knowledge.search("tree", "default", mode="keyword").hits
    ]
    gains = [{f"{URL}tree": 1, f"{URL}trees": 2}[url] for url in order]
    best = 2 + 1 / math.log2(3) + 1 / 2
    assert tree.ndcg == pytest.approx((gains[0] + gains[1] / math.log2(3)) / best)
    assert (nothing.answerable, nothing.ndcg, nothing.ranks) == (False, None, [])
    metrics = evaluation([lamp, tree, nothing], "default", "keyword").metrics
    assert metrics["Recall@5"] == pytest.approx((1 + 2 / 3) / 2, abs=1e-4)
    assert metrics["Hit@1"] == metrics["MRR@10"] == 1.0
    assert set(metrics) >= {"AUROC", "balanced accuracy", "calibration error"}


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


# -- on the command line ------------------------------------------------------------------------


@pytest.fixture
def asked(tmp_path, settings):
    with assemble(settings) as service:
        push(service, *(page(f"p{n}", f"Thing number{n} is kept in room{n}.") for n in range(30)))
    lines = [
        {"question": f"where is thing number{n} kept", "source_urls": [f"{URL}p{n}"]}
        for n in range(12)
    ] + [{"question": f"who paints the wall{n} at noon?"} for n in range(12)]
    path = tmp_path / "questions.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_evaluate_prints_json_and_compares(shell, asked, tmp_path):
    first = shell.quick("evaluate", str(asked))
    assert (first.exit_code, first.stderr) == (0, "")
    report = json.loads(first.stdout)
    assert (report["questions"], report["answerable"]) == (24, 12)
    assert report["metrics"]["Hit@1"] == 1.0
    assert report["metrics"]["AUROC"] > 0.9
    assert sum(one["questions"] for one in report["reliability"]) == 24
    assert report["comparison"] is None
    earlier = tmp_path / "earlier.json"
    earlier.write_text(first.stdout)
    second = shell.quick("evaluate", str(asked), "--against", str(earlier), "--mode", "keyword")
    compared = json.loads(second.stdout)["comparison"]
    assert compared["shared"] == 12
    assert compared["ndcg_difference"] == 0


def test_calibrate_changes_what_a_search_says(shell, asked):
    def sure() -> float:
        found = json.loads(shell.quick("search", "where is thing number3 kept").stdout)
        return found["confidence"]

    before = sure()
    done = json.loads(shell.quick("calibrate", str(asked)).stdout)
    assert done["after"]["calibration error"] < done["before"]["calibration error"]
    assert done["calibration"]["scale"] > 0
    assert sure() != before
    assert shell.quick("calibrate", "--reset").exit_code == 0
    assert sure() == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["evaluate", "FILE", "--bot", "nobody"], "no bot 'nobody'"),
        (["evaluate", "FILE", "--against", "FILE"], "rag-service evaluate --json"),
        (["evaluate", "missing.jsonl"], "missing.jsonl"),
        (["evaluate", "BAD"], "line 1: "),
        (["calibrate", "ONE"], "at least 10 questions"),
        (["calibrate"], "name a FILE"),
        (["calibrate", "FILE", "--reset"], "name a FILE"),
        (["calibrate", "--reset", "--bot", "nobody"], "no bot 'nobody'"),
    ],
)
def test_what_cannot_be_done_says_why(shell, asked, tmp_path, words, message):
    (tmp_path / "bad.jsonl").write_text("nonsense\n")
    (tmp_path / "one.jsonl").write_text('{"question": "one"}\n')
    files = {"FILE": asked, "BAD": tmp_path / "bad.jsonl", "ONE": tmp_path / "one.jsonl"}
    result = shell.quick(*(str(files.get(word, word)) for word in words))
    assert result.exit_code in (1, 2)
    assert message in result.stderr
    assert result.stdout == ""


def test_evaluate_on_a_terminal(shell, asked):
    code, shown = shell.on_a_terminal("evaluate", str(asked))
    assert code == 0
    assert "24 questions, 12 with an answer" in shown
    assert "nDCG@10" in shown
    assert "Is the confidence what it says?" in shown
