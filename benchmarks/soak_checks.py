"""What has to be true at the end of a soak, when nothing is in the way any more."""

import os
import re
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from harness import Base
from soak_actors import MARKER, Actor, Chats, Contacts, Findings, Pages, Receiver
from soak_world import Service, SteppedClock, note

from rag_service.storage.views.words import SealedWords, terms_of

LEAP = timedelta(days=40)
"""Past everything that is kept for a time: deliveries are, for a month."""
_AGED = timedelta(days=50)
EMPTY = ("jobs", "job_failures", "events", "deliveries", "attempts", "erasures", "owed")
"""Tables that hold nothing once all is done and everything is past its days."""
_PATIENCE_S = 300


class Checks:
    def __init__(
        self,
        service: Service,
        base: Base,
        findings: Findings,
        actors: Sequence[Actor],
        receiver: Receiver,
    ) -> None:
        self._service = service
        self._base = base
        self._findings = findings
        self._actors = actors
        self._receiver = receiver

    def deliveries(self, clock: SteppedClock) -> None:
        """Each message of a conversation that is there was delivered, in its order."""
        end = time.monotonic() + _PATIENCE_S
        still = "select count(*) from deliveries where state in ('due', 'waiting')"
        while (missing := self._undelivered()) or self._one(still):
            if time.monotonic() > end:
                self._findings.fault(f"{len(missing)} messages were not delivered: {missing[:5]}")
                self._findings.fault(f"deliveries: {self._states()}")
                break
            clock.step(timedelta(hours=3))  # what was refused is due again
            time.sleep(2)
        for conversation, expected in self._said().items():
            delivered = self._receiver.said[conversation]
            there = [marker for marker in delivered if marker in set(expected)]
            if there != [marker for marker in expected if marker in set(there)]:
                self._findings.fault(f"{conversation}: delivered as {there}, said as {expected}")
        note("delivered", states=self._states())

    def upkeep(self, clock: SteppedClock) -> None:
        """A month and more goes by."""
        clock.step(LEAP)
        _age(self._base.data / "jobs")
        end = time.monotonic() + _PATIENCE_S
        while left := {table: n for table in EMPTY if (n := self._rows(table))}:
            if time.monotonic() > end:
                self._findings.fault(f"rows that nobody asks for are left: {left}")
                break
            time.sleep(1)
        note("swept", left=left)

    def files(self) -> dict[str, Any]:
        """Of a service that was stopped; the figures of the result."""
        done = self._service.command("check")
        if done.returncode:
            self._findings.fault(f"check: {done.stdout} {done.stderr[-500:]}")
        self._compare_rows()
        self._compare_folders()
        gone = self._findings.gone
        held = self._markers_of_files()
        kept = gone & held.keys()
        for marker in sorted(kept)[:20]:
            self._findings.fault(f"the text of {marker} was deleted, and is in {held[marker]}")
        found = self._in_views(gone)
        if found:
            self._findings.fault(f"{found} texts that were deleted are in the sealed words")
        return {
            "deleted_texts": len(gone),
            "of_them_in_files": len(kept),
            "texts_there": len(held),
            "rows": {table: self._rows(table) for table in self._tables()},
            "size_mb": self._base.sizes_mb(),
        }

    # -- deliveries ----------------------------------------------------------------------------

    def _said(self) -> dict[str, list[str]]:
        return {
            conversation.id: [marker for marker, _ in conversation.said]
            for actor in self._actors
            if isinstance(actor, Chats)
            for conversation in actor.conversations.values()
        }

    def _undelivered(self) -> list[str]:
        said = [marker for markers in self._said().values() for marker in markers]
        contacts = [
            marker
            for actor in self._actors
            if isinstance(actor, Contacts)
            for marker in actor.known
        ]
        delivered = {marker for markers in self._receiver.said.values() for marker in markers}
        return [m for m in said if m not in delivered] + [
            m for m in contacts if m not in self._receiver.contacts
        ]

    def _states(self) -> list[Any]:
        return self._service.rows(
            "select state, count(*), max(attempts) from deliveries group by 1"
        )

    # -- rows and folders ----------------------------------------------------------------------

    def _compare_rows(self) -> None:
        pages = [
            version
            for actor in self._actors
            if isinstance(actor, Pages)
            for versions in actor.possible.values()
            for version in versions
            if version
        ]
        talk = self._one("""select count(*) from documents join bots on bots.id = bot
            where name = 'talk'""")
        self._same("documents", self._rows("documents"), len(pages) + talk)
        said = sum(len(markers) for markers in self._said().values())
        self._same(
            "questions", self._one("select count(*) from messages where kind in (0, 1, 2)"), said
        )
        contacts = sum(len(a.known) for a in self._actors if isinstance(a, Contacts))
        self._same("contacts", self._rows("contacts"), contacts)
        used = self._one("select count(distinct embedding) from chunks")
        self._same("vectors", self._rows("embeddings"), used)
        loose = self._one("""select count(*) from quotes
            where not exists (select 1 from context_quotes where quote = quotes.id)""")
        self._same("passages that nobody quotes", loose, 0)
        if (changes := self._rows("changes")) > 4 * self._rows("chunks") + 8000:
            self._findings.fault(f"{changes} changes are kept of {self._rows('chunks')} chunks")

    def _compare_folders(self) -> None:
        spools = sorted(path.name for path in (self._base.data / "jobs").iterdir())
        spools = [name for name in spools if name not in ("deliveries.lock", "gaps.lock")]
        if spools:
            self._findings.fault(f"left in the folder of jobs: {spools[:10]}")
        for folder in self._base.index.iterdir():
            parts = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
            if len(parts) > 1 or any(not part.isdecimal() for part in parts):
                self._findings.fault(f"left in the folder of views {folder.name}: {parts}")
        known = {"rag.db", "rag.db-wal", "rag.db-shm", "jobs", "models"}
        if others := {path.name for path in self._base.data.iterdir()} - known:
            self._findings.fault(f"left in the data folder: {sorted(others)}")

    def _markers_of_files(self) -> dict[str, str]:
        """Of every byte below both folders, whatever the case."""
        held: dict[str, str] = {}
        pattern = re.compile(MARKER.pattern.encode(), re.IGNORECASE)
        for folder in (self._base.data, self._base.index):
            for path in folder.rglob("*"):
                if path.is_file():
                    for found in pattern.findall(path.read_bytes()):
                        held[found.decode().lower()] = str(path.relative_to(folder.parent))
        return held

    def _in_views(self, gone: set[str]) -> int:
        """A dictionary of words shares beginnings, so a word need not stand in its bytes."""
        parts = [SealedWords(folder) for folder in self._base.index.glob("*/*/words")]
        terms = [term for marker in sorted(gone)[:3000] for term in terms_of(marker)]
        return sum(part.frequency(term) > 0 for part in parts for term in terms)

    def _same(self, what: str, found: int, expected: int) -> None:
        if found != expected:
            self._findings.fault(f"{found} {what} instead of {expected}")

    def _tables(self) -> list[str]:
        names = self._service.rows("select name from sqlite_master where type = 'table'")
        return [name for (name,) in names if "_text" not in name and "sqlite" not in name]

    def _rows(self, table: str) -> int:
        return self._one(f"select count(*) from {table}")

    def _one(self, query: str) -> int:
        return int(self._service.rows(query)[0][0])


def _age(folder: Path) -> None:
    """Files keep the time of the machine, and the leap was of the clock of the service alone."""
    moment = time.time() - _AGED.total_seconds()
    for path in folder.iterdir():
        os.utime(path, (moment, moment))
