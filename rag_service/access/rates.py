"""How many requests a token may make in a second, a minute or an hour."""

import ipaddress
import math
import re
import threading
from collections import OrderedDict
from collections.abc import Mapping

from msgspec import Struct

from rag_service.access.caller import Caller, RateClass
from rag_service.clock import Clock, SystemClock
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

    def __init__(self, defaults: Mapping[RateClass, str], clock: Clock | None = None) -> None:
        self._defaults = {kind: read_rate(rate) for kind, rate in defaults.items()}
        self._clock = clock or SystemClock()
        self._windows: dict[tuple[str, str], tuple[int, int]] = {}
        self._lock = threading.Lock()

    def take(self, caller: Caller, kind: RateClass) -> Allowance | None:
        """Count one request; None where there is no limit. Raises RateLimited."""
        given = caller.rates.get(kind)
        rate = self._defaults[kind] if given is None else read_rate(given)
        if rate is None:
            return None
        limit, seconds = rate
        moment = self._clock.monotonic()  # a wall clock that is set would give a window twice
        window = int(moment // seconds)
        with self._lock:
            start, used = self._windows.get((caller.name, kind), (window, 0))
            used = used + 1 if start == window else 1
            self._windows[caller.name, kind] = (window, min(used, limit + 1))
        wait = max(1, math.ceil((window + 1) * seconds - moment))
        reset = int(self._clock.now().timestamp()) + wait
        allowance = Allowance(limit=limit, remaining=max(0, limit - used), reset=reset)
        if used > limit:
            raise RateLimited(
                "Too many requests. Please try again later.",
                limit=limit,
                reset=reset,
                retry_after=wait,
            )
        return allowance


class Attempts:
    """Wrong tokens, counted by the address they came from, of which at most so many are known."""

    def __init__(self, rate: str, clock: Clock | None = None, addresses: int = 10_000) -> None:
        self._rate = read_rate(rate)
        self._clock = clock or SystemClock()
        self._most = addresses
        self._seen: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def failed(self, address: str) -> None:
        """Count one. Raises RateLimited when there were too many in this window."""
        if self._rate is None:
            return
        limit, seconds = self._rate
        moment = self._clock.monotonic()
        window = int(moment // seconds)
        source = _source(address)
        start, count = self._seen.pop(source, (window, 0))
        count = count + 1 if start == window else 1
        self._seen[source] = (window, count)
        if len(self._seen) > self._most:
            self._seen.popitem(last=False)  # who has not been heard of for longest
        if count > limit:
            wait = max(1, math.ceil((window + 1) * seconds - moment))
            raise RateLimited(
                "Too many wrong tokens from this address. Please try again later.",
                limit=limit,
                reset=int(self._clock.now().timestamp()) + wait,
                retry_after=wait,
            )


def _source(address: str) -> str:
    """Of IPv6 the first half, since a household has the other to itself."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 6 and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return address


def read_rate(rate: str) -> tuple[int, int] | None:
    """`N/second`, `N/minute` or `N/hour` -> (N, seconds); `off` -> None. Raises Invalid."""
    match = _RATE.fullmatch(rate.strip())
    if match is None:
        raise Invalid(f"bad rate {rate!r}: use N/second, N/minute, N/hour or off")
    return (int(match[1]), _SECONDS[match[2]]) if match[1] else None
