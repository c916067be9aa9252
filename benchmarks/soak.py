"""Does it stand for months? A few hours with everything that happens to a service in that time.

    benchmarks/soak.py --hours 4          or --minutes 20, or --minutes 1 as the tests do

Actors push, edit, delete, upload, send batches, ask, have replies promised, and receive webhooks,
against a real server with its background process. Meanwhile both are killed, the disk is full, the
clock steps by hours and days, the machine sleeps, commands run beside the server. In the last part
nothing is killed any more, so that memory can be compared with what it was after the warm-up.

At its end nothing that was accepted may be missing, nothing that was deleted may be in any byte of
any file, tables and folders hold what a model of them says, and `rag-service check` is clean. The
result is JSON, as of every benchmark; the exit code is 1 when there is any fault.
"""

import argparse
import os
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

from figures import arguments, finish
from harness import Base
from soak_actors import (
    TALK,
    WORDS,
    Actor,
    Batches,
    Chats,
    Contacts,
    Findings,
    Pages,
    Readers,
    Receiver,
    Uploads,
)
from soak_checks import Checks
from soak_world import Disk, Service, SteppedClock, enter_namespace, mount, note, unmount

CALM_SHARE = 0.4
"""Of the time: nothing is killed in it."""
SETTINGS = {
    "RAG_KEEP_JOBS_DAYS": "1",
    "RAG_KEEP_EVENTS_DAYS": "1",
    "RAG_LOCK_TIMEOUT_S": "5",
    "RAG_RATE_CHAT": "off",
    "RAG_RATE_DATA": "off",
    "RAG_RATE_WEBHOOK": "off",
    "RAG_WEBHOOK_ALLOW_PRIVATE": "true",
}
EVENTS = ["message.*", "contact.*", "knowledge.*", "job.finished"]
GROWTH, GROWTH_MB = 1.15, 20.0
"""Of resident memory, from after the warm-up to the end, that the allocator may well keep."""
WARMED_UP_S = 180.0
"""A calm part that is shorter says nothing of memory: a third of it has to be enough to warm up."""


