"""How much slower is a search while documents are pushed?

One client searches with a pause of 20 ms between two questions, another asks /health every 50 ms:
alone, then beside a batch in the server, beside the command line, and beside single pushes.
"""

import argparse
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from itertools import cycle
from typing import Any, Self

import httpx
from corpus import Record, make_queries, read_corpus, write_pushes
from figures import arguments, finish, latencies, ratio, say
from harness import Base, Helper, Server, Workspace, connect, workspace

THINK_S = 0.02
HEALTH_S = 0.05
LONGEST_S = 900  # of one import
SHARES = {"base": 0.5, "batch": 0.1, "batch_alone": 0.1, "ingest": 0.1, "ingest_alone": 0.1}
"""Of the corpus; what is left is pushed one by one."""


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--seconds", type=float, help="of a block that no import ends; 20 or 2")
    settings = parser.parse_args()
    settings.seconds = settings.seconds or (2 if settings.small else 20)
    records = read_corpus(settings.corpus, settings.limit, 2400 if settings.small else 12_000)
    with workspace(settings.model) as work:
        parts = _parts(records, settings)
        base = work.base("interference")
        say(f"filling the base with {len(parts['base'])} documents")
        base.ingest(write_pushes(parts["base"], work.folder / "base.jsonl"))
        with Server(base) as server:
            figures = _Blocks(work, base, server, parts, settings).measure()
    finish("interference", figures, settings)


class _Blocks:
    def __init__(
        self,
        work: Workspace,
        base: Base,
        server: Server,
        parts: dict[str, list[Record]],
        settings: argparse.Namespace,
    ) -> None:
        self._work = work
        self._base = base
        self._server = server
        self._parts = parts
        self._seconds = settings.seconds
        self._queries = make_queries([record.text for record in parts["base"]], 500)
        self._client = server.client()

    def measure(self) -> dict[str, Any]:
        """Idle before, between and after, since the machine may change meanwhile."""
        with self._probe():
            time.sleep(1)  # warm
        idle = [self._idle()]
        batch_alone = self._batch("batch_alone", None)
        batch = self._batch("batch", self._probe())
        idle.append(self._idle())
        ingest_alone = self._ingest("ingest_alone", None)
        ingest = self._ingest("ingest", self._probe())
        idle.append(self._idle())
        singles = self._singles(self._probe())
        idle.append(self._idle())
        self._client.close()

        quiet = _joined(idle)
        calm = quiet["search"]["p95_ms"]
        batch_ratio = ratio(batch["search"].get("p95_ms"), calm)
        ingest_ratio = ratio(ingest["search"].get("p95_ms"), calm)
        measured = [r for r in (batch_ratio, ingest_ratio) if r is not None]
        return {
            "p95_ratio": max(measured, default=None),
            "p95_ratio_batch": batch_ratio,
            "p95_ratio_ingest": ingest_ratio,
            "p95_ratio_single_pushes": ratio(singles["search"].get("p95_ms"), calm),
            "idle": quiet,
            "batch": {**batch, "documents_per_s_alone": batch_alone["documents_per_s"]},
            "ingest": {**ingest, "documents_per_s_alone": ingest_alone["documents_per_s"]},
            "single_pushes": singles,
            "documents": {name: len(records) for name, records in self._parts.items()},
            "think_ms": THINK_S * 1000,
        }

    def _probe(self) -> "Probe":
        return Probe(self._server.url, self._server.token, self._queries)

    def _idle(self) -> "Probe":
        with self._probe() as probe:
            time.sleep(self._seconds)
        say(f"idle: {probe.figures()['search']}")
        return probe

    def _batch(self, name: str, probe: "Probe | None") -> dict[str, Any]:
        """Through POST /knowledge/batch, looked at from its first to its last result."""
        pushes = write_pushes(self._parts[name], self._work.folder / f"{name}.jsonl")
        with pushes.open("rb") as file:
            answer = self._client.post("/knowledge/batch", content=file)
        answer.raise_for_status()
        path = f"/jobs/{answer.json()['job_id']}"

        def state() -> tuple[int, bool]:
            job = self._client.get(path, params={"limit": 0}).json()
            return job["counts"]["done"], job["state"] in ("queued", "running")

        return self._while_importing(name, state, probe)

    def _ingest(self, name: str, probe: "Probe | None") -> dict[str, Any]:
        """The same through the command line beside the server."""
        pushes = write_pushes(self._parts[name], self._work.folder / f"{name}.jsonl")
        before = self._total()
        command = [sys.executable, "-m", "rag_service", "ingest", str(pushes), "--json"]
        with subprocess.Popen(
            command, env=self._base.environ(), stdout=subprocess.DEVNULL
        ) as process:

            def state() -> tuple[int, bool]:
                going = process.poll() is None
                return self._total() - before, going

            return self._while_importing(name, state, probe)

    def _total(self) -> int:
        total: int = self._client.get("/knowledge", params={"limit": 1}).json()["total"]
        return total

    def _while_importing(
        self, name: str, state: Callable[[], tuple[int, bool]], probe: "Probe | None"
    ) -> dict[str, Any]:
        """The rate counts from the first results on, so without the start of a process."""
        deadline = time.monotonic() + LONGEST_S
        done, going = 0, True
        while going and not done and time.monotonic() < deadline:
            time.sleep(0.02)
            done, going = state()
        first, start = done, time.perf_counter()
        with probe or nullcontext():
            while going and time.monotonic() < deadline:
                time.sleep(0.2)
                done, going = state()
        seconds = time.perf_counter() - start
        rate = (done - first) / seconds if done > first else None
        say(f"{name}: {rate or 0:.0f} documents/s" + (f", {probe.figures()}" if probe else ""))
        return {"documents_per_s": rate, "seconds": seconds, **(probe.figures() if probe else {})}

    def _singles(self, probe: "Probe") -> dict[str, Any]:
        """Two clients push one document after the other through POST /knowledge."""
        bodies = [record.body() for record in self._parts["singles"]]
        server = self._server
        with Helper("client.py", self._base.environ(), server.url, server.token) as pushers:
            pushers.ask({"path": "/knowledge", "bodies": bodies[:2], "clients": 2})
            order = {"path": "/knowledge", "bodies": bodies[2:], "clients": 2}
            pushers.tell({**order, "seconds": self._seconds})
            with probe:
                pushed = pushers.hear()
        figures = probe.figures()
        say(f"single pushes: {figures}")
        rate = len(pushed["latencies"]) / pushed["seconds"]
        push = latencies(pushed["latencies"])
        return {"documents_per_s": rate, "push": push, "seconds": pushed["seconds"], **figures}


