"""`evaluate` and `calibrate`."""

import json

import pytest
from shelf import page, push

from rag_service.assembly import assemble

URL = "https://example.com/"


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


def test_against_on_a_terminal_shows_what_moved(shell, asked, tmp_path):
    report = json.loads(shell.quick("evaluate", str(asked)).stdout)
    for one in report["per_question"][:9]:
        one |= {"ndcg": 0.5, "ranks": [3]}
    earlier = tmp_path / "earlier.json"
    earlier.write_text(json.dumps(report))
    code, shown = shell.on_a_terminal("evaluate", asked, "--against", earlier)
    assert code == 0
    assert "nDCG@10 moved by +0.3750 on the 12 questions of both runs: more than noise" in shown
    assert "+0.7500" in shown  # Hit@1
    assert "0.50 to 1.00" in shown
    assert "Worse" not in shown


def test_a_run_with_nothing_in_common_is_refused_before_anything_is_asked(shell, asked, tmp_path):
    earlier = tmp_path / "earlier.json"
    earlier.write_text(shell.quick("evaluate", str(asked)).stdout)
    other = tmp_path / "other.jsonl"
    other.write_text('{"question": "something else", "source_urls": ["u"]}\n')
    code, shown = shell.on_a_terminal("evaluate", other, "--against", earlier)
    assert code == 1
    assert "no question in common" in shown
    assert "Asking" not in shown


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
