import random
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from threading import Timer

import msgspec
from crashing import NAMES, content
from shelf import MODES, settings_in, stored, texts

from rag_service.assembly import Service, assemble

ROUNDS = 20

State = dict[str, str | None]


def test_nothing_acknowledged_is_lost_however_often_the_process_is_killed(tmp_path: Path) -> None:
    rng = random.Random(5)
    state: State = dict.fromkeys(NAMES)
    acknowledged = 0
    child = waiting(tmp_path, 0)
    for round_ in range(ROUNDS):
        done, open_ = operations_until_killed(child, rng.uniform(0.02, 0.5))
        child = waiting(tmp_path, round_ + 1)  # it starts up while we look
        for operation in done:
            state.update(operation)
        acknowledged += len(done)
        with assemble(settings_in(tmp_path)) as service:
            assert_whole(service, state, open_)
            assert list(service.store.views.check()) == []
            state = {name: version_of(service, name) for name in NAMES}
    operations_until_killed(child, 0)
    assert acknowledged > 3 * ROUNDS


def waiting(folder: Path, round_: int) -> subprocess.Popen[bytes]:
    program = Path(__file__).with_name("crashing.py")
    command = [sys.executable, str(program), str(folder), str(round_)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def operations_until_killed(
    child: subprocess.Popen[bytes], life: float
) -> tuple[list[State], State]:
    """Those that were acknowledged, and the one that may have been at work.

    It lives from its first operation on.
    """
    assert child.stdin is not None and child.stdout is not None
    with child:
        child.stdin.write(b"go\n")
        child.stdin.flush()
        lines = [child.stdout.readline()]
        timer = Timer(life, child.kill)
        timer.start()
        lines += child.stdout.readlines()
        timer.join()
    assert child.returncode == -9
    return told(line for line in lines if line.endswith(b"\n"))


def told(lines: Iterable[bytes]) -> tuple[list[State], State]:
    done: list[State] = []
    open_: State = {}
    for line in lines:
        word, operation = msgspec.json.decode(line)
        open_ = operation if word == "begin" else {}
        if word == "done":
            done.append(operation)
    return done, open_


def assert_whole(service: Service, state: State, open_: State) -> None:
    outcomes = {version_of(service, name) == open_[name] for name in open_}
    assert len(outcomes) < 2 or all(state[n] == v for n, v in open_.items()), "half an operation"
    for name, version in state.items():
        kept = version_of(service, name)
        assert kept in {version, open_.get(name, version)}, name
        marker = f"{name}v{kept}"
        for mode in MODES:
            found = texts(service, f"{name} Part a of {name}v{kept or version}", mode, k=100)
            of_page = [text for text in found if f"{name}v" in text]
            assert all(marker in text for text in of_page), "a former or a removed version"
            assert kept is None or len(of_page) == 3, (name, kept, mode)


def version_of(service: Service, name: str) -> str | None:
    """The version of a page that is there, which has to be whole."""
    document = stored(service, name)
    if document is None:
        return None
    version = str(document.text.split(f"{name}v")[1].split()[0])
    assert [passage.ordinal for passage in document.passages] == [0, 1, 2]
    parts = content(name, version).split("\n\n# ")
    for passage, part in zip(document.passages, parts, strict=True):
        assert passage.text.count(f"{name}v{version}") == part.count(f"{name}v{version}")
    return version