class Soak:
    def __init__(self, folder: Path, disk: Disk, settings: argparse.Namespace) -> None:
        self._rng = random.Random(settings.seed)
        self._seconds = settings.hours * 3600 + settings.minutes * 60
        self._pause = min(20.0, max(1.5, self._seconds / 40))
        self.clock = SteppedClock(folder)
        self.disk = disk
        self.base = Base(disk.folder / "data", disk.folder / "indexes", settings.model)
        self.findings = Findings()
        self.service = Service(self.base, self.clock, SETTINGS, folder / "service.log")
        self.receiver = Receiver(settings.seed)
        self._made = [
            self._new(Pages, "pages", settings.seed),
            self._new(Pages, "edits", settings.seed),
            self._new(Batches, "batches", settings.seed),
            self._new(Uploads, "uploads", settings.seed),
            self._new(Chats, "chats", settings.seed),
            self._new(Chats, "visitors", settings.seed),
            self._new(Contacts, "contacts", settings.seed),
            self._new(Readers, "readers", settings.seed),
        ]
        self._resident: list[tuple[float, dict[str, float]]] = []

    def run(self) -> dict[str, Any]:
        self.service.start()
        self._prepare()
        for actor in self._made:
            actor.start()
        began = time.monotonic()
        self._disturb(began + self._seconds * (1 - CALM_SHARE), self._rough())
        note("calm", faults=len(self.findings.faults))
        calm = time.monotonic()
        self._disturb(began + self._seconds, self._gentle())
        self._compare_memory(calm, time.monotonic())
        self._come_to_rest()
        checks = Checks(self.service, self.base, self.findings, self._made, self.receiver)
        checks.deliveries(self.clock)
        checks.upkeep(self.clock)
        stopped_s = self.service.stop()
        if stopped_s > 10:
            self.findings.fault(f"SIGTERM ended the server after {stopped_s:.1f} s")
        found = checks.files()
        return {
            "faults": self.findings.faults,
            "done": dict(sorted(self.findings.counts.items())),
            "clock_steps": len(self.clock.steps),
            "disk": self.disk.how,
            "resident_mb": self._memory(calm),
            "starts": len(self.service.starts_s),
            "slowest_start_s": max(self.service.starts_s),
            "stopped_s": stopped_s,
            "webhooks": {"taken": self.receiver.taken, "refused": self.receiver.refused},
            **found,
        }

    def _new(self, kind: type[Actor], name: str, seed: int) -> Actor:
        return kind(name, self.service, self.findings, seed)

    def _prepare(self) -> None:
        with self.service.client() as client:
            for number, word in enumerate(WORDS):
                text = f"# About the {word}\n\nThe {word} costs {number} euros. " * 3
                body = {
                    "source_url": f"https://talk.example/{word}",
                    "bot_id": TALK,
                    "content": text,
                }
                client.post("/knowledge", json=body).raise_for_status()
            hook = {"url": self.receiver.url, "events": EVENTS}
            client.post("/webhooks", json=hook).raise_for_status()

    # -- what happens meanwhile ----------------------------------------------------------------

    def _rough(self) -> list[Callable[[], None]]:
        return [
            self._kill,
            self._kill,
            self._kill_worker,
            self._fill_disk,
            self._kill_reindex,
            *self._gentle(),
        ]

    def _gentle(self) -> list[Callable[[], None]]:
        return [self._step_on, self._step_back, self._sleep, self._hold_log, self._check]

    def _disturb(self, until: float, kinds: list[Callable[[], None]]) -> None:
        queue: list[Callable[[], None]] = []
        while time.monotonic() < until:
            pause = min(self._rng.expovariate(1 / self._pause), 4 * self._pause)
            end = min(until, time.monotonic() + pause)
            while (now := time.monotonic()) < end:
                self._resident.append((now, self.service.resident_mb()))
                time.sleep(min(1.0, max(0.0, end - now)))
            if not queue:  # each comes once before any comes again
                queue = self._rng.sample(kinds, len(kinds))
            happens = queue.pop()
            name = happens.__name__.strip("_").replace("_", " ")
            note(name, faults=len(self.findings.faults))
            self.findings.count(f"disturbed: {name}")
            happens()

    def _kill(self) -> None:
        self.service.kill()
        self.service.start()

    def _kill_worker(self) -> None:
        self.service.kill_worker()

    def _kill_reindex(self) -> None:
        self.service.command_killed(self._rng.uniform(0.5, 3), "reindex")

    def _fill_disk(self) -> None:
        with self.disk.full(self.service.pids()):
            time.sleep(self._rng.uniform(0.5, min(8.0, 2 * self._pause)))

    def _step_on(self) -> None:
        self.clock.step(timedelta(hours=self._rng.uniform(0.1, 60)))

    def _step_back(self) -> None:
        self.clock.step(-timedelta(hours=self._rng.uniform(0.1, 30)))

    def _sleep(self) -> None:
        with self.service.asleep():
            time.sleep(self._rng.uniform(0.2, 2))
            self.clock.step(timedelta(hours=self._rng.uniform(1, 60)))

    def _hold_log(self) -> None:
        """As a backup does, which reads one moment for a while."""
        path = self.base.data / "rag.db"
        with closing(sqlite3.connect(path, isolation_level=None, timeout=10)) as reader:
            reader.execute("begin")
            reader.execute("select count(*) from messages").fetchone()
            time.sleep(self._rng.uniform(0.5, 6))
            reader.execute("rollback")

    def _check(self) -> None:
        done = self.service.command("check")
        if done.returncode:
            self.findings.fault(f"check beside the server: {done.stdout} {done.stderr[-500:]}")

    # -- its end -------------------------------------------------------------------------------

    def _come_to_rest(self) -> None:
        self.receiver.healthy = True
        for actor in self._made:
            actor.over.set()
        for actor in self._made:
            actor.join(timeout=300)
            if actor.is_alive():
                self.findings.fault(f"{actor.name} did not come to its end")
        end = time.monotonic() + 120
        while self.service.unfinished_jobs():
            if time.monotonic() > end:
                self.findings.fault("a job has not ended in two minutes of rest")
                break
            time.sleep(0.5)
        note("at rest")
        for actor in self._made:
            actor.settle()

    def _memory(self, calm: float) -> dict[str, dict[str, float]]:
        """Medians after the warm-up, which is the first third of the calm part, and at the end."""
        last = self._resident[-1][0]
        third = (last - calm) / 3
        warm = [each for at, each in self._resident if calm + third <= at < calm + 1.6 * third]
        end = [each for at, each in self._resident if at >= last - 0.6 * third]
        return {
            name: {
                "warm": statistics.median(each.get(name, 0.0) for each in warm),
                "end": statistics.median(each.get(name, 0.0) for each in end),
            }
            for name in ("server", "worker")
            if warm and end
        }

    def _compare_memory(self, calm: float, end: float) -> None:
        if end - calm < WARMED_UP_S:  # what processes load at first is no growth
            return
        for name, both in self._memory(calm).items():
            if both["end"] > both["warm"] * GROWTH + GROWTH_MB:
                self.findings.fault(f"memory of the {name} grew: {both}")


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--hours", type=float, default=0.0)
    parser.add_argument("--minutes", type=float, default=0.0)
    parser.add_argument("--log", type=Path, help="keep what the service logged here")
    parser.add_argument("--seed", type=int, default=20_26)
    parser.set_defaults(model="hashing:256")
    settings = parser.parse_args()
    if settings.small or not (settings.hours or settings.minutes):
        settings.hours, settings.minutes = 0.0, 1.0
    inside = enter_namespace()
    with tempfile.TemporaryDirectory(prefix="rag-soak-") as name:
        folder = Path(name)
        disk = folder / "disk"
        if inside:
            mount(disk)
        else:
            disk.mkdir()
        try:
            soak = Soak(folder, Disk(disk, mounted=inside), settings)
            try:
                figures = soak.run()
            finally:
                if settings.log:
                    settings.log.write_text(soak.service.log())
                for pid in soak.service.pids():
                    os.kill(pid, 9)
        finally:
            if inside:
                unmount(disk)
    finish("soak", figures, settings)
    return 1 if figures["faults"] else 0


if __name__ == "__main__":
    sys.exit(main())
