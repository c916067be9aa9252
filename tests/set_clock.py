"""A clock that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta


class SetClock:
    """Noon of a spring day; the machine has been up for a thousand hours."""

    def __init__(self) -> None:
        self.moment = datetime(2031, 3, 30, 12, tzinfo=UTC)
        self.seconds = 3_600_000.0

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.seconds

    def go_on(self, **how_long: float) -> None:
        """Time goes by."""
        self.step(**how_long)
        self.seconds += timedelta(**how_long).total_seconds()

    def step(self, **how_far: float) -> None:
        """Somebody sets it, or NTP does, or a laptop wakes up: nothing that is measured goes by."""
        self.moment += timedelta(**how_far)
