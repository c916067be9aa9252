"""`evaluate` and `calibrate`."""

import json
import math

import pytest
from shelf import page, push

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import assemble
from rag_service.knowledge.store import Calibration

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


@pytest.fixture
def doubtful(tmp_path, asked):
    """Half of the questions that look answered are not, by the judgement of their owner."""
    lines = [
        {
            "question": f"where is thing number{n} kept",
            "source_urls": [f"{URL}p{n}"] if n % 2 else [],
        }
        for n in range(30)
    ]
    path = tmp_path / "doubtful.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_calibrate_changes_what_a_search_says(shell, doubtful):
    def searched() -> dict:
        return json.loads(shell.quick("search", "which room has number7", "--explain").stdout)

    before = searched()
    assert before["evidence"]["calibration"] is None
    done = json.loads(shell.quick("calibrate", str(doubtful)).stdout)
    assert done["calibration"]["scale"] > 0
    assert done["after"]["calibration error"] < done["before"]["calibration error"]
    after = searched()
    assert after["evidence"]["log_odds"] == before["evidence"]["log_odds"]
    assert after["evidence"]["calibration"] == done["calibration"]
    odds = done["calibration"]["scale"] * after["evidence"]["log_odds"]
    odds += done["calibration"]["shift"]
    assert after["confidence"] == pytest.approx(1 / (1 + math.exp(-odds)), abs=2e-4)
    assert after["confidence"] != before["confidence"]
    assert shell.quick("calibrate", "--reset").exit_code == 0
    assert searched() == before


def test_what_calibrate_says_of_afterwards_is_what_evaluate_measures_then(shell, asked):
    with asked.open("a") as lines:  # small talk is judged by itself, whatever the evidence
        lines.write('{"question": "Thank you!"}\n{"question": "hello"}\n')
    done = json.loads(shell.quick("calibrate", str(asked)).stdout)
    report = json.loads(shell.quick("evaluate", str(asked)).stdout)
    assert {name: report["metrics"][name] for name in done["after"]} == done["after"]
    assert all(
        (one["confidence"], one["has_rag_context"]) == (0, False)
        for one in report["per_question"][-2:]
    )


def test_a_calibration_of_another_model_is_told_not_applied_and_replaced(shell, asked, settings):
    search = ["search", "which room has number7", "--explain"]
    before = json.loads(shell.quick(*search).stdout)
    for made_with in ("another-model@0123abcd/2", ""):
        with assemble(settings) as service:
            other = Calibration(scale=0.1, shift=5.0, made_with=made_with)
            service.store.knowledge.calibrate(ALL_BOTS, "default", other)
            assert service.store.knowledge.calibrations(ALL_BOTS) == {"default": other}
        assert json.loads(shell.quick(*search).stdout) == before
        (warning,) = json.loads(shell.quick("evaluate", str(asked)).stdout)["warnings"]
        assert f"'default' was made with {made_with or 'an earlier version'}, not with" in warning
        assert "run `rag-service calibrate` again" in warning
        assert warning in " ".join(shell.on_a_terminal("evaluate", asked)[1].split())
        doctor = shell.quick("doctor")
        (finding,) = (f for f in json.loads(doctor.stdout) if f["what"] == "calibrations")
        assert (doctor.exit_code, finding["ok"], finding["found"]) == (1, False, warning)
    assert shell.quick("calibrate", str(asked)).exit_code == 0
    doctor = shell.quick("doctor")
    (finding,) = (f for f in json.loads(doctor.stdout) if f["what"] == "calibrations")
    assert (doctor.exit_code, finding["found"]) == (0, "applied for default")
    assert json.loads(shell.quick("evaluate", str(asked)).stdout)["warnings"] == []
    assert json.loads(shell.quick(*search).stdout)["evidence"]["calibration"] is not None


@pytest.mark.parametrize("lost", [["made_with"], ["made_with", "warnings", "comparison"]])
def test_a_run_of_another_decision_is_compared_all_the_same(shell, asked, tmp_path, lost):
    report = json.loads(shell.quick("evaluate", str(asked)).stdout)
    report = {name: value for name, value in report.items() if name not in lost}
    for one in report["per_question"]:
        one |= {"confidence": 0.5, "has_rag_context": True}
        del one["log_odds"]
    earlier = tmp_path / "earlier.json"
    earlier.write_text(json.dumps(report))
    second = json.loads(shell.quick("evaluate", str(asked), "--against", str(earlier)).stdout)
    assert second["comparison"]["ndcg_difference"] == 0
    assert second["comparison"]["shared"] == 12
    (warning,) = second["warnings"]
    assert "the earlier run was made with an earlier version, this one with" in warning


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
