"""The time, as everything asks for it and as it is written. Nothing else asks the system."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Two times: what calendars say, and how long something took."""

    def now(self) -> datetime:
        """In UTC. It may step in either direction: NTP corrects it, and people set it."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back; a machine that sleeps may not count them."""
        ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


def written(moment: datetime) -> str:
    """ISO 8601 in UTC to the millisecond with a trailing Z; sorts as text."""
    in_utc = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return in_utc.replace("+00:00", "Z")
