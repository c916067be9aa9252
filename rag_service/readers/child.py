"""A process that reads documents for another one, within limits.

`python -P -m rag_service.readers.child MEMORY_MB SECONDS OUTPUT_BYTES`. It imports what a format
needs when the first document of it comes, and holds nothing but its two pipes. It ends when the
other process does, and when it has grown old or large.
"""

import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO

import msgspec
from msgspec.structs import replace

from rag_service.documents import Document, ParsedDocument
from rag_service.errors import Unreadable
from rag_service.readers import parse
from rag_service.readers.messages import (
    WAITS,
    Entry,
    GoesOn,
    Limits,
    Order,
    Read,
    Ready,
    Refused,
    Unpack,
    Unpacked,
    packed,
    read_message,
)
from rag_service.readers.slow_pages import listen

MOST_DOCUMENTS = 1_000
"""What a library leaks has an end. Starting another child costs 0.15 s."""
_GRACE_SECONDS = 2
"""The other process ends a child that hangs; the child's own clock is for when that is gone."""


def main(read: Callable[[Document], ParsedDocument] = parse) -> None:
    for signal_ in (signal.SIGINT, signal.SIGTERM):  # sent to us as well as the other process,
        signal.signal(signal_, signal.SIG_IGN)  # which ends us by closing our input
    limits = msgspec.convert(
        dict(zip(Limits.__struct_fields__, sys.argv[1:], strict=True)), Limits, strict=False
    )
    orders = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)  # what a library prints must not get between the answers
    _limit_memory(limits)
    listen(partial(_go_on, limits, answers))
    with suppress(EOFError, BrokenPipeError):
        _send(packed(Ready()), answers)
        for left in reversed(range(MOST_DOCUMENTS)):
            order = read_message(orders.read, Order | Unpack, sys.maxsize)
            _start_clock(limits)
            if isinstance(order, Unpack):
                answer = _answer(partial(_unpack, order, limits, answers), limits, left == 0)
            else:
                answer = _answer(partial(_read, order, read), limits, left == 0)
            _send(answer, answers)
            del order, answer


def _send(data: bytes, answers: IO[bytes]) -> None:
    """Whoever reads it may take their time."""
    signal.setitimer(signal.ITIMER_REAL, 0)
    answers.write(data)
    answers.flush()


def _go_on(limits: Limits, answers: IO[bytes]) -> None:
    _send(packed(GoesOn()), answers)
    _start_clock(limits)


def _read(order: Order, read: Callable[[Document], ParsedDocument]) -> Read:
    return Read(read(order.document))


def _unpack(order: Unpack, limits: Limits, answers: IO[bytes]) -> Unpacked:
    from rag_service.readers.containers import Within, pushes_of  # noqa: PLC0415

    within = Within(attachments=order.attachments, types=order.types)
    for push in pushes_of(order.name, order.data, order.source_url, within):
        _send(_checked(packed(Entry(push)), limits), answers)
        _start_clock(limits)
    return Unpacked()


def _answer(work: Callable[[], Read | Unpacked], limits: Limits, is_old: bool) -> bytes:
    trace = ""
    try:
        answer = work()
        return _checked(packed(replace(answer, is_last=is_old or _has_grown(limits))), limits)
    except Unreadable as error:
        reason = error.reason
    except MemoryError:
        reason = (
            f"takes more than {limits.memory_mb:,} MiB of memory to read (RAG_READER_MEMORY_MB): "
            "split it"
        )
    except RecursionError:
        reason = "is nested too deeply: send its text"
    except Exception as error:  # noqa: BLE001  one document ends here, whatever was not foreseen
        reason = f"cannot be read ({type(error).__name__}): save it again, or send its text"
        trace = traceback.format_exc()
    return packed(Refused(reason, is_old or _has_grown(limits), trace))


def _checked(message: bytes, limits: Limits) -> bytes:
    """Raises Unreadable when it is too long."""
    if len(message) > limits.output_bytes:
        raise Unreadable(f"holds more than {limits.output_bytes >> 20} MiB of text: split it")
    return message


def _limit_memory(limits: Limits) -> None:
    _set_soft(resource.RLIMIT_CORE, 0)
    _set_soft(resource.RLIMIT_AS, limits.memory_mb << 20)
    with suppress(OSError):  # where there is such a file, the system ends us before the service
        Path("/proc/self/oom_score_adj").write_text("1000")


def _start_clock(limits: Limits) -> None:
    """The system ends this process when the document at hand takes longer than it may."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = used.ru_utime + used.ru_stime + limits.seconds
    _set_soft(resource.RLIMIT_CPU, int(seconds) + 1)
    signal.setitimer(signal.ITIMER_REAL, limits.seconds * WAITS + _GRACE_SECONDS)


def _set_soft(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    with suppress(ValueError, OSError):  # macOS knows no limit of the address space
        resource.setrlimit(kind, (value, hard))


def _has_grown(limits: Limits) -> bool:
    """To half of what it may have: the next document would have less."""
    return _resident_mb() > limits.memory_mb // 2


def _resident_mb() -> int:
    """Now, or at its most where the system does not tell. On Linux the most is that of the process
    which started this one, if that was more."""
    with suppress(OSError):
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize() >> 20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 20


if __name__ == "__main__":
    main()
