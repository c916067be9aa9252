"""What the benchmarks run: knowledge bases in a folder of their own, real servers, real clients.

Nothing here touches the data of an installed service, or any host but this one.
"""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, NamedTuple, Self

import httpx
from figures import say

HERE = Path(__file__).parent
# -- a knowledge base of its own ----------------------------------------------------------------


class Base(NamedTuple):
    """Where the rows and the views are, and the model that fills them."""

    data: Path
    index: Path
    model: str
    source: Path | None = None
    """A checkout of the service to run, where it is not this one."""

    def environ(self) -> dict[str, str]:
        """Of this process, but for its own RAG_*. Nothing is fetched, and bytecode is kept."""
        kept = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith("RAG_") and key != "PYTHONDONTWRITEBYTECODE"
        }
        ours = {"RAG_DATA_DIR": str(self.data), "RAG_INDEX_DIR": str(self.index)}
        if self.source is not None:
            ours |= {"PYTHONPATH": str(self.source), "PYTHONSAFEPATH": "1"}
        return {**kept, **ours, "RAG_EMBEDDING_MODEL": self.model, "HF_HUB_OFFLINE": "1"}

    def run(self, *command: str) -> "Finished":
        return run([*_SERVICE, *command], self.environ())

    def ingest(
        self, pushes: Path, turns: "Turns | None" = None
    ) -> tuple["Finished", dict[str, Any]]:
        """And the report of the command."""
        command = [*_SERVICE, "ingest", str(pushes), "--json"]
        done = run(command, self.environ(), turns)
        return done, json.loads(done.output)

    def sizes_mb(self) -> dict[str, float]:
        database = sum(file.stat().st_size for file in self.data.glob("rag.db*"))
        index = sum(file.stat().st_size for file in self.index.rglob("*") if file.is_file())
        return {"database_mb": database / 1e6, "index_mb": index / 1e6}


@contextmanager
def workspace(model: str) -> Iterator["Workspace"]:
    """A temporary folder, gone afterwards. Its model is compiled before anything is timed."""
    with tempfile.TemporaryDirectory(prefix="rag-bench-") as folder:
        work = Workspace(Path(folder), model)
        say("preparing the embedding model")
        work.base("prepare").run("search", "warm")
        yield work


def existing_base(settings: argparse.Namespace) -> Base | None:
    """Nothing is written to it but a token, which is revoked afterwards."""
    if not settings.data_dir:
        return None
    if not settings.index_dir:
        raise SystemExit("--data-dir needs --index-dir")
    return Base(settings.data_dir.resolve(), settings.index_dir.resolve(), settings.model)


class Workspace:
    def __init__(self, folder: Path, model: str) -> None:
        self.folder = folder
        self.models = folder / "models"
        self._model = model

    def base(self, name: str, source: Path | None = None) -> Base:
        """An empty one; all of them share the compiled model."""
        data = self.folder / name / "data"
        data.mkdir(parents=True)
        self.models.mkdir(exist_ok=True)
        (data / "models").symlink_to(self.models)
        return Base(data, self.folder / name / "indexes", self._model, source)


_SERVICE = [sys.executable, "-m", "rag_service"]


# -- processes ----------------------------------------------------------------------------------


class Finished(NamedTuple):
    output: str
    seconds: float
    """From the start of the process to its end."""
    peak_rss_mb: float


class Turns:
    """Stops a process every `every_s` seconds for as long as `work` takes, and sums that up."""

    def __init__(self, every_s: float, work: Callable[[], None]) -> None:
        self.stopped_s = 0.0
        self._every_s = every_s
        self._work = work
        self._over = threading.Event()

    @contextmanager
    def taken(self, pid: int) -> Iterator[None]:
        thread = threading.Thread(target=self._run, args=[pid])
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _run(self, pid: int) -> None:
        while not self._over.wait(self._every_s):
            start = time.perf_counter()
            os.kill(pid, signal.SIGSTOP)
            try:
                self._work()
            finally:
                os.kill(pid, signal.SIGCONT)
            self.stopped_s += time.perf_counter() - start