class Probe:
    """Searches and asks /health, each in a thread of its own, until it is left."""

    def __init__(self, url: str, token: str, queries: list[str]) -> None:
        self.searches: list[float] = []
        self.healths: list[float] = []
        self._over = threading.Event()
        asked = cycle(queries)

        def search(client: httpx.Client) -> httpx.Response:
            return client.post("/search", json={"query": next(asked), "k": 5})

        def health(client: httpx.Client) -> httpx.Response:
            return client.get("/health")

        self._threads = [
            threading.Thread(target=self._run, args=[connect(url, token), *of])
            for of in ((search, self.searches, THINK_S), (health, self.healths, HEALTH_S))
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def figures(self) -> dict[str, Any]:
        return {"search": latencies(self.searches), "health": latencies(self.healths)}

    def _run(
        self,
        client: httpx.Client,
        ask: Callable[[httpx.Client], httpx.Response],
        took: list[float],
        pause: float,
    ) -> None:
        with client:
            client.get("/health")
            while not self._over.wait(pause):
                start = time.perf_counter()
                ask(client).raise_for_status()
                took.append(time.perf_counter() - start)


def _joined(probes: list[Probe]) -> dict[str, Any]:
    return {
        "search": latencies([s for probe in probes for s in probe.searches]),
        "health": latencies([s for probe in probes for s in probe.healths]),
        "p95_ms_of_each": [latencies(probe.searches).get("p95_ms") for probe in probes],
    }


def _parts(records: list[Record], settings: argparse.Namespace) -> dict[str, list[Record]]:
    """With --small a base of a tenth, so that the imports last for more than a moment."""
    shares = dict(SHARES)
    if settings.small:
        shares = {"base": 0.1, **dict.fromkeys(("batch", "batch_alone"), 0.21)}
        shares |= dict.fromkeys(("ingest", "ingest_alone"), 0.21)
    parts = {}
    start = 0
    for name, share in shares.items():
        end = start + int(share * len(records))
        parts[name] = records[start:end]
        start = end
    return {**parts, "singles": records[start:]}


if __name__ == "__main__":
    main()
