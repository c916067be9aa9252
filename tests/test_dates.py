"""Points in time as people write them."""

import time
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_service.clock import written
from rag_service.dates import read_moment

NOW = datetime(2026, 5, 12, 10, 30, tzinfo=UTC)
"""A Tuesday."""


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


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("12-05-2026", "2026-05-12T00:00:00.000Z"),
        ("12.05.2026", "2026-05-12T00:00:00.000Z"),
        ("1.5.2026 9:30", "2026-05-01T09:30:00.000Z"),
        ("05/12/2026", "2026-05-12T00:00:00.000Z"),
        ("2026-05", "2026-05-01T00:00:00.000Z"),
        ("May 2026", "2026-05-01T00:00:00.000Z"),
        ("first day of May 2026", "2026-05-01T00:00:00.000Z"),
        ("last day of February 2024", "2024-02-29T00:00:00.000Z"),
    ],
)
def test_numbers_and_months_are_read_as_php_reads_them(text, moment):
    assert read_moment(text) == moment


@pytest.mark.parametrize("text", ["31-02-2026", "32.01.2026", "1-13-2026", "2026-13", "2026-00"])
def test_a_day_that_does_not_exist_is_refused(text):
    with pytest.raises(ValueError, match="must be a date"):
        read_moment(text)


@pytest.mark.parametrize("unit", ["month", "year"])
def test_the_edges_of_months_and_years_meet(unit):
    for month in range(1, 13):
        now = NOW.replace(month=month, day=28)
        for former, later in (("last", "this"), ("this", "next")):
            end = datetime.fromisoformat(read_moment(f"last day of {former} {unit}", now))
            begin = datetime.fromisoformat(read_moment(f"First day of {later} {unit}", now))
            assert begin - end == timedelta(days=1)
            assert begin.day == 1


def test_a_week_begins_on_monday():
    for day in range(11, 18):
        now = NOW.replace(day=day)
        for text, found in (
            ("monday this week", "2026-05-11"),
            ("sunday this week", "2026-05-17"),
            ("friday last week", "2026-05-08"),
            ("tuesday next week", "2026-05-19"),
        ):
            assert read_moment(text, now) == f"{found}T00:00:00.000Z"


@pytest.mark.parametrize(("text", "day"), [("today", 12), ("Yesterday", 11), ("tomorrow", 13)])
def test_a_named_day_begins_at_midnight(text, day):
    for moment in (NOW, NOW.replace(hour=0, minute=0), NOW.replace(hour=23, minute=59)):
        assert read_moment(text, moment) == f"2026-05-{day}T00:00:00.000Z"


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
    assert read_moment(text, NOW) == written(NOW - ago)


def test_without_a_moment_it_counts_from_the_time_of_the_system():
    before = written(datetime.now(UTC))
    assert before <= read_moment("now") <= written(datetime.now(UTC))


def test_last_monday_is_a_monday_of_the_past_week():
    assert read_moment("last monday", NOW)[:10] == "2026-05-11"


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


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
def test_the_time_zone_of_the_machine_and_its_daylight_saving_move_no_day(
    zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day has 24 hours of UTC, also where clocks are put back or forward on it."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        for day in ("2026-03-29", "2026-10-25", "2026-03-08", "2026-11-01", "2026-04-05"):
            assert read_moment(day) == f"{day}T00:00:00.000Z"
            words = date.fromisoformat(day).strftime("%d %B %Y")
            assert read_moment(words) == f"{day}T00:00:00.000Z"
            assert read_moment(f"{day} 02:30") == f"{day}T02:30:00.000Z"
            for hour in range(24):
                now = datetime.fromisoformat(f"{day}T{hour:02}:30:00Z")
                assert read_moment("-1 week", now) == written(now - timedelta(weeks=1))
                yesterday = now.date() - timedelta(days=1)
                assert read_moment("yesterday", now) == f"{yesterday}T00:00:00.000Z"
    finally:
        monkeypatch.undo()
        time.tzset()
