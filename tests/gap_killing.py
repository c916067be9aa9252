"""Kills the program of `gap_crashing.py` again and again, and tells what that has broken."""

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
from open_gaps import gaps_of
from shelf import settings_in

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import Service, assemble
from rag_service.errors import NotFound


class Told(msgspec.Struct):
    """What the program said before it was killed: ids of questions, and of gaps."""

    asked: set[str] = msgspec.field(default_factory=set)
    gaps: set[str] = msgspec.field(default_factory=set)


def kill(folder: Path, times: int, seed: int) -> Iterator[tuple[Told, list[str]]]:
    """After each kill, all that was told so far, and a sentence for each fault."""
    rng = random.Random(seed)
    told = Told()
    for number in range(times):
        for word, what in _told_until_killed(folder, f"{seed}.{number}", rng):
            (told.asked if word == "asked" else told.gaps).add(what)
        with assemble(settings_in(folder)) as service:
            yield told, list(_faults(service, told))


def _faults(service: Service, told: Told) -> Iterator[str]:
    gaps = gaps_of(service)
    yield from service.store.views.check()
    kept: list[str] = []
    for gap in gaps:
        total, items = service.store.gaps.questions(ALL_BOTS, gap.gap_id, limit=10_000, offset=0)
        kept += [item.message_id for item in items]
        if total != gap.questions:
            yield f"{gap.gap_id} says that it has {gap.questions} questions, and has {total}"
    if len(kept) > len(set(kept)):
        yield f"{len(kept) - len(set(kept))} questions are there twice"
    for message in told.asked - set(kept):
        yield f"the question {message} is lost"
    for gap_id in told.gaps:  # still there, or part of another one
        try:
            service.store.gaps.get(ALL_BOTS, gap_id)
        except NotFound:
            yield f"the gap {gap_id} is lost"


def _told_until_killed(folder: Path, seed: str, rng: random.Random) -> list[tuple[str, str]]:
    """It is killed a moment after it has told something for the so many-th time."""
    program = Path(__file__).with_name("gap_crashing.py")
    command = [sys.executable, str(program), str(folder), seed]
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
