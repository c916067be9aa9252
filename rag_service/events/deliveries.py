"""What is owed to webhooks, delivered in the background, over restarts, at least once.

One process of a data folder delivers at a time. It takes in events, sends what is due, and notes
what came of it a few times a second for all receivers together, so that it seldom holds the lock
of writers. Receivers do not wait for each other: each has a share of its own.
"""

import asyncio
import logging
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from rag_service.access.scope import ALL_BOTS
from rag_service.clock import Clock, SystemClock, written
from rag_service.events.poster import Answer, Poster
from rag_service.events.store import FAILING_AFTER, Due, OutboxStore, Outcome, Webhook, WebhookStore
from rag_service.events.webhooks import attempt_of, is_taken, payload_of, send
from rag_service.supervisor import (
    Loop,
    Retries,
    Supervisor,
    describe,
    in_thread,
    is_end,
    is_passing,
)

RETRY_AFTER_S = (1, 5, 30, 120, 600, 1800, 3600, 7200, 14400, 21600, 37044)
"""A failed delivery is tried again after each of these and up to a tenth more: a day in all."""
DISABLED_AFTER_S = sum(RETRY_AFTER_S)
"""A webhook that nothing could be delivered to for as long is disabled, after tries enough: time
alone says nothing, since a machine may have slept through it."""
AT_ONCE = 8
"""Requests to one webhook."""
_AHEAD = 32
"""Deliveries of one webhook that are read, or whose outcome is not noted yet. With more at once
the lock of writers is held for longer: 64 are twice as quick, and slow an answer down by 5 ms."""
_HELD_S = (1, 5, 30, 120, 300)
"""A failing webhook is tried with one delivery, and after these with the next."""
DISABLED_AFTER_TRIES = DISABLED_AFTER_S // _HELD_S[-1]
"""In a row, if no delivery has used up its own: as many as a day without sleep would hold."""
_SET_ASIDE_AFTER = 5
"""An outcome that cannot be noted, for another reason than the disk, is left after as many tries;
a later process finds its delivery due."""
_PACE_S = 0.05
"""Between two steps, so that what ends meanwhile is noted together."""
_OTHERS_S = 1.0
"""What another process writes tells nobody here: it is looked for after this."""
_LAST_S = 3.0
_GONE = 410

log = logging.getLogger(__name__)


