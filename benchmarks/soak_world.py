"""What a soak lives in: a server that is killed, a clock that is stepped, a disk that fills.

None of it is known to the service. Its processes are started by `soak_launch.py`, which puts a
wall clock before them that a file moves; their monotonic time is the machine's own. The disk is
a tmpfs of a user and mount namespace, which needs no root; where a system has none, writes fail by
RLIMIT_FSIZE instead, which is set on the running processes.
"""

import os
import resource
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from figures import say
from harness import Base, connect, free_port, resident_mb

DISK_MB = 768
_LAUNCHER = Path(__file__).with_name("soak_launch.py")
_UP_S = 120


class SteppedClock:
    """The time that the processes of the service are told."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"
        self._ahead = timedelta()
        self._file.write_bytes(struct.pack("d", 0.0))
        self.steps: list[float] = []

    def step(self, by: timedelta) -> None:
        """In place: the processes have the file in their memory."""
        self._ahead += by
        with self._file.open("r+b") as file:
            file.write(struct.pack("d", self._ahead.total_seconds()))
        self.steps.append(by.total_seconds())

    def command(self, *words: str) -> list[str]:
        """`rag-service WORDS` under this clock."""
        return [sys.executable, str(_LAUNCHER), str(self._file), "rag_service", *words]

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead


class Disk:
    """Where the folders of the service are. `full` has every write fail that needs room."""

    def __init__(self, folder: Path, *, mounted: bool) -> None:
        self.folder = folder
        self._mounted = mounted
        self.how = f"tmpfs of {DISK_MB} MB in a mount namespace" if mounted else "RLIMIT_FSIZE"

    @contextmanager
    def full(self, pids: "list[int]") -> Iterator[None]:
        if self._mounted:
            ballast = self.folder / "ballast"
            with suppress(OSError), ballast.open("wb") as file:
                while True:
                    file.write(bytes(1 << 16))
            try:
                yield
            finally:
                ballast.unlink(missing_ok=True)
            return
        for pid in pids:
            _limit(pid, 0)
        try:
            yield
        finally:
            for pid in pids:
                _limit(pid, resource.RLIM_INFINITY)


class Service:
    """`rag-service serve`, started again whenever it was killed, on the same port."""

    def __init__(self, base: Base, clock: SteppedClock, environ: dict[str, str], log: Path) -> None:
        self._base = base
        self._clock = clock
        self._environ = {**base.environ(), **environ}
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self.url = f"http://127.0.0.1:{free_port()}"
        self.token = self.command("token", "create", "soak", "--scope", "admin").stdout.strip()
        self.starts_s: list[float] = []
        self.workers: set[int] = set()

    def client(self) -> httpx.Client:
        return connect(self.url, self.token)

    def start(self) -> None:
        """Until it is ready. Raises RuntimeError when it does not become so."""
        with self._lock, self._log.open("ab") as log:
            began = time.monotonic()
            self._process = subprocess.Popen(
                self._clock.command("serve", "--port", self.url.rsplit(":")[-1]),
                env=self._environ,
                stdout=log,
                stderr=log,
            )
            with httpx.Client(base_url=self.url, timeout=5, trust_env=False) as client:
                while time.monotonic() - began < _UP_S:
                    with suppress(httpx.TransportError, KeyError):
                        if client.get("/health").json()["utils_loaded"]:
                            self.starts_s.append(time.monotonic() - began)
                            return
                    if self._process.poll() is not None:
                        break
                    time.sleep(0.05)
        raise RuntimeError(f"the server did not become ready: {self.last_words()}")

    def last_words(self) -> str:
        return self._log.read_text(errors="replace")[-3000:] if self._log.exists() else ""

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> float:
        """As an operator does; in how many seconds it has ended."""
        assert self._process is not None
        began = time.monotonic()
        self._process.terminate()
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.kill()
        return time.monotonic() - began

    def kill_worker(self) -> bool:
        """Whether there was a background process."""
        worker = self.worker()
        if worker is not None:
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
        return worker is not None

    def pids(self) -> list[int]:
        if self._process is None or self._process.poll() is not None:
            return []
        worker = self.worker()
        return [self._process.pid] if worker is None else [self._process.pid, worker]

    def worker(self) -> int | None:
        for child in _children(self._process.pid if self._process else 0):
            with suppress(OSError):
                if b"rag_service.worker" in Path(f"/proc/{child}/cmdline").read_bytes():
                    self.workers.add(child)
                    return child
        return None

    def resident_mb(self) -> dict[str, float]:
        if self._process is None:
            return {}
        worker = self.worker()
        both = resident_mb(self._process.pid)
        background = resident_mb(worker) if worker else 0.0
        return {"server": both - background, "worker": background}

    @contextmanager
    def asleep(self) -> Iterator[None]:
        """Stopped, as on a machine that sleeps: monotonic time is not counted there either."""
        pids = self.pids()
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the base says of itself, read beside the service."""
        path = f"file:{self._base.data / 'rag.db'}?mode=ro"
        with closing(sqlite3.connect(path, uri=True, timeout=10)) as connection:
            return connection.execute(query).fetchall()

    def unfinished_jobs(self) -> int:
        query = "select count(*) from jobs where state in ('queued', 'running')"
        return int(self.rows(query)[0][0])

    def command(self, *words: str, timeout_s: float = 300) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self._clock.command(*words),
            env=self._environ,
            capture_output=True,
            text=True,
            timeout=timeout_s,
        )

    def command_killed(self, seconds: float, *words: str) -> bool:
        """Begun, and killed after so long; False when it had ended by itself."""
        process = subprocess.Popen(
            self._clock.command(*words),
            env=self._environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            process.wait(seconds)
            return False
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return True


def enter_namespace() -> bool:
    """Run this program again where it may mount; True there, False where it cannot."""
    if os.environ.get("SOAK_INSIDE"):
        return True
    unshare = shutil.which("unshare")
    if unshare is None:
        return False
    around = [unshare, "--user", "--map-root-user", "--mount"]
    tried = subprocess.run([*around, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True)
    if tried.returncode:
        return False
    os.environ["SOAK_INSIDE"] = "1"
    return os.execv(unshare, [*around, sys.executable, *sys.argv])


def mount(folder: Path) -> None:
    folder.mkdir()
    options = ["-o", f"size={DISK_MB}m,mode=700"]
    subprocess.run(["mount", "-t", "tmpfs", *options, "soak", str(folder)], check=True)


def unmount(folder: Path) -> None:
    subprocess.run(["umount", "--lazy", str(folder)], check=False)


def free_mb(folder: Path) -> float:
    return shutil.disk_usage(folder).free / 1e6


def _limit(pid: int, most: int) -> None:
    with suppress(OSError):  # it has ended
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most if most >= 0 else hard, hard))


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        return [
            int(child)
            for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    return []


def note(text: str, **rest: Any) -> None:
    say(f"{time.strftime('%H:%M:%S')} {text} {rest or ''}")
