"""Many documents at once: a stream of pushes through plan, embed and commit side by side.

Each group of documents is one transaction. While a group is embedded, the next one is planned and
the former one committed, so the cores never wait for the disk. Memory is bounded by the groups
in flight, however long the stream.
"""

import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, Self, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from rag_service.access.scope import Scope
from rag_service.errors import RagError
from rag_service.knowledge.base import KnowledgeBase
from rag_service.knowledge.lines import Line
from rag_service.knowledge.store import Embedded
from rag_service.knowledge.upserts import Plan, Upserted
from rag_service.knowledge.views import ViewStore

GROUP_DOCUMENTS = 512
GROUP_CHARACTERS = 800_000
IN_FLIGHT = 4
"""Groups that may be planned and not yet committed: one in each stage and between two of them."""
IMPORT_SHARE = 1.0
"""While an import runs, views are sealed when they have doubled: that costs twice what sealing
once does, however large the corpus, and the embedder gets the rest of the time."""
FINAL_SHARE = 0.05
"""After an import, views that lag by more than this are sealed: the first search is fast."""

_MOST_POISONED = 8
"""Lines of a group that may fail unforeseen by themselves; with more it is not theirs. A guess."""

T = TypeVar("T")

log = logging.getLogger(__name__)


class Result(Struct, frozen=True, kw_only=True):
    """What became of a line; without `upserted` the line's `error` tells why."""

    line: Line
    upserted: Upserted | None


class Importer:
    """Blocking; may be used by several threads."""

    def __init__(self, knowledge: KnowledgeBase, views: ViewStore) -> None:
        self._knowledge = knowledge
        self._views = views

    def run(
        self,
        scope: Scope,
        lines: Iterable[Line],
        seal: Callable[[str, float], None] | None = None,
    ) -> Iterator[list[Result]]:
        """One result a line, in order, a group at a time; each is on disk when it comes out.

        A bad line does not stop the others, also when nobody foresaw what is bad about it. Raises
        StorageFailed or ModelUnavailable when nothing further can be written; what came out before
        stays. `seal` is told the bots whose views are worth sealing, and from what share of new
        chunks on; without it they are sealed beside the import, and at its end.
        """
        planned = _Stage(self._planned(scope, lines))
        embedded = _Stage(self._embedded(planned))
        sealing = _Sealing(self._views) if seal is None else _SealingElsewhere(seal)
        with sealing, planned, embedded:
            for group, plan, vectors in embedded:
                results = self._written(scope, group, plan, vectors)
                sealing.consider({line.document.bot_id for line in group if line.document})
                yield results

    def _written(
        self, scope: Scope, group: list[Line], plan: Plan | None, vectors: dict[bytes, Embedded]
    ) -> list[Result]:
        """Line by line when the group as a whole fails unforeseen."""
        try:
            return self._write(scope, group, plan, vectors)
        except Exception as error:
            if not _is_unforeseen(error):
                raise
            log.warning("lines from %d on are done one by one: %r", group[0].number, error)
        results = []
        failures = 0
        for line in group:
            try:
                results += self._write(scope, [line], None, {})
            except Exception as error:
                failures += 1
                if not _is_unforeseen(error) or failures > _MOST_POISONED:
                    raise
                log.exception("line %d", line.number)
                failed = "an unforeseen failure: see the log of the service"
                results.append(Result(line=replace(line, error=failed), upserted=None))
        return results

    def _write(
        self, scope: Scope, group: list[Line], plan: Plan | None, vectors: dict[bytes, Embedded]
    ) -> list[Result]:
        if plan is None:
            plan = self._plan(scope, group)
            vectors = self._knowledge.embed(plan)
        upserted = iter(self._knowledge.commit(scope, plan, vectors))
        return [_result(line, plan, upserted) for line in group]

    def _planned(
        self, scope: Scope, lines: Iterable[Line]
    ) -> Iterator[tuple[list[Line], Plan | None]]:
        """None where a document is in flight already: what changes is known when that is over."""
        flying: deque[set[tuple[str, str]]] = deque(maxlen=IN_FLIGHT)
        for group in _grouped(lines):
            keys = {line.key for line in group if line.key}
            again = any(not keys.isdisjoint(others) for others in flying)
            flying.append(keys)
            try:
                plan = None if again else self._plan(scope, group)
            except Exception as error:
                if not _is_unforeseen(error):
                    raise
                plan = None  # it is tried again, line by line
            yield group, plan

    def _plan(self, scope: Scope, group: list[Line]) -> Plan:
        return self._knowledge.plan(
            scope,
            [line.document for line in group if line.document],
            strict={line.key for line in group if line.key and line.strict},
        )

    def _embedded(
        self, planned: Iterable[tuple[list[Line], Plan | None]]
    ) -> Iterator[tuple[list[Line], Plan | None, dict[bytes, Embedded]]]:
        for group, plan in planned:
            try:
                vectors = {} if plan is None else self._knowledge.embed(plan)
            except Exception as error:
                if not _is_unforeseen(error):
                    raise
                plan, vectors = None, {}
            yield group, plan, vectors


