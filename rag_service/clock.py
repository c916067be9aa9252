"""The time, as everything asks for it and as it is written."""

from datetime import UTC, datetime


def now() -> str:
    return written(datetime.now(UTC))


def written(moment: datetime) -> str:
    """ISO 8601 in UTC to the millisecond with a trailing Z; sorts as text."""
    in_utc = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return in_utc.replace("+00:00", "Z")
