"""A thread that has a child of its own read documents, one after the other."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import NamedTuple

from rag_service.documents import Document, ParsedDocument
from rag_service.errors import ReaderUnavailable
from rag_service.readers.child_process import ChildProcess, Ended, unreadable
from rag_service.readers.messages import Limits, Refused

IDLE_SECONDS = 60.0
"""A child without work ends after this."""


class Reading(NamedTuple):
    """A document, and what it will be once it is read."""

    document: Document
    parsed: Future[ParsedDocument]


class ReaderThread:
    """Runs from its making until `close`. Its child is started by the first document, again when it
    has ended, and ends when it has had no work for a while."""

    def __init__(
        self,
        readings: SimpleQueue[Reading | None],
        start: Callable[[], ChildProcess],
        limits: Limits,
    ) -> None:
        self._readings = readings
        self._start = start
        self._limits = limits
        self._child: ChildProcess | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="reading", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """The document at hand is given up, and those that wait. A reading of None wakes it."""
        self._closed = True
        if (child := self._child) is not None:
            child.kill()

    def join(self) -> None:
        self._thread.join()

    def _run(self) -> None:
        while True:
            try:
                reading = self._readings.get(timeout=IDLE_SECONDS if self._child else None)
            except Empty:
                self._end()
                continue
            if reading is None:
                break
            if self._closed:
                reading.parsed.cancel()
            elif reading.parsed.set_running_or_notify_cancel():
                self._carry_out(reading)
        self._end()

    def _carry_out(self, reading: Reading) -> None:
        try:
            parsed = self._read(reading.document)
        except BaseException as error:  # noqa: BLE001  raised again in the thread that ordered it
            reading.parsed.set_exception(error)
        else:
            reading.parsed.set_result(parsed)

    def _read(self, document: Document) -> ParsedDocument:
        """Raises Unreadable or ReaderUnavailable."""
        child = self._ready_child()
        try:
            answer = child.ask(document, self._limits.seconds)
        except Ended as ended:
            self._child = None
            if self._closed:
                raise ReaderUnavailable("the service is ending: try again") from None
            raise ended.refusal(self._limits.seconds) from None
        except BaseException:
            self._end()
            raise
        if answer.is_last:
            self._end()
        if isinstance(answer, Refused):
            raise unreadable(answer, document.source_url)
        return answer.parsed

    def _ready_child(self) -> ChildProcess:
        """Raises ReaderUnavailable."""
        if self._child is not None and self._child.is_over():
            self._end()
        if self._child is None:
            self._child = self._start()
        if self._closed:  # since it was started
            self._child.kill()
        return self._child

    def _end(self) -> None:
        if self._child is not None:
            self._child.close()
            self._child = None