def run(command: Sequence[str], environ: dict[str, str], turns: Turns | None = None) -> Finished:
    """Raises RuntimeError with what it said when it fails. Memory is of it and its children."""
    with tempfile.TemporaryFile("w+") as said:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, env=environ, stdout=subprocess.PIPE, stderr=said, text=True
        )
        with process, _Memory(process.pid) as memory:
            with turns.taken(process.pid) if turns else nullcontext():
                output = process.stdout.read() if process.stdout else ""
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - start
        if process.returncode:
            said.seek(0)
            raise RuntimeError(f"{' '.join(command)}: {said.read()[-2000:]}")
    scale = 1e6 if sys.platform == "darwin" else 1e3
    return Finished(output, seconds, max(memory.peak_mb, usage.ru_maxrss * 1.024 / scale))


class _Memory:
    """The largest sum of resident memory of a process and its children, seen 50 times a second.

    Without /proc it stays 0 and the caller's rusage has to do.
    """

    def __init__(self, pid: int) -> None:
        self.peak_mb = 0.0
        self._pid = pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.02):
            self.peak_mb = max(self.peak_mb, resident_mb(self._pid))


def resident_mb(pid: int) -> float:
    """Of a process and all below it, now; 0 where /proc does not tell."""
    folder = Path(f"/proc/{pid}")
    total = 0.0
    with suppress(OSError):
        for line in (folder / "status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                total = int(line.split()[1]) * 1024 / 1e6
        for task in (folder / "task").iterdir():
            total += sum(resident_mb(int(c)) for c in (task / "children").read_text().split())
    return total


def cpu_s(pid: int) -> float:
    """Of a process by itself, since it began."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Server:
    """`rag-service serve` on a free port, with a token of its own, ready when it is entered."""

    def __init__(self, base: Base, **changes: str) -> None:
        self._base = base
        self._changes = changes
        self._name = f"bench-{os.getpid()}"

    def __enter__(self) -> Self:
        created = self._base.run(
            *("token", "create", self._name, "--scope", "admin"),
            *("--rate", "data=off", "--rate", "chat=off"),
        )
        self.token = created.output.strip()
        self.url = f"http://127.0.0.1:{free_port()}"
        self._log = tempfile.TemporaryFile("w+")
        command = [*_SERVICE, "serve", "--port", self.url.rpartition(":")[2]]
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            command,
            env={**self._base.environ(), **self._changes},
            stdout=self._log,
            stderr=self._log,
        )
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        self.ready_s = time.perf_counter() - self.started
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._log.close()
        self._base.run("token", "revoke", self._name)

    def client(self) -> httpx.Client:
        return connect(self.url, self.token)

    def _wait(self) -> None:
        deadline = time.monotonic() + 120
        with httpx.Client(base_url=self.url, timeout=5, trust_env=False) as client:
            while time.monotonic() < deadline:
                with suppress(httpx.TransportError):
                    if client.get("/health").json()["utils_loaded"]:
                        return
                if self.process.poll() is not None:
                    break
                time.sleep(0.005)
        self._log.seek(0)
        raise RuntimeError(f"the server did not become ready: {self._log.read()[-2000:]}")


def connect(url: str, token: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.Client(base_url=url, headers=headers, timeout=120, trust_env=False)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


class Helper:
    """A script beside this one in a process of its own: a JSON line in, a JSON line out."""

    def __init__(self, script: str, environ: dict[str, str], *args: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / script), *args],
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def tell(self, order: dict[str, Any]) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        assert self._process.stdout
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def ask(self, order: dict[str, Any]) -> dict[str, Any]:
        self.tell(order)
        return self.hear()


def answer_orders(work: Any) -> None:
    """The other end of a Helper, until its input ends."""
    for line in sys.stdin:
        print(json.dumps(work(json.loads(line))), flush=True)
