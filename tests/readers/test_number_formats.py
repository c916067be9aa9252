"""What a cell shows of its number."""

import datetime
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_service.readers.number_codes import BUILT_IN, GENERAL
from rag_service.readers.number_formats import number_text, text_text
from rag_service.readers.outline import one_line

numbers = st.floats(allow_nan=True, allow_infinity=True)
codes = st.text('0#?.,%/E+-;@"\\_* []$<>=10hmsydAP/eb:€-407RedGeneral', max_size=40)
amounts = st.decimals(min_value=0, max_value=10**9, places=4, allow_nan=False)


@pytest.mark.parametrize(
    ("value", "code", "shown"),
    [
        (0.0425, "0.0%", "4.3%"),
        (0.0425, "0.00%", "4.25%"),
        (0.25, "0 %", "25 %"),
        (1250, '#,##0.00 "EUR"', "1,250.00 EUR"),
        (99.5, '"$"#,##0.00', "$99.50"),
        (99.5, "[$$-409]#,##0.00", "$99.50"),
        (12, "#,##0.00 [$€-407]", "12.00 €"),
        (12, "[$CHF] #,##0.00", "CHF 12.00"),
        (1067, "00000", "01067"),
        (123456789, "000-00-0000", "123-45-6789"),
        (49123456789, "(000) 000-0000", "(4912) 345-6789"),
        (75, '0 "kg"', "75 kg"),
        (3, r"0 \m", "3 m"),
        (3, "0 m", "3 m"),
        (5, 'General" kg"', "5 kg"),
        (1234567.891, "#,##0", "1,234,568"),
        (0.5, "#.##", ".5"),
        (5.25, "0.0##", "5.25"),
        (12345, "0.00E+00", "1.23E+04"),
        (0.00012, "0.0E-0", "1.2E-4"),
        (12345, "##0.0E+0", "12.3E+3"),
        (99999, "0.0E+0", "1.0E+5"),
        (1.375, "# ?/?", "1 3/8"),
        (0.5, "# ?/?", "1/2"),
        (2, "# ?/?", "2"),
        (0, "# ?/?", "0"),
        (1.3, "# ?/8", "1 2/8"),
        (2.5, "?/?", "5/2"),
        (1_500_000, '0.0,,"M"', "1.5M"),
        (1500, '[>=1000000]0.0,,"M";[>=1000]0.0,"K";0', "1.5K"),
        (-3, '[>=1000000]0.0,,"M";[>=1000]0.0,"K";0', "-3"),
        (-5, "[Red][<0]0.0;0.00", "5.0"),
        (7, '[=1]"yes";[=0]"no"', "7"),
        (8005551234, r"[<=9999999]###\-####;\(###\)\ ###\-####", "(800) 555-1234"),
    ],
)
def test_a_number_is_shown_as_its_format_says(value: float, code: str, shown: str) -> None:
    assert number_text(value, code) == shown


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("0", ["7", "-7", "0"]),
        ("0;(0)", ["7", "(7)", "0"]),
        ('[Blue]0;[Red]-0;"zero"', ["7", "-7", "zero"]),
        ('"yes";"no";"-"', ["yes", "no", "-"]),
        (";;;", ["", "", ""]),
        ('_-* #,##0 "€"_-;-* #,##0 "€"_-;_-* "-" "€"_-;_-@_-', ["7 €", "-7 €", "- €"]),
    ],
)
def test_sections_are_for_numbers_above_below_and_at_zero(code: str, shown: list[str]) -> None:
    assert [one_line(number_text(value, code)) for value in (7, -7, 0)] == shown


