"""Points in time as people write them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_service.clock import written
from rag_service.dates import read_moment


def days_ago(days):
    moment = datetime.now(UTC) - timedelta(days=days)
    return written(moment.replace(hour=0, minute=0, second=0, microsecond=0))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-05-12", "2026-05-12T00:00:00.000Z"),
        (" 2026-05-12\n", "2026-05-12T00:00:00.000Z"),
        ("2026-05-12T10:00:00Z", "2026-05-12T10:00:00.000Z"),
        ("2026-05-12T10:00:00.25Z", "2026-05-12T10:00:00.250Z"),
        ("2026-05-12T10:00:00+02:00", "2026-05-12T08:00:00.000Z"),
        ("2026-05-12 10:00", "2026-05-12T10:00:00.000Z"),
        ("@1747008000", "2025-05-12T00:00:00.000Z"),
        ("@-1", "1969-12-31T23:59:59.000Z"),
        ("12 May 2026", "2026-05-12T00:00:00.000Z"),
        ("May 12, 2026", "2026-05-12T00:00:00.000Z"),
    ],
)
def test_a_date_is_read_as_utc_unless_it_names_a_zone(text, moment):
    assert read_moment(text) == moment


@pytest.mark.parametrize(("text", "days"), [("today", 0), ("Yesterday", 1), ("tomorrow", -1)])
def test_a_named_day_begins_at_midnight(text, days):
    before = days_ago(days)
    assert read_moment(text) in (before, days_ago(days))  # midnight may pass between them


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("now", timedelta()),
        ("-1 week", timedelta(weeks=1)),
        ("+2 days", timedelta(days=-2)),
        ("1 hour ago", timedelta(hours=1)),
    ],
)
def test_a_distance_counts_from_now(text, ago):
    moment = datetime.fromisoformat(read_moment(text))
    assert abs(datetime.now(UTC) - ago - moment) < timedelta(minutes=5)


def test_last_monday_is_a_monday_of_the_past_week():
    moment = datetime.fromisoformat(read_moment("last monday"))
    assert moment.weekday() == 0
    assert timedelta() < datetime.now(UTC) - moment < timedelta(days=8)


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "rubbish",
        "12",
        "1747008000",
        "@",
        "@x",
        "2026-13-01",
        "2026-02-30",
        "2026-13-01T00:00:00Z",
        "2026-05-12T25:00:00Z" * 10,
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "@99999999999999",
        "@-99999999999",
        None,
        5,
        ["2026-05-12"],
    ],
)
def test_what_is_no_date_is_a_value_error_with_a_reason(value):
    with pytest.raises(ValueError, match=r"must be|out of range"):
        read_moment(value)


@given(st.datetimes(timezones=st.just(UTC)))
def test_what_the_rows_keep_is_read_back(moment):
    assert read_moment(written(moment)) == written(moment)
