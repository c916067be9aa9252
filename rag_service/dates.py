"""Points in time as people write them -> as the rows keep them."""

import re
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta

from rag_service.clock import SystemClock, written

_UNIX = re.compile(r"@(-?[0-9]{1,11})(?:\.[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9])")
_DAY_FIRST = re.compile(r"(\d{1,2})[.-](\d{1,2})[.-](\d{4})(?:[T ]+(\d{1,2}:\d\d(?::\d\d)?))?")
"""With dashes or dots the day comes first, with slashes the month, as PHP reads them."""
_MONTH = re.compile(r"(\d{4})-(\d{1,2})")
_EDGE_OF = re.compile(
    r"(?i)(first|last) day of(?: (this|last|previous|next) (month|year)| (.{3,30}))"
)
_OF_WEEK = re.compile(
    r"(?i)(mon|tues|wednes|thurs|fri|satur|sun)day (?:of )?(this|last|previous|next) week"
)
_WEEK = ("mon", "tues", "wednes", "thurs", "fri", "satur", "sun")
_STEPS = {"this": 0, "last": -1, "previous": -1, "next": 1}
_DAY = re.compile(r"(?i)(today|yesterday|tomorrow)")
_LONGEST = 100


def read_moment(value: object, now: datetime | None = None) -> str:
    """ISO 8601, `@` and Unix seconds, or what PHP's strtotime takes in practice: `yesterday`,
    `-1 week`, `last monday`, `12 May 2026`. UTC where no zone is named. Distances count
    from `now`, the system's time where none is given. Raises ValueError.
    """
    if not isinstance(value, str):
        raise ValueError("must be a string")
    text, now = value.strip(), now or SystemClock().now()
    try:
        moment = _iso(text) or _unix(text) or _numbers(text)
        moment = moment or _relative(text, now) or _words(text, now)
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


def _numbers(text: str) -> datetime | None:
    """Raises ValueError for a day that is none."""
    if day := _DAY_FIRST.fullmatch(text):
        return _iso(f"{day[3]}-{day[2]:0>2}-{day[1]:0>2}T{day[4] or '00:00':0>5}") or _no_date()
    if month := _MONTH.fullmatch(text):
        return _iso(f"{month[1]}-{month[2]:0>2}-01") or _no_date()
    return None


def _no_date() -> datetime:
    raise ValueError("must be a date that exists")


def _relative(text: str, now: datetime) -> datetime | None:
    """Midnight at the edge of a month or a year, or on a day of a week, which begins on Monday."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if week := _OF_WEEK.fullmatch(text):
        monday = today - timedelta(days=today.weekday())
        return monday + timedelta(weeks=_STEPS[week[2].lower()], days=_WEEK.index(week[1].lower()))
    edge = _EDGE_OF.fullmatch(text)
    if edge is None:
        return None
    if edge[4]:
        first = _words(edge[4], now)
        whole_year = False
    else:
        whole_year = edge[3].lower() == "year"
        first = _stepped(today, _STEPS[edge[2].lower()] * (12 if whole_year else 1))
    if first is None:
        return None
    first = first.replace(day=1, month=1 if whole_year else first.month)
    if edge[1].lower() == "first":
        return first
    month = 12 if whole_year else first.month
    return first.replace(month=month, day=monthrange(first.year, month)[1])


def _stepped(day: datetime, months: int) -> datetime:
    """The first of a month so many months on."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return day.replace(year=year, month=month + 1, day=1)


def _words(text: str, now: datetime) -> datetime | None:
    if len(text) > _LONGEST or text.isdecimal() or _is_no_day(text):
        return None
    import dateparser  # noqa: PLC0415  takes a moment, and few need it

    settings = {
        "TIMEZONE": "UTC",
        "RETURN_AS_TIMEZONE_AWARE": True,
        "PREFER_DAY_OF_MONTH": "first",
        "RELATIVE_BASE": now.replace(tzinfo=None),
    }
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
