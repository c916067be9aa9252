"""Jobs one after the other, the small ones first; what has to wait lets the others go ahead."""

import logging
from collections.abc import Callable

from rag_service.background.orders import Order, Report
from rag_service.clock import Clock, SystemClock
from rag_service.errors import Conflict, EmbedderMismatch, Invalid, NotFound
from rag_service.supervisor import Loop, Retries, describe, in_thread, is_end, is_passing, trace

SMALL_LINES = 64
SMALL_BYTES = 32 << 20
"""A job within both is small: an upload of a file or a few. A guess: seconds, not minutes."""
_TRIES = 3
"""Of a job that fails unforeseen; then it is set aside as failed."""
_FINAL = (Invalid, NotFound, EmbedderMismatch, Conflict)

log = logging.getLogger(__name__)


class Lane:
    """`run` works on a job, in a thread, and tells whether it is over; `fail` closes one.

    A job whose rows or files cannot be written waits until they can, however long that takes.
    """

    def __init__(
        self,
        name: str,
        run: Callable[[str], bool],
        fail: Callable[[str, str], None],
        tell: Callable[[Report], None],
        clock: Clock | None = None,
    ) -> None:
        self._run = run
        self._fail = fail
        self._tell = tell
        self._clock = clock or SystemClock()
        self.loop = Loop(name, self.step, self._clock)
        self._queued: dict[str, Order] = {}
        """With the one at work; a job is here until it is over."""
        self._verdicts: dict[str, str] = {}
        """Why those have failed that are not closed yet."""
        self._retries: Retries[str] = Retries()

    def put(self, order: Order) -> None:
        """One that is here already is not put twice."""
        self._queued.setdefault(order.what, order)
        self.loop.wake()

    async def step(self, now: float) -> float | None:
        """Work on the smallest job that need not wait."""
        apart = self._retries.waiting(now)
        ready = [order for order in self._queued.values() if order.what not in apart]
        if not ready:
            return self._retries.next_due(now)
        job_id = min(ready, key=lambda order: order.size).what
        try:
            error = self._verdicts.get(job_id)
            if error is None:
                over = await in_thread(self._run, job_id)
            else:
                await in_thread(self._fail, job_id, error)
                over = True
        except BaseException as failure:
            if is_end(failure):
                raise
            self._failed(job_id, failure)
        else:
            del self._queued[job_id]
            self._verdicts.pop(job_id, None)
            self._retries.forget(job_id)
            self._tell(Report(job=job_id, ended=over, error=error))
        return now

    def _failed(self, job_id: str, failure: BaseException) -> None:
        told = describe(failure)
        log.warning("job %s: %s", job_id, told, exc_info=trace(failure))
        tries = self._retries.failed(job_id, self._clock.monotonic())
        if job_id in self._verdicts or (is_passing(failure) and not _is_lost(failure)):
            self._tell(Report(job=job_id, note=f"the job waits, and goes on by itself: {told}"))
        elif isinstance(failure, _FINAL) or _is_lost(failure) or tries >= _TRIES:
            self._verdicts[job_id] = told
            self._retries.forget(job_id)
        else:
            self._tell(Report(job=job_id, note=f"the job is tried again: {told}"))


def is_small(order: Order) -> bool:
    return order.lines <= SMALL_LINES and order.size <= SMALL_BYTES


def _is_lost(failure: BaseException) -> bool:
    """The lines of the job are not there, and will not come back."""
    return isinstance(failure, FileNotFoundError)