@pytest.mark.parametrize(
    ("value", "code", "shown"),
    [
        (45352, "dd.mm.yyyy", "01.03.2024"),
        (45352, "d/m/yy", "1/3/24"),
        (45352, "[$-407]dddd, d. mmmm yyyy", "Freitag, 1. März 2024"),
        (45352, "[$-de-DE]ddd d. mmm", "Fr 1. Mär"),
        (45352, "[$-40C]d mmmm yyyy", "1 mars 2024"),
        (45352, "mmm-yy", "Mar-24"),
        (45352.75, "yyyy-mm-dd h:mm AM/PM", "2024-03-01 6:00 PM"),
        (45352.5, r"[$-F400]h:mm:ss\ AM/PM", "12:00:00 PM"),
        (0.375, "hh:mm", "09:00"),
        (1.5, "[h]:mm", "36:00"),
        (1.5, "[mm]:ss", "2160:00"),
        (-0.5, "[h]:mm", "-12:00"),
        (0.0628, "mm:ss.0", "30:25.9"),
        (0.30502308957, "mm:ss.0", "19:14.0"),
        (0.25, "d-mmm-yy", "0-Jan-00"),
        (1, "yyyy-mm-dd", "1900-01-01"),
        (59, "yyyy-mm-dd", "1900-02-28"),
        (2, "dddd", "Monday"),
        (60, "yyyy-mm-dd", "1900-02-29"),
        (61, "yyyy-mm-dd", "1900-03-01"),
        (45352, 'd "de" mmmm', "1 de March"),
        (-1, "yyyy-mm-dd", "-1"),
        (3e6, "yyyy-mm-dd", "3000000"),
    ],
)
def test_a_date_is_shown_as_its_format_says(value: float, code: str, shown: str) -> None:
    assert number_text(value, code) == shown


def test_days_of_a_macintosh_begin_in_1904() -> None:
    assert number_text(0, "yyyy-mm-dd", since_1904=True) == "1904-01-01"
    assert number_text(43890, "dddd, yyyy-mm-dd", since_1904=True) == "Friday, 2024-03-01"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.1 + 0.2, "0.3"),
        (1 / 3, "0.3333333333"),
        (123456789.12, "123456789.12"),
        (4006381333931.0, "4006381333931"),
        (1e22, "1E+22"),
        (1e-12, "1E-12"),
    ],
)
def test_a_number_without_a_format_is_shown_in_full(value: float, shown: str) -> None:
    assert number_text(value, GENERAL) == shown


def test_a_text_is_shown_with_what_its_format_adds() -> None:
    assert text_text("Ana", "@") == text_text("Ana", "0.00") == "Ana"
    assert text_text("Ana", '0;-0;0;"Mrs "@') == "Mrs Ana"


@given(amounts, st.integers(0, 4))
def test_places_round_half_up(amount: Decimal, places: int) -> None:
    code = "0." + "0" * places if places else "0"
    step = Decimal(1).scaleb(-places)
    assert number_text(float(amount), code) == str(amount.quantize(step, ROUND_HALF_UP))


@given(amounts)
def test_commas_change_no_digit(amount: Decimal) -> None:
    grouped = number_text(float(amount), "#,##0.00")
    assert grouped.replace(",", "") == number_text(float(amount), "0.00")
    assert all(len(group) == 3 for group in grouped.partition(".")[0].split(",")[1:])


@given(st.dates(datetime.date(1900, 3, 1)), st.times())
def test_days_and_seconds_are_counted_as_calendars_do(
    day: datetime.date, time: datetime.time
) -> None:
    seconds = time.hour * 3600 + time.minute * 60 + time.second
    serial = (day - datetime.date(1899, 12, 30)).days + seconds / 86_400
    shown = number_text(serial, "yyyy-mm-dd hh:mm:ss")
    assert shown == f"{day.isoformat()} {time.replace(microsecond=0).isoformat()}"


@given(numbers, codes | st.sampled_from(sorted(BUILT_IN.values())), st.booleans())
def test_any_code_shows_any_number(value: float, code: str, since_1904: bool) -> None:
    assert isinstance(number_text(value, code, since_1904=since_1904), str)
    assert isinstance(text_text("text", code), str)
