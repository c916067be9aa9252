"""Whatever the moment at which the process is killed: no question is lost or counted twice."""

import random
import subprocess
import sys
import time
from pathlib import Path

import msgspec
from open_gaps import gaps_of
from shelf import settings_in

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import assemble

ROUNDS = 8


def test_no_question_is_lost_or_doubled_however_often_the_process_is_killed(
    tmp_path: Path,
) -> None:
    rng = random.Random(11)
    asked: set[str] = set()
    seen: set[str] = set()
    for round_ in range(ROUNDS):
        for word, what in told_until_killed(tmp_path, round_, rng):
            (asked if word == "asked" else seen).add(what)
        with assemble(settings_in(tmp_path)) as service:
            gaps = gaps_of(service)
            assert list(service.store.views.check()) == []
            kept: list[str] = []
            for gap in gaps:
                total, items = service.store.gaps.questions(
                    ALL_BOTS, gap.gap_id, limit=1000, offset=0
                )
                assert total == gap.questions
                kept += [item.message_id for item in items]
            assert len(kept) == len(set(kept))
            assert asked <= set(kept)
            for gap_id in seen:  # still there, or part of another one
                assert service.store.gaps.get(ALL_BOTS, gap_id)
    assert len(asked) > ROUNDS
    assert seen


def told_until_killed(folder: Path, round_: int, rng: random.Random) -> list[tuple[str, str]]:
    """It is killed a moment after it has told something for the so many-th time."""
    program = Path(__file__).parent.with_name("gap_crashing.py")
    command = [sys.executable, str(program), str(folder), str(round_)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None and child.stdout is not None
        child.stdin.write(b"go\n")
        child.stdin.flush()
        lines = [child.stdout.readline() for _ in range(rng.randint(20, 80))]
        time.sleep(rng.uniform(0, 0.05))
        child.kill()
        lines += child.stdout.readlines()
    assert child.returncode == -9
    return [
        msgspec.json.decode(line, type=tuple[str, str]) for line in lines if line.endswith(b"\n")
    ]
