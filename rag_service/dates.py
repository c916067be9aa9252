"""Points in time as people write them -> as the rows keep them."""

import re
from datetime import UTC, date, datetime

from rag_service.clock import written

_UNIX = re.compile(r"@(-?[0-9]{1,11})(?:\.[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9])")
_DAY = re.compile(r"(?i)(today|yesterday|tomorrow)")
_LONGEST = 100


def read_moment(value: object) -> str:
    """ISO 8601, `@` and Unix seconds, or what PHP's strtotime takes in practice: `yesterday`,
    `-1 week`, `last monday`, `12 May 2026`. UTC where no zone is named. Raises ValueError.
    """
    if not isinstance(value, str):
        raise ValueError("must be a string")
    text = value.strip()
    try:
        moment = _iso(text) or _unix(text) or _words(text)
        if moment is not None and len(text) <= _LONGEST:
            return written(moment)
    except (OverflowError, OSError) as error:
        raise ValueError("is out of range") from error
    raise ValueError(
        "must be a date such as 2026-05-12, 2026-05-12T10:00:00Z, yesterday or -1 week"
    )


def _iso(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _unix(text: str) -> datetime | None:
    seconds = _UNIX.fullmatch(text)
    return datetime.fromtimestamp(int(seconds[1]), UTC) if seconds else None


def _words(text: str) -> datetime | None:
    if len(text) > _LONGEST or text.isdecimal() or _is_no_day(text):
        return None
    import dateparser  # noqa: PLC0415  takes a moment, and few need it

    settings = {"TIMEZONE": "UTC", "RETURN_AS_TIMEZONE_AWARE": True}
    moment: datetime | None = dateparser.parse(text, languages=["en"], settings=settings)
    if moment is not None and _DAY.fullmatch(text):
        return moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return moment


def _is_no_day(text: str) -> bool:
    """As 2026-13-01 is none: to a reader of words it is the 13th of January."""
    found = _DATE.match(text)
    if found is None:
        return False
    try:
        date.fromisoformat(found[0])
    except ValueError:
        return True
    return False