class Deliverer:
    """One process of a data folder takes its `step`s, and then the `close`."""

    def __init__(
        self,
        store: WebhookStore,
        outbox: OutboxStore,
        poster: Callable[[], Poster],
        *,
        retry_after_s: Sequence[float] = RETRY_AFTER_S,
        clock: Clock | None = None,
    ) -> None:
        self._store = store
        self._outbox = outbox
        self._poster = poster
        self._retry_after_s = retry_after_s
        self._clock = clock or SystemClock()
        self._webhooks: dict[str, Webhook] = {}
        """Those that are enabled, as of the last step."""
        self._at_work: dict[int, Due] = {}
        self._finished: list[Outcome] = []
        self._unnoted: Retries[int] = Retries()
        self._held: dict[str, float] = {}
        """Until when nothing more is sent there: a monotonic time."""
        self._failed_in_a_row: Counter[str] = Counter()
        self._probes: Counter[str] = Counter()
        self._doors: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(AT_ONCE))
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = Loop("deliveries", self.step, self._clock)
        self._stopped = False
        self._stopping = asyncio.Event()

    def wake(self) -> None:
        """Something was written; from any thread, while it runs."""
        self._loop.wake()

    def stop(self) -> None:
        """From any thread. What is on its way is waited for, a little."""
        self._stopped = True
        self.wake()

    async def run(self) -> None:
        """Until `stop`, with an event loop of its own."""
        async with Supervisor().running(self._loop):
            await self._stopping.wait()
        await self.close()

    async def step(self, now: float) -> float | None:
        """Note, take in, send; when there may be more to do, if nothing moves."""
        if self._stopped:
            self._stopping.set()
            return None
        await self._note(now)
        more = await in_thread(self._outbox.fan_out)
        later = await self._begin()
        await asyncio.sleep(_PACE_S)
        return now if more or self._at_work else now + min(_OTHERS_S, self._until(later))

    async def close(self) -> None:
        self._stopped = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_LAST_S)
        for task in self._tasks:
            task.cancel()
        with suppress(Exception):  # what is not noted is sent again by the next process
            await self._note(self._clock.monotonic())
        await self._poster().close()

    async def _note(self, now: float) -> None:
        """All together; one by one after a failure, so that one outcome stops no other."""
        waiting = set(self._unnoted.waiting(now))
        finished = [outcome for outcome in self._finished if outcome.row not in waiting]
        try:
            await self._settle(finished)
        except BaseException as error:
            if is_end(error) or is_passing(error):
                raise
            for outcome in finished:
                await self._note_alone(outcome, now)

    async def _note_alone(self, outcome: Outcome, now: float) -> None:
        try:
            await self._settle([outcome])
        except BaseException as error:
            if is_end(error) or is_passing(error):
                raise
            log.warning("delivery %d is not noted: %s", outcome.row, describe(error))
            if self._unnoted.failed(outcome.row, now) >= _SET_ASIDE_AFTER:
                # it stays at work, so that this process does not send it again and again
                self._finished.remove(outcome)
                self._unnoted.forget(outcome.row)

    async def _settle(self, outcomes: list[Outcome]) -> None:
        if outcomes:
            await in_thread(self._outbox.settle, outcomes)
        for outcome in outcomes:
            self._finished.remove(outcome)
            self._unnoted.forget(outcome.row)
            del self._at_work[outcome.row]

    async def _begin(self) -> str | None:
        """Send what is due; when the next one will be."""
        former = self._webhooks
        every = await in_thread(self._store.all, ALL_BOTS)
        self._webhooks = {one.id: one for one in every if one.enabled}
        for one in self._webhooks.values():
            if one.id not in former or former[one.id].updated_at != one.updated_at:
                self._forget(one.id)  # somebody has mended it, or so they say
        found, later = await in_thread(
            self._outbox.due, self._room(), list(self._at_work), written(self._clock.now())
        )
        for due in found:
            self._at_work[due.row] = due
            probes = _is_failing(self._webhooks[due.webhook_id])
            task = asyncio.create_task(self._deliver(due, probes))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return later

    def _room(self) -> dict[str, int]:
        """How many more deliveries each webhook may have at work."""
        taken = Counter(due.webhook_id for due in self._at_work.values())
        now = self._clock.monotonic()
        room = {}
        for webhook in self._webhooks.values():
            most = 1 if _is_failing(webhook) else _AHEAD
            if self._held.get(webhook.id, now) <= now and taken[webhook.id] < most:
                room[webhook.id] = most - taken[webhook.id]
        return room

    async def _deliver(self, due: Due, probes: bool) -> None:
        async with self._doors[due.webhook_id]:
            webhook = self._webhooks.get(due.webhook_id)  # as it is now
            failing = self._failed_in_a_row[due.webhook_id] >= FAILING_AFTER
            if webhook is None or self._stopped or (failing and not probes):
                del self._at_work[due.row]  # not begun: its turn comes again
                return
            moment = self._clock.now()
            at, body = written(moment), payload_of(due.event)
            try:
                answer = await send(self._poster(), webhook, due.event.id, body, moment)
            except BaseException as error:  # a delivery ends here, and the others do not wait
                if is_end(error):
                    raise
                log.exception("delivery of %s", due.event.id)
                answer = Answer(error="an unforeseen failure: see the log of the service")
        self._finished.append(self._outcome(webhook, due, answer, at))

    def _outcome(self, webhook: Webhook, due: Due, answer: Answer, at: str) -> Outcome:
        attempt = attempt_of(answer, at)
        if is_taken(answer):
            self._forget(webhook.id)
            return Outcome(
                row=due.row, updated_at=webhook.updated_at, attempt=attempt, delivered=True
            )
        moment = self._clock.now()
        present = self._webhooks.get(webhook.id)
        if present is not None and present.updated_at == webhook.updated_at:
            self._hold(webhook, answer)
        retry_at = None
        if due.attempts < len(self._retry_after_s):
            wait = self._retry_after_s[due.attempts] * random.uniform(1.0, 1.1)
            wait = max(wait, answer.retry_after_s or 0.0)
            retry_at = written(moment + timedelta(seconds=wait))
        return Outcome(
            row=due.row,
            updated_at=webhook.updated_at,
            attempt=attempt,
            delivered=False,
            retry_at=retry_at,
            disable=self._why_disabled(webhook, answer, attempt.error, last=retry_at is None),
        )

    def _hold(self, webhook: Webhook, answer: Answer) -> None:
        """Spare a receiver that asks for it, or that nothing can be delivered to."""
        wait = answer.retry_after_s or 0.0
        self._failed_in_a_row[webhook.id] += 1
        if _is_failing(webhook):
            wait = max(wait, _HELD_S[min(self._probes[webhook.id], len(_HELD_S) - 1)])
            self._probes[webhook.id] += 1
        if wait:
            self._held[webhook.id] = self._clock.monotonic() + wait

    def _forget(self, webhook_id: str) -> None:
        for noted in (self._held, self._failed_in_a_row, self._probes):
            noted.pop(webhook_id, None)

    def _why_disabled(
        self, webhook: Webhook, answer: Answer, error: str | None, *, last: bool
    ) -> str | None:
        """`last`: its delivery has used up all of its tries."""
        if answer.status == _GONE:
            return "the receiver answered 410: it wants no more"
        if webhook.failing_since is None:
            return None
        since = datetime.fromisoformat(webhook.failing_since)
        tried_enough = last or webhook.failures >= DISABLED_AFTER_TRIES
        if not tried_enough or (self._clock.now() - since).total_seconds() < DISABLED_AFTER_S:
            return None
        return f"nothing could be delivered since {webhook.failing_since}; the last time: {error}"

    def _until(self, later: str | None) -> float:
        if later is None:
            return _OTHERS_S
        return max(0.0, (datetime.fromisoformat(later) - self._clock.now()).total_seconds())


def _is_failing(webhook: Webhook) -> bool:
    return webhook.failures >= FAILING_AFTER
