"""How many requests a token, a visitor or an address may make in a second, a minute or an hour."""

import ipaddress
import math
import re
import threading
from collections import OrderedDict
from collections.abc import Hashable, Mapping

from msgspec import Struct

from rag_service.access.caller import Caller, RateClass
from rag_service.clock import Clock, SystemClock
from rag_service.errors import Invalid, RateLimited
from rag_service.settings import RATE

_RATE = re.compile(RATE)
_SECONDS = {"second": 1, "minute": 60, "hour": 3600}
_TOO_MANY = "Too many requests. Please try again later."


class Allowance(Struct, frozen=True, kw_only=True):
    """What is left in the current window. `reset` is in Unix seconds."""

    limit: int
    remaining: int
    reset: int


class _Windows:
    """Fixed windows, one a key, counted in this process.

    Of more than `most` keys, the one that has not come for longest is forgotten.
    """

    def __init__(self, clock: Clock | None, most: int) -> None:
        self._clock = clock or SystemClock()
        self._most = most
        self._seen: OrderedDict[Hashable, tuple[int, int]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: Hashable, rate: tuple[int, int], refusal: str) -> Allowance:
        """Count one. Raises RateLimited, which says `refusal`."""
        limit, seconds = rate
        moment = self._clock.monotonic()  # a wall clock that is set would give a window twice
        window = int(moment // seconds)
        with self._lock:
            start, used = self._seen.pop(key, (window, 0))
            used = used + 1 if start == window else 1
            self._seen[key] = (window, min(used, limit + 1))
            if len(self._seen) > self._most:
                self._seen.popitem(last=False)
        wait = max(1, math.ceil((window + 1) * seconds - moment))
        reset = int(self._clock.now().timestamp()) + wait
        if used > limit:
            raise RateLimited(refusal, limit=limit, reset=reset, retry_after=wait)
        return Allowance(limit=limit, remaining=limit - used, reset=reset)


class RateLimiter:
    """What each token may do, by class."""

    def __init__(
        self, defaults: Mapping[RateClass, str], clock: Clock | None = None, tokens: int = 10_000
    ) -> None:
        self._defaults = {kind: read_rate(rate) for kind, rate in defaults.items()}
        self._windows = _Windows(clock, most=tokens * len(defaults))

    def take(self, caller: Caller, kind: RateClass) -> Allowance | None:
        """Count one request; None where there is no limit. Raises RateLimited."""
        given = caller.rates.get(kind)
        rate = self._defaults[kind] if given is None else read_rate(given)
        if rate is None:
            return None
        return self._windows.take((caller.name, kind), rate, _TOO_MANY)


class VisitorLimiter:
    """What the visitors of pages with the widget may do, each and all of an address together."""

    def __init__(self, visitor: str, address: str, clock: Clock | None = None) -> None:
        self._visitor, self._address = read_rate(visitor), read_rate(address)
        self._visitors = _Windows(clock, most=100_000)
        self._addresses = _Windows(clock, most=10_000)

    def arrive(self, address: str) -> None:
        """Count a session that begins or goes on. Raises RateLimited."""
        if self._address is not None:
            self._addresses.take(_source(address), self._address, _TOO_MANY)

    def take(self, visitor: str, address: str) -> Allowance | None:
        """Count what a visitor asks; None where there is no limit. Raises RateLimited."""
        self.arrive(address)
        if self._visitor is None:
            return None
        return self._visitors.take(visitor, self._visitor, _TOO_MANY)


class Attempts:
    """Wrong tokens, counted by the address they came from, of which at most so many are known."""

    def __init__(self, rate: str, clock: Clock | None = None, addresses: int = 10_000) -> None:
        self._rate = read_rate(rate)
        self._windows = _Windows(clock, most=addresses)

    def failed(self, address: str) -> None:
        """Count one. Raises RateLimited when there were too many in this window."""
        if self._rate is not None:
            refusal = "Too many wrong tokens from this address. Please try again later."
            self._windows.take(_source(address), self._rate, refusal)


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
