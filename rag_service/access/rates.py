"""How many requests a token may make in a second, a minute or an hour."""

import re
import threading
import time
from collections.abc import Callable, Mapping

from msgspec import Struct

from rag_service.access.caller import Caller, RateClass
from rag_service.errors import Invalid, RateLimited
from rag_service.settings import RATE

_RATE = re.compile(RATE)
_SECONDS = {"second": 1, "minute": 60, "hour": 3600}


class Allowance(Struct, frozen=True, kw_only=True):
    """What is left in the current window. `reset` is in Unix seconds."""

    limit: int
    remaining: int
    reset: int


class RateLimiter:
    """Fixed windows, one for each token and class, counted in this process."""

    def __init__(
        self, defaults: Mapping[RateClass, str], clock: Callable[[], float] = time.time
    ) -> None:
        self._defaults = {kind: read_rate(rate) for kind, rate in defaults.items()}
        self._clock = clock
        self._windows: dict[tuple[str, str], tuple[int, int]] = {}
        self._lock = threading.Lock()

    def take(self, caller: Caller, kind: RateClass) -> Allowance | None:
        """Count one request; None where there is no limit. Raises RateLimited."""
        given = caller.rates.get(kind)
        rate = self._defaults[kind] if given is None else read_rate(given)
        if rate is None:
            return None
        limit, seconds = rate
        moment = self._clock()
        window = int(moment // seconds)
        with self._lock:
            start, used = self._windows.get((caller.name, kind), (window, 0))
            used = used + 1 if start == window else 1
            self._windows[caller.name, kind] = (window, min(used, limit + 1))
        reset = (window + 1) * seconds
        allowance = Allowance(limit=limit, remaining=max(0, limit - used), reset=reset)
        if used > limit:
            raise RateLimited(
                "Too many requests. Please try again later.",
                limit=limit,
                reset=reset,
                retry_after=max(1, int(reset - moment)),
            )
        return allowance


def read_rate(rate: str) -> tuple[int, int] | None:
    """`N/second`, `N/minute` or `N/hour` -> (N, seconds); `off` -> None. Raises Invalid."""
    match = _RATE.fullmatch(rate.strip())
    if match is None:
        raise Invalid(f"bad rate {rate!r}: use N/second, N/minute, N/hour or off")
    return (int(match[1]), _SECONDS[match[2]]) if match[1] else None
