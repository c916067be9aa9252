"""A reader whose pages are slow has the time that a document may take for each of them.

It says so of each page that is done; whoever limits its time listens.
"""

from collections.abc import Callable
from contextvars import ContextVar


def _nobody() -> None:
    pass


_listener: ContextVar[Callable[[], None]] = ContextVar("listener", default=_nobody)


def slow_page_done() -> None:
    _listener.get()()


def listen(listener: Callable[[], None]) -> None:
    """From now on, to what is read in this thread."""
    _listener.set(listener)
