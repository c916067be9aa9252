"""Whatever the moment at which the process is killed: no question is lost or counted twice."""

from pathlib import Path

from gap_killing import Told, kill

ROUNDS = 8
"""benchmarks/kill_gaps.py has fifty."""


def test_no_question_is_lost_or_doubled_however_often_the_process_is_killed(
    tmp_path: Path,
) -> None:
    told = Told()
    for told, faults in kill(tmp_path, ROUNDS, seed=11):  # noqa: B007
        assert faults == []
    assert len(told.asked) > ROUNDS
    assert told.gaps
