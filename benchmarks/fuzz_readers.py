"""Does the service live through damaged files, and does it say of each why it is not read?

`--count` files of each format, of those that `--files` have and of made ones, are damaged with a
fixed seed and uploaded to a running server, whose background process has them read in children.
Prints how many were read and refused, by reason; how many children were lost; and the most memory
of the server, its background process and one child. Fails when one of them has ended.
"""

import json
import random
import re
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from figures import arguments, finish, say
from harness import Base, Server
from made_collections import COLLECTIONS
from made_files import MADE
from mutations import mutated

from rag_service.readers.formats import EXTENSIONS

SEED = 20_261_125
FILES_IN_AN_UPLOAD = 50
LARGEST = 100_000
"""Bytes. What is damaged in a larger file is seldom what tells its reader anything."""
SECONDS = 20
"""RAG_READER_SECONDS: of processor time."""
LOST = ("made its reader crash", "took longer", "cannot be read (")
"""How the reason begins where a reader failed, and not the file."""
_NUMBER = re.compile(r"\d[\d,.]*")
_QUOTED = re.compile(r"'[^']*'")

Files = dict[str, list[bytes]]
"""By ending."""


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--files", type=Path, nargs="*", default=[], help="folders to damage too")
    parser.add_argument("--count", type=int, help="of each format; 150, or 20 with --small")
    parser.add_argument("--seed", type=int, default=SEED)
    settings = parser.parse_args()
    count = settings.count or (20 if settings.small else 150)
    files = made()
    for ending, data in found(settings.files):
        files.setdefault(ending, []).append(data)
    with tempfile.TemporaryDirectory(prefix="rag-fuzz-") as folder:
        base = Base(Path(folder) / "data", Path(folder) / "indexes", "hashing:64")
        with Server(base, RAG_READER_SECONDS=str(SECONDS)) as server, Watched(server) as watched:
            figures = {
                ending: fuzz(
                    server, ending, files, count, random.Random(f"{settings.seed}{ending}")
                )
                for ending in files
            }
            is_alive = server.process.poll() is None
    finish("fuzz_readers", {"formats": figures, **watched.peaks()}, settings)
    if not is_alive or len(watched.workers) != 1:
        raise SystemExit(f"the server ended, or its background process: {watched.workers}")


def made() -> Files:
    """One of each format that can be read."""
    return {ending: [make()] for ending, make in (MADE | COLLECTIONS).items()}


def found(folders: list[Path]) -> Iterator[tuple[str, bytes]]:
    for file in sorted(file for folder in folders for file in folder.rglob("*")):
        ending = file.suffix.lower()
        if ending in EXTENSIONS and file.is_file() and file.stat().st_size <= LARGEST:
            yield ending, file.read_bytes()


def fuzz(
    server: Server, ending: str, files: Files, count: int, chance: random.Random
) -> dict[str, Any]:
    """Of one format."""
    everything = [data for others in files.values() for data in others]
    reasons: Counter[str] = Counter()
    start = time.perf_counter()
    with server.client() as client:
        client.timeout = SECONDS * FILES_IN_AN_UPLOAD
        for first in range(0, count, FILES_IN_AN_UPLOAD):
            numbers = range(first, min(first + FILES_IN_AN_UPLOAD, count))
            upload = {
                f"{n}{ending}": mutated(
                    chance.choice(files[ending]), chance.choice(everything), chance
                )
                for n in numbers
            }
            answer = client.post(
                "/knowledge/upload?wait=true",
                files=[("files", (name, data)) for name, data in upload.items()],
            )
            answer.raise_for_status()
            reasons += _reasons(answer.text, upload)
    seconds = time.perf_counter() - start
    say(f"{ending}: {count / seconds:.0f} files a second; {dict(reasons.most_common(3))}")
    return {
        "files": count,
        "files_per_s": count / seconds,
        "read": reasons.pop("", 0),
        "children_lost": sum(n for told, n in reasons.items() if told.startswith(LOST)),
        "refused": dict(reasons.most_common()),
    }


def _reasons(answer: str, upload: dict[str, bytes]) -> Counter[str]:
    """One of each file: why it was refused, without its numbers and names; empty if it was read.

    An export has several lines: its worst counts. Raises RuntimeError for a file without a result.
    """
    told: defaultdict[str, set[str]] = defaultdict(set)
    for line in map(json.loads, answer.splitlines()):
        reason = "" if line["success"] else line["error"].removeprefix("content ") or "no reason"
        told[line["file"]].add(_QUOTED.sub("'...'", _NUMBER.sub("N", reason)))
    if missing := upload.keys() - told.keys():
        raise RuntimeError(f"nothing was told of {sorted(missing)}")
    return Counter(max(reasons) for reasons in told.values())


class Watched:
    """The most memory of the processes of a server, and which background ones it has had."""

    def __init__(self, server: Server) -> None:
        self._server = server.process.pid
        self.workers: set[int] = set()
        self._peaks = {"server": 0.0, "background": 0.0, "child": 0.0}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def peaks(self) -> dict[str, float]:
        return {f"peak_{name}_mb": peak for name, peak in self._peaks.items()}

    def _watch(self) -> None:
        while not self._over.wait(0.05):
            self._look("server", self._server)

    def _look(self, name: str, pid: int) -> None:
        with suppress(OSError):
            folder = Path(f"/proc/{pid}")
            for line in (folder / "status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    peak = int(line.split()[1]) * 1024 / 1e6
                    self._peaks[name] = max(self._peaks[name], peak)
            for task in (folder / "task").iterdir():
                for child in map(int, (task / "children").read_text().split()):
                    self._look(self._kind(child, pid), child)

    def _kind(self, pid: int, parent: int) -> str:
        """A process has the command of its parent until it runs its own."""
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        if parent == self._server and b"rag_service.worker" in command:
            self.workers.add(pid)
            return "background"
        return "child"


if __name__ == "__main__":
    main()
