"""Dates and times of spreadsheets, which count days -> the text that a cell shows."""

import datetime
import re
from collections.abc import Sequence

from msgspec import Struct

DatePart = tuple[str, str]
"""Kind and text. Kinds are `date` (`yyyy`), `elapsed` (`h` for all hours, not those of a day),
`noon` (`AM/PM`), `digit` (of a fraction of a second) and `literal`."""

_DAY = 86_400_000
"""Milliseconds."""
_LAST = 2_958_466
"""The day after 9999-12-31."""
_LEAP = 60
_NO_DAYS = {0: 0, _LEAP: 29}
"""The count has a 0 January 1900, for times of no day, and a 29 February, which never was: Lotus
1-2-3 had it, and all followed."""

_NAMES = {
    0x09: (
        "January February March April May June July August September October November December",
        "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    ),
    0x07: (
        "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
        "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
    ),
    0x0C: (
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "lundi mardi mercredi jeudi vendredi samedi dimanche",
    ),
    0x0A: (
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "lunes martes miércoles jueves viernes sábado domingo",
    ),
    0x10: (
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre "
        "dicembre",
        "lunedì martedì mercoledì giovedì venerdì sabato domenica",
    ),
    0x13: (
        "januari februari maart april mei juni juli augustus september oktober november december",
        "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag",
    ),
    0x16: (
        "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
        "segunda-feira terça-feira quarta-feira quinta-feira sexta-feira sábado domingo",
    ),
    0x1D: (
        "januari februari mars april maj juni juli augusti september oktober november december",
        "måndag tisdag onsdag torsdag fredag lördag söndag",
    ),
    0x15: (
        "styczeń luty marzec kwiecień maj czerwiec lipiec sierpień wrzesień październik listopad "
        "grudzień",
        "poniedziałek wtorek środa czwartek piątek sobota niedziela",
    ),
}
"""Months and weekdays by language, which is the low byte of a Windows locale (MS-LCID)."""
_LANGUAGES = {"en": 0x09, "de": 0x07, "fr": 0x0C, "es": 0x0A, "it": 0x10, "nl": 0x13, "pt": 0x16}
_TWO_LETTERS = frozenset((0x07,))
"""Languages whose weekdays are shortened to two letters."""


def date_text(
    serial: float, parts: Sequence[DatePart], locale: str, *, since_1904: bool
) -> str | None:
    """The time `serial` days after the first one, as `parts` (kind and text) have it.

    None where that is no date.
    """
    is_elapsed = any(kind == "elapsed" for kind, _ in parts)
    if not abs(serial) < _LAST or (serial < 0 and not is_elapsed):
        return None
    step = 10 ** max(3 - sum(kind == "digit" for kind, _ in parts), 0)
    time = round(abs(serial) * _DAY / step) * step
    moment = _Moment(
        time=time,
        day=_day(time // _DAY, since_1904),
        no_day=None if since_1904 else _NO_DAYS.get(time // _DAY),
        weekday=(time // _DAY + (4 if since_1904 else 5)) % 7,
        language=_language(locale),
        is_halved=any(kind == "noon" for kind, _ in parts),
    )
    sign = "-" if serial < 0 else ""
    return sign + "".join(_shown(moment, parts, at) for at in range(len(parts)))


class _Moment(Struct, frozen=True, kw_only=True):
    time: int
    """Milliseconds since the first day began."""
    day: datetime.date
    no_day: int | None
    """The day of the month that it is called, where there was no such day."""
    weekday: int
    """From Monday, 0."""
    language: int
    is_halved: bool
    """Hours are counted to twelve."""


def _day(days: int, since_1904: bool) -> datetime.date:
    if since_1904:
        first = datetime.date(1904, 1, 1)
    else:
        first = datetime.date(1899, 12, 31 if days < _LEAP else 30)
    days = max(days, 0 if since_1904 else 1)
    return first + datetime.timedelta(days=min(days, (datetime.date.max - first).days))


def _language(locale: str) -> int:
    name = locale.split("-")[0].lower()
    if name in _LANGUAGES:
        return _LANGUAGES[name]
    code = int(locale, 16) & 0xFF if re.fullmatch("[0-9a-fA-F]{1,8}", locale) else 0x09
    return code if code in _NAMES else 0x09


def _shown(moment: _Moment, parts: Sequence[DatePart], at: int) -> str:
    kind, text = parts[at]
    letter = text[:1].lower()
    match kind:
        case "elapsed":
            unit = {"h": 3_600_000, "m": 60_000}.get(letter, 1000)
            return str(moment.time // unit).zfill(len(text))
        case "noon":
            late = moment.time % _DAY >= _DAY // 2
            return text.split("/")[late]
        case "digit":
            place = sum(kind == "digit" for kind, _ in parts[:at])
            return f"{moment.time % 1000:03}"[place : place + 1]
        case "date" if letter in "hs" or (letter == "m" and _is_minute(parts, at)):
            return _clock(moment, letter, len(text))
        case "date":
            return _calendar(moment, letter, len(text))
    return text


def _is_minute(parts: Sequence[DatePart], at: int) -> bool:
    """An m after hours or before seconds is one of minutes."""
    if len(parts[at][1]) > 2:
        return False
    units = ("date", "elapsed")
    before = [text[0].lower() for kind, text in parts[:at] if kind in units]
    after = [text[0].lower() for kind, text in parts[at + 1 :] if kind in units]
    return before[-1:] == ["h"] or after[:1] == ["s"]


def _clock(moment: _Moment, letter: str, length: int) -> str:
    seconds = moment.time % _DAY // 1000
    count = {"h": seconds // 3600, "m": seconds // 60 % 60}.get(letter, seconds % 60)
    if letter == "h" and moment.is_halved:
        count = count % 12 or 12
    return str(count).zfill(min(length, 2))


def _calendar(moment: _Moment, letter: str, length: int) -> str:
    day = moment.day
    months, weekdays = (names.split() for names in _NAMES[moment.language])
    match letter:
        case "y" | "e":
            return f"{day.year % 100:02}" if letter == "y" and length < 3 else f"{day.year:04}"
        case "b":
            return f"{(day.year + 543) % 100:02}" if length < 3 else str(day.year + 543)
        case "m" if length > 2:
            return _name(months[day.month - 1], length, 3)
        case "m":
            return str(day.month).zfill(length)
        case "d" if length > 2:
            short = 2 if moment.language in _TWO_LETTERS else 3
            return _name(weekdays[moment.weekday], length, short)
        case "d":
            return str(day.day if moment.no_day is None else moment.no_day).zfill(length)
    return ""


def _name(name: str, length: int, short: int) -> str:
    if length == 3:
        return name[:short]
    return name if length == 4 else name[0]
