"""One reading child, as the process that started it sees it."""

import logging
import os
import select
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from subprocess import PIPE, Popen, TimeoutExpired
from time import monotonic
from typing import IO, Any, cast

from msgspec import Struct

from rag_service.documents import Document
from rag_service.errors import Unreadable
from rag_service.readers.messages import (
    WAITS,
    Answer,
    Entry,
    GoesOn,
    Ready,
    Refused,
    Unpack,
    Unpacked,
    order_for,
    packed,
    read_message,
)

_START_SECONDS = 12
"""Of processor time. A guess."""
_END_SECONDS = 1
"""Until a child whose input is closed, which has nothing to do, is killed."""
_ENVELOPE_BYTES = 4096
_PIECE_BYTES = 1 << 20
_PASSED_ON = (
    *("PATH", "HOME", "TMPDIR", "LANG", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"),
    *("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "PYTHONUTF8", "PYTHONIOENCODING"),
)
"""Keys and tokens among the variables are none of a reader's business."""

log = logging.getLogger(__name__)


class Ended(Exception):
    """The child is no longer there: it has not answered in time, or has ended by itself."""

    def __init__(self, code: int, *, timed_out: bool = False) -> None:
        """`code` is negative for a signal."""
        self._timed_out = timed_out or -code in _CLOCKS
        self._how = f"exit code {code}"
        if code < 0:
            with suppress(ValueError):
                self._how = signal.Signals(-code).name
        super().__init__(f"it ended with {self._how}")

    def refusal(self, seconds: float) -> Unreadable:
        """Of the file that it had for so long at most."""
        if self._timed_out:
            return Unreadable(
                f"took longer than {seconds:g} s to read (RAG_READER_SECONDS): split it"
            )
        return Unreadable(
            f"made its reader crash ({self._how}), being damaged or too large: "
            "save it again, or split it"
        )


_CLOCKS = (signal.SIGALRM, signal.SIGXCPU)


def unreadable(answer: Refused, source_url: str) -> Unreadable:
    """The log tells of what nobody foresaw."""
    if answer.trace:
        log.warning("%s\n%s", source_url, answer.trace)
    return Unreadable(answer.reason)


class ChildProcess:
    """Used by one thread at a time, but for `kill`. `output_bytes` is the longest answer that is
    taken. Raises OSError when it cannot be started, and Ended when it ends before it is ready."""

    def __init__(self, command: Sequence[str], output_bytes: int) -> None:
        self._most_bytes = output_bytes + _ENVELOPE_BYTES
        # it inherits no other descriptor of ours
        self._process = Popen(command, stdin=PIPE, stdout=PIPE, bufsize=0, env=_environ())
        assert self._process.stdin and self._process.stdout
        self._input, self._output = self._process.stdin, self._process.stdout
        for pipe in (self._input, self._output):
            os.set_blocking(pipe.fileno(), False)
        self._hear(_START_SECONDS, Ready)

    def ask(self, document: Document, seconds: float) -> Answer:
        """Raises Ended."""
        self._say(order_for(document), seconds)
        return cast(Answer, self._hear(seconds, Answer))

    def unpack(self, order: Unpack, seconds: float) -> Iterator[dict[str, Any]]:
        """The pushes in a file, each of which may take that long. Raises Ended, and Unreadable on
        the way."""
        self._say(order, seconds)
        while isinstance(answer := self._hear(seconds, Entry | Unpacked | Refused), Entry):
            yield answer.push
        if isinstance(answer, Refused):
            raise unreadable(answer, order.source_url)

    def is_over(self) -> bool:
        """It has been ended by somebody else, such as a system that is short of memory."""
        return self._process.poll() is not None

    def close(self) -> None:
        """It ends when it has nothing to do, and is killed otherwise."""
        self._input.close()
        try:
            self._process.wait(_END_SECONDS)
        except TimeoutExpired:
            self.kill()
        self._over()

    def kill(self) -> None:
        self._process.kill()

    def _say(self, order: Struct, seconds: float) -> None:
        with self._living():
            self._write(packed(order), monotonic() + seconds * WAITS)

    def _hear(self, seconds: float, kind: Any) -> Any:
        message: Any = GoesOn()
        with self._living():
            while isinstance(message, GoesOn):
                read = partial(self._read, monotonic() + seconds * WAITS)
                message = read_message(read, kind | GoesOn, self._most_bytes)
        return message

    @contextmanager
    def _living(self) -> Iterator[None]:
        """Raises Ended."""
        try:
            yield
        except (EOFError, OSError):
            raise Ended(self._over()) from None
        except _Late:
            self.kill()
            raise Ended(self._over(), timed_out=True) from None
        except ValueError as error:  # it is no longer itself, whatever it sent
            self.kill()
            raise Ended(self._over()) from error

    def _write(self, data: bytes, deadline: float) -> None:
        left = memoryview(data)
        while left:
            _wait(self._input, select.POLLOUT, deadline)
            left = left[os.write(self._input.fileno(), left) :]

    def _read(self, deadline: float, length: int) -> bytes:
        data = bytearray()
        while len(data) < length:
            _wait(self._output, select.POLLIN, deadline)
            piece = os.read(self._output.fileno(), min(length - len(data), _PIECE_BYTES))
            if not piece:
                break
            data += piece
        return bytes(data)

    def _over(self) -> int:
        """Its exit code, negative for a signal. One that closed its pipes and stays is killed."""
        self._input.close()
        self._output.close()
        try:
            return self._process.wait(_END_SECONDS)
        except TimeoutExpired:
            self.kill()
            return self._process.wait()


class _Late(Exception):
    """The time is over."""


def _wait(pipe: IO[bytes], event: int, deadline: float) -> None:
    """Raises _Late."""
    ready = select.poll()  # which takes any number of a descriptor
    ready.register(pipe, event)
    if not ready.poll(max(0.0, deadline - monotonic()) * 1000):
        raise _Late


def _environ() -> dict[str, str]:
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return passed_on | {"OPENBLAS_NUM_THREADS": "1"}  # its threads would take address space
