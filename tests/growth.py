"""Whether work grows with its input or with its square, told without a clock on the wall."""

import time
from collections.abc import Callable

TIMES = 8
TRIES = 5


def in_proportion(work: Callable[[int], object], size: int) -> bool:
    """Whether eight times the size takes less than 24 times the processor time of this thread.

    In proportion it takes eight times as long, with the square 64 times. A machine that is busy
    costs time on the wall, and little of the thread's own; so the best of a few tries counts.
    """
    work(size)  # what is made at the first call is made
    return any(
        _seconds(work, size * TIMES) < TIMES * 3 * _seconds(work, size) for _ in range(TRIES)
    )


def _seconds(work: Callable[[int], object], size: int) -> float:
    began = time.thread_time()
    work(size)
    return time.thread_time() - began
