"""Files from outside are read in child processes, so that none of them can hurt this one.

A file that crashes its reader, takes too long or too much memory is `Unreadable` like any other,
and costs nobody else anything. What was pushed as text, and is not long, is read right here.
"""

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError, Future
from itertools import islice
from queue import SimpleQueue

from rag_service.documents import Document, ParsedDocument
from rag_service.errors import ReaderUnavailable, Unreadable
from rag_service.programs import program
from rag_service.readers import parse
from rag_service.readers.child_process import ChildProcess, Ended
from rag_service.readers.containers import ALL, Push, Within, has_documents, pushes_of
from rag_service.readers.messages import Limits, Unpack
from rag_service.readers.reader_thread import ReaderThread, Reading

LONGEST_TEXT = 32_768
"""Characters of what is read here. The slowest page of that length that is known is one tag
with thousands of attributes: it takes 0.1 s, and one of ten times the length 10 s."""

AHEAD = 4
"""Documents for each child that are read, or wait to be, before the first of them is taken."""


class ReaderPool:
    """Thread-safe. At most `size` children read side by side. They are started when there is work
    for them, and end when there has been none for a while. `close` ends them."""

    def __init__(self, size: int, limits: Limits, command: Sequence[str] | None = None) -> None:
        self._limits = limits
        self._size = size
        self._command = command or program("rag_service.readers.child")
        self._readings: SimpleQueue[Reading | None] = SimpleQueue()
        self._threads: list[ReaderThread] = []
        self._unfinished = 0
        self._unpacking = threading.BoundedSemaphore(size)
        self._closed = False
        self._lock = threading.Lock()

    def read(self, documents: Sequence[Document]) -> Iterator[ParsedDocument | Unreadable]:
        """In their order, files side by side, a few ahead of whoever takes them, so that memory is
        bounded. Raises ReaderUnavailable."""
        left = iter(documents)
        begun: deque[tuple[Document, Future[ParsedDocument] | None]] = deque()
        try:
            while True:
                for document in islice(left, AHEAD * self._size - len(begun)):
                    begun.append((document, self._begin(document)))
                if not begun:
                    return
                document, parsed = begun.popleft()
                try:
                    yield parsed.result() if parsed else parse(document)
                except Unreadable as error:
                    yield error
                except CancelledError:
                    raise ReaderUnavailable(_ENDING) from None
        finally:
            for _, parsed in begun:
                if parsed:
                    parsed.cancel()

    def unpack(
        self, name: str, data: bytes, source_url: str, within: Within = ALL
    ) -> Iterator[Push]:
        """As `containers.pushes_of`. Whoever takes them may take their time: a file of several
        documents is opened by a child of its own. Raises Unreadable and ReaderUnavailable."""
        if not has_documents(name, data, within):
            yield from pushes_of(name, data, source_url, within)
            return
        order = Unpack(
            name=name,
            data=data,
            source_url=source_url,
            attachments=within.attachments,
            types=within.types,
        )
        with self._unpacking:
            child = self._start()
            try:
                yield from child.unpack(order, self._limits.seconds)
            except Ended as ended:
                raise ended.refusal(self._limits.seconds) from None
            finally:
                child.kill()
                child.close()

    def close(self) -> None:
        """What has not been read by now is not read."""
        with self._lock:
            self._closed = True
        for thread in self._threads:
            self._readings.put(None)
            thread.close()
        for thread in self._threads:
            thread.join()

    def _begin(self, document: Document) -> Future[ParsedDocument] | None:
        """None for what is read here, when it is asked for."""
        if not _may_cost(document.content):
            return None
        parsed: Future[ParsedDocument] = Future()
        with self._lock:
            if self._closed:
                raise ReaderUnavailable(_ENDING)
            self._unfinished += 1
            if len(self._threads) < min(self._size, self._unfinished):
                self._threads.append(ReaderThread(self._readings, self._start, self._limits))
        parsed.add_done_callback(self._finished)
        self._readings.put(Reading(document, parsed))
        return parsed

    def _finished(self, parsed: Future[ParsedDocument]) -> None:
        with self._lock:
            self._unfinished -= 1

    def _start(self) -> ChildProcess:
        """Raises ReaderUnavailable."""
        values = (self._limits.memory_mb, self._limits.seconds, self._limits.output_bytes)
        try:
            return ChildProcess([*self._command, *map(str, values)], self._limits.output_bytes)
        except (OSError, Ended) as error:
            reason = f"no process to read files can be started: {error}"
            raise ReaderUnavailable(reason) from error


def _may_cost(content: str | bytes) -> bool:
    return isinstance(content, bytes) or len(content) > LONGEST_TEXT


_ENDING = "the service is ending: try again"
