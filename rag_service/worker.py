"""The background process of a server: jobs, sealing, webhooks and upkeep, out of its requests' way.

It reads orders from standard input, a JSON object a line, and tells on standard output that it is
ready, and then how far it is. At the end of its input, which is also the end of its server, it
stops after the group at hand; the next server goes on from there.
"""

import asyncio
import logging
import os
import signal
import sys
import threading
from asyncio import StreamReader, StreamReaderProtocol
from contextlib import suppress
from typing import BinaryIO

import msgspec

from rag_service.assembly import Service, assemble
from rag_service.background.batch import Batches
from rag_service.background.gap_watch import ledger_lock
from rag_service.background.jobs import spool_folder
from rag_service.background.lanes import Lane, is_small
from rag_service.background.orders import Order, Report
from rag_service.errors import OtherVersion
from rag_service.locks import turn_at
from rag_service.settings import load_settings
from rag_service.supervisor import (
    Loop,
    Retries,
    Supervisor,
    describe,
    in_thread,
    is_end,
    is_passing,
    trace,
)

_OTHERS_S = 1.0
"""Another server's process may be delivering: it is looked after again after this."""
_TRIES = 5
"""Of a sealing that fails unforeseen; the next write asks for it again."""

log = logging.getLogger(__name__)


def main() -> None:
    logging.basicConfig(level=os.environ.get("RAG_LOG_LEVEL", "info").upper(), stream=sys.stderr)
    for signal_ in (signal.SIGINT, signal.SIGTERM):  # sent to us as well as the server, which
        signal.signal(signal_, signal.SIG_IGN)  # ends us by closing our input
    if hasattr(os, "nice"):
        os.nice(19)
    try:
        with assemble(load_settings()) as service:
            asyncio.run(Worker(service).run())
    except OtherVersion as error:
        log.error("the background process steps aside until its server is restarted: %s", error)
        while sys.stdin.buffer.readline():  # if it ended, its server would start another
            pass


class Worker:
    def __init__(self, service: Service) -> None:
        self._service = service
        self._clock = service.clock
        self._telling = threading.Lock()
        self._batches = Batches(
            service.settings, service.store.jobs, service.importer, self._tell, self._want_sealing
        )
        run, fail = self._batches.run, self._batches.fail
        self._small = Lane("small jobs", run, fail, self._tell)
        self._large = Lane("large jobs", run, fail, self._tell)
        self._sealing = Loop("sealing", self.seal)
        self._wanted: dict[str, float | None] = {}
        """Views that are worth sealing, and from what share of new chunks on."""
        self._retries: Retries[str] = Retries()
        self._delivering = Loop("deliveries", self.deliver)
        self._upkeep = Loop("upkeep", self.look_after)
        self._gaps = Loop("gaps", self.follow)
        self._asked = False
        self._apart_gaps: Retries[str] = Retries()
        self._followed = ""
        self._owed = False
        self._turn: BinaryIO | None = None
        """The lock of the process that delivers, while that is this one."""
        self._ledger_turn: BinaryIO | None = None
        """The same of the one that keeps the ledger."""

    async def run(self) -> None:
        """Until the input ends."""
        orders = StreamReader()
        reading = asyncio.get_running_loop().connect_read_pipe(
            lambda: StreamReaderProtocol(orders), sys.stdin.buffer
        )
        await reading
        over = asyncio.Event()

        async def obey(now: float) -> float | None:
            if line := await orders.readline():
                self.take(msgspec.json.decode(line, type=Order))
                return now
            over.set()
            return None

        loops = (
            self._small.loop,
            self._large.loop,
            self._sealing,
            self._delivering,
            self._upkeep,
            self._gaps,
        )
        async with Supervisor().running(Loop("orders", obey), *loops):
            self._tell(Report(ready=True))
            await over.wait()
            self._batches.stop()
        if self._turn is not None:
            await self._service.deliverer.close()
            self._turn.close()
        if self._ledger_turn is not None:
            self._ledger_turn.close()

    def take(self, order: Order) -> None:
        match order.do:
            case "job":
                (self._small if is_small(order) else self._large).put(order)
            case "seal":
                self._wanted.setdefault(order.what, None)
                self._sealing.wake()
            case "deliver":
                self._owed = True
                self._delivering.wake()
            case "upkeep":
                self._upkeep.wake()
            case "gaps":
                self._asked = True
                self._gaps.wake()

    async def seal(self, now: float) -> float | None:
        """A step: seal the views of one bot."""
        apart = self._retries.waiting(now)
        bot_id = next((bot_id for bot_id in self._wanted if bot_id not in apart), None)
        if bot_id is None:
            return self._retries.next_due(now)
        share = self._wanted[bot_id]
        try:
            await in_thread(self._service.store.views.seal, bot_id, share=share)
        except BaseException as error:
            if is_end(error):
                raise
            told = describe(error)
            log.warning("views of %s: %s", bot_id, told, exc_info=trace(error))
            if self._retries.failed(bot_id, now) < _TRIES or is_passing(error):
                return now
        self._retries.forget(bot_id)
        self._wanted.pop(bot_id, None)
        self._tell(Report(sealed=bot_id))
        return now

    async def deliver(self, now: float) -> float | None:
        """A step of whoever delivers: one process of a data folder at a time."""
        if not self._owed:
            return None
        if self._turn is None:
            self._turn = turn_at(spool_folder(self._service.settings) / "deliveries.lock")
        if self._turn is None:
            return now + _OTHERS_S
        return await self._service.deliverer.step(now)

    async def follow(self, now: float) -> float | None:
        """A step of whoever keeps the ledger: one process of a data folder at a time."""
        if not self._asked:
            return None
        if self._ledger_turn is None:
            self._ledger_turn = turn_at(ledger_lock(self._service.settings))
        if self._ledger_turn is None:
            return now + _OTHERS_S
        bots = await in_thread(self._service.ledger.waiting)
        apart = self._apart_gaps.waiting(now)
        ready = [bot_id for bot_id in bots if bot_id not in apart]
        if not ready:
            self._asked = bool(bots)
            return self._apart_gaps.next_due(now)
        bot_id = min(ready, key=lambda bot: (bot <= self._followed, bot))  # each has its turn
        self._followed = bot_id
        try:
            await in_thread(self._service.ledger.consider, bot_id)
        except BaseException as error:
            if is_end(error):
                raise
            self._apart_gaps.failed(bot_id, now)
            log.warning("gaps of %s: %s", bot_id, describe(error), exc_info=trace(error))
        else:
            self._apart_gaps.forget(bot_id)
        return now

    async def look_after(self, now: float) -> float:
        """A step of upkeep."""
        moment = self._clock.now()
        again = await in_thread(self._service.upkeep.step, moment)
        return now + max(0.0, (again - moment).total_seconds())

    def _want_sealing(self, bot_id: str, share: float) -> None:
        self._wanted.setdefault(bot_id, share)
        self._sealing.wake()

    def _tell(self, report: Report) -> None:
        # when nobody listens any more, the end of the input stops us
        with self._telling, suppress(BrokenPipeError):
            sys.stdout.buffer.write(msgspec.json.encode(report) + b"\n")
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
