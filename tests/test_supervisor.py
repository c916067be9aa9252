"""Loops go on, whatever is thrown into them."""

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from rag_service.background.dispatching import Dispatcher
from rag_service.background.jobs import Jobs
from rag_service.background.lanes import Lane
from rag_service.background.orders import Background, Order, Report
from rag_service.conversations.replies import Replies
from rag_service.errors import AnswerFailed, Invalid, StorageBusy
from rag_service.events.deliveries import Deliverer
from rag_service.events.fan_out import FanOut
from rag_service.supervisor import FAILING_AFTER, Loop, Retries, Supervisor, in_thread
from rag_service.worker import Worker


class Panic(BaseException):
    """What a library in Rust raises: no Exception, and no exit either."""


THROWN: list[Callable[[], BaseException]] = [
    lambda: RuntimeError("x"),
    lambda: Panic("x"),
    lambda: MemoryError(),
    lambda: OSError(28, "No space left on device"),
    lambda: BrokenPipeError(),
    lambda: sqlite3.OperationalError("x"),
    lambda: sqlite3.DatabaseError("x"),
    lambda: StorageBusy("x"),
    lambda: Invalid("x"),
    lambda: AnswerFailed("x"),
    lambda: StopIteration(),
    lambda: StopAsyncIteration(),
    lambda: AssertionError(),
    lambda: RecursionError(),
    lambda: asyncio.CancelledError(),
    lambda: TimeoutError(),
    lambda: UnicodeDecodeError("utf-8", b"x", 0, 1, "x"),
    lambda: BaseExceptionGroup("x", [Panic()]),
]


class Throwing:
    """A store in which the first call of some methods fails. They are named by their paths."""

    def __init__(
        self,
        real: Any,
        left: dict[str, int],
        thrown: Callable[[], BaseException],
        within: str = "",
    ) -> None:
        self._real = real
        self._thrown = thrown
        self._within = within
        self.left = left

    def __getattr__(self, name: str) -> Any:
        real, path = getattr(self._real, name), f"{self._within}{name}"
        if path not in self.left:
            return (
                Throwing(real, self.left, self._thrown, f"{path}.") if not callable(real) else real
            )

        def call(*args: Any, **kwargs: Any) -> Any:
            if self.left[path]:
                self.left[path] -= 1
                raise self._thrown()
            return real(*args, **kwargs)

        return call