def _is_unforeseen(error: Exception) -> bool:
    """It may be one line's fault; a full disk, a held lock or a lost model is nobody's."""
    return not isinstance(error, RagError | OSError | MemoryError)


def _result(line: Line, plan: Plan, upserted: Iterator[Upserted]) -> Result:
    if line.document is None:
        return Result(line=line, upserted=None)
    refusal = plan.refused.get((line.document.bot_id, line.document.source_url))
    if refusal is not None:
        return Result(line=replace(line, error=refusal.told()), upserted=None)
    return Result(line=line, upserted=next(upserted))


def _grouped(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Groups in which no key occurs twice, so that later lines win over earlier ones."""
    group: list[Line] = []
    keys: set[tuple[str, str]] = set()
    size = 0
    for line in lines:
        key = line.key
        full = len(group) >= GROUP_DOCUMENTS or size >= GROUP_CHARACTERS
        if group and (full or key in keys):
            yield group
            group, keys, size = [], set(), 0
        group.append(line)
        if line.document and key:
            keys.add(key)
            size += len(line.document.content)
    if group:
        yield group


class _Sealing:
    """Seals views beside an import, one at a time; searches go on without it when it fails."""

    def __init__(self, views: ViewStore) -> None:
        self._views = views
        self._thread = ThreadPoolExecutor(1, "seal")
        self._running: Future[None] | None = None
        self._seen: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.submit(self._seal, self._seen, FINAL_SHARE)
        self._thread.shutdown()

    def consider(self, bot_ids: set[str]) -> None:
        self._seen |= bot_ids
        if self._running is None or self._running.done():
            self._running = self._thread.submit(self._seal, bot_ids, IMPORT_SHARE)

    def _seal(self, bot_ids: set[str], share: float) -> None:
        for bot_id in bot_ids:
            try:
                self._views.seal(bot_id, share=share)
            except RagError as error:
                log.warning("%s", error)


class _SealingElsewhere:
    """Somebody else seals, in their own time: the import does not wait for it."""

    def __init__(self, seal: Callable[[str, float], None]) -> None:
        self._seal = seal
        self._seen: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for bot_id in self._seen:
            self._seal(bot_id, FINAL_SHARE)

    def consider(self, bot_ids: set[str]) -> None:
        self._seen |= bot_ids
        for bot_id in bot_ids:
            self._seal(bot_id, IMPORT_SHARE)


class _Stage(Generic[T]):
    """Runs an iterator in a thread of its own, one item ahead of its reader."""

    def __init__(self, items: Iterator[T]) -> None:
        self._items = items
        self._ready: queue.Queue[T | BaseException | None] = queue.Queue(maxsize=1)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._wanted = True
        self._over = False

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._wanted = False
        while not self._over:
            self._next()
        self._thread.join()

    def __iter__(self) -> Iterator[T]:
        while (item := self._next()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item

    def _next(self) -> T | BaseException | None:
        if self._over:
            return None
        item = self._ready.get()
        self._over = item is None
        return item

    def _run(self) -> None:
        try:
            for item in self._items:
                self._ready.put(item)
                if not self._wanted:
                    break
        except BaseException as error:  # noqa: BLE001  raised again in the reader's thread
            self._ready.put(error)
        finally:
            self._ready.put(None)