async def until(told: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not told():
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("thrown", THROWN)
def test_a_loop_goes_on_after_anything(thrown: Callable[[], BaseException]) -> None:
    steps = 0

    async def step(now: float) -> float | None:
        nonlocal steps
        steps += 1
        if steps == 1:
            raise thrown()
        return None

    async def run() -> None:
        loop = Loop("tested", step)
        async with Supervisor().running(loop):
            await until(lambda: steps == 2)
            assert (loop.failures, loop.error) == (0, None)
            loop.wake()
            await until(lambda: steps == 3)

    asyncio.run(run())


@pytest.mark.parametrize("end", [SystemExit, KeyboardInterrupt])
def test_an_exit_is_no_failure(end: type[BaseException]) -> None:
    async def step(now: float) -> float | None:
        raise end

    with pytest.raises(end):
        asyncio.run(Loop("tested", step).run())


def test_a_loop_that_fails_again_and_again_is_told_and_then_no_more() -> None:
    broken = True

    async def step(now: float) -> float | None:
        if broken:
            raise StorageBusy("the lock is held")
        return None

    async def run() -> None:
        nonlocal broken
        supervisor, loop = Supervisor(), Loop("tested", step)
        async with supervisor.running(loop):
            await until(lambda: loop.failures == FAILING_AFTER - 1)
            assert supervisor.failing() == {}
            await until(lambda: loop.failures == FAILING_AFTER)
            assert supervisor.failing() == {"tested": "the lock is held"}
            broken = False
            await until(lambda: not supervisor.failing())

    asyncio.run(run())


def test_an_item_waits_longer_each_time_and_the_others_do_not() -> None:
    retries: Retries[str] = Retries()
    waits = []
    for tries in range(1, 9):
        assert retries.failed("a", 0.0) == tries
        waits.append(retries.next_due(0.0) or 0.0)
    assert waits == sorted(waits) and waits[0] < waits[5] == waits[-1]
    assert retries.waiting(0.0) == ["a"] and retries.waiting(waits[-1]) == []
    retries.forget("a")
    assert retries.failed("a", 0.0) == 1


def test_what_a_thread_raises_comes_to_whoever_waits() -> None:
    async def run() -> None:
        for thrown in THROWN:

            def fail(thrown: Callable[[], BaseException] = thrown) -> None:
                raise thrown()

            async with asyncio.timeout(10):
                with pytest.raises(BaseException):  # noqa: B017
                    await in_thread(fail)

    asyncio.run(run())


# -- each loop of ours -------------------------------------------------------------------------


@pytest.mark.parametrize("thrown", THROWN)
def test_each_loop_of_a_server_goes_on(
    service: Any, settings: Any, tmp_path: Any, thrown: Callable[[], BaseException]
) -> None:
    async def run() -> None:
        supervisor = Supervisor()
        methods = (
            "replies.claim",
            "replies.debtors",
            "outbox.owes",
            "events.after",
            "views.wants_sealing",
        )
        store = Throwing(service.store, dict.fromkeys(methods, 1), thrown)
        background = Background(settings, supervisor)
        warm = []

        def warm_up() -> None:
            if not warm:
                warm.append(1)
                raise thrown()

        jobs = Jobs(settings, store, background, warm_up, supervisor)
        replies = Replies(store.replies, service.assistant, tmp_path, supervisor)
        fan_out = FanOut(store.events, supervisor)
        loops = [
            jobs._warming,
            jobs._sealer,
            replies._loop,
            fan_out._loop,
            Dispatcher(store, background, supervisor)._loop,
        ]
        jobs.changed({"default"})
        with fan_out.listening():
            async with supervisor.running(*loops):
                await until(lambda: jobs.warm and not any(store.left.values()))
                await until(lambda: not any(loop.failures for loop in loops))

    asyncio.run(run())


@pytest.mark.parametrize("thrown", THROWN)
def test_each_loop_of_the_background_process_goes_on(
    service: Any, thrown: Callable[[], BaseException], capfdbinary: Any
) -> None:
    async def run() -> None:
        store = Throwing(
            service.store,
            dict.fromkeys(("outbox.fan_out", "outbox.due", "webhooks.all", "views.seal"), 1),
            thrown,
        )
        deliverer = Deliverer(store.webhooks, store.outbox, lambda: None)
        parts = {"store": store, "deliverer": deliverer}
        worker = Worker(Parts(service, parts))
        worker.take(Order("seal", "default"))
        worker.take(Order("deliver"))
        async with Supervisor().running(worker._sealing, worker._delivering):
            await until(lambda: not any(store.left.values()) and not worker._wanted)
            await until(lambda: not worker._delivering.failures)
        assert worker._turn is not None
        worker._turn.close()

    asyncio.run(run())


@pytest.mark.parametrize("thrown", THROWN)
def test_the_ledger_goes_on_and_no_bot_holds_up_the_next(
    service: Any, thrown: Callable[[], BaseException]
) -> None:
    considered: list[str] = []

    class Ledger:
        def waiting(self) -> list[str]:
            return [bot for bot in ("bad", "good") if considered.count(bot) < 3]

        def consider(self, bot_id: str) -> None:
            considered.append(bot_id)
            if bot_id == "bad" and considered.count("bad") < 3:
                raise thrown()

    async def run() -> None:
        worker = Worker(Parts(service, {"ledger": Ledger()}))
        worker.take(Order("gaps"))
        async with Supervisor().running(worker._gaps):
            await until(lambda: considered.count("bad") == considered.count("good") == 3)
        assert worker._ledger_turn is not None
        worker._ledger_turn.close()

    asyncio.run(run())
    assert considered.index("good") < 2


class Parts:
    """A service some of whose parts are others."""

    def __init__(self, real: Any, others: dict[str, Any]) -> None:
        self._real = real
        self._others = others

    def __getattr__(self, name: str) -> Any:
        return self._others[name] if name in self._others else getattr(self._real, name)


@pytest.mark.parametrize("thrown", THROWN)
def test_a_lane_goes_on_with_the_next_job_and_ends_each(
    thrown: Callable[[], BaseException],
) -> None:
    reports: list[Report] = []
    ran: list[str] = []
    failed: list[str] = []

    def run_job(job_id: str) -> bool:
        ran.append(job_id)
        if job_id == "bad" and ran.count("bad") < 3:
            raise thrown()
        return True

    async def run() -> None:
        lane = Lane("tested", run_job, lambda job_id, error: failed.append(job_id), reports.append)
        lane.put(Order("job", "bad", 1, 1))
        lane.put(Order("job", "good", 1, 2))
        async with Supervisor().running(lane.loop):
            await until(lambda: {one.job for one in reports if one.ended} == {"bad", "good"})

    asyncio.run(run())
    assert ran[:2] == ["bad", "good"]
    assert failed == (["bad"] if isinstance(thrown(), Invalid) else [])
