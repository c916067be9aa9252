"""The number formats of spreadsheets: a stored number -> the text that its cell shows.

The codes are those of ECMA-376 part 1, 18.8.30 and 18.8.31. Decimal point and thousands comma are
those of the file; which signs a reader's own computer would put instead no file tells.
"""

import math
import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Literal

from msgspec import Struct

from rag_service.readers.date_formats import date_text

GENERAL = "General"
BUILT_IN = {
    int(number): code
    for number, code in (
        line.split("  ")
        for line in """
1  0
2  0.00
3  #,##0
4  #,##0.00
5  "$"#,##0;-"$"#,##0
6  "$"#,##0;-"$"#,##0
7  "$"#,##0.00;-"$"#,##0.00
8  "$"#,##0.00;-"$"#,##0.00
9  0%
10  0.00%
11  0.00E+00
12  # ?/?
13  # ??/??
14  yyyy-mm-dd
15  d-mmm-yy
16  d-mmm
17  mmm-yy
18  h:mm AM/PM
19  h:mm:ss AM/PM
20  h:mm
21  h:mm:ss
22  yyyy-mm-dd h:mm
37  #,##0;(#,##0)
38  #,##0;(#,##0)
39  #,##0.00;(#,##0.00)
40  #,##0.00;(#,##0.00)
41  #,##0;-#,##0;-
42  "$"#,##0;-"$"#,##0;-
43  #,##0.00;-#,##0.00;-
44  "$"#,##0.00;-"$"#,##0.00;-
45  mm:ss
46  [h]:mm:ss
47  mm:ss.0
48  ##0.0E+0
49  @
""".strip().splitlines()
    )
}
BUILT_IN |= dict.fromkeys((*range(27, 32), 36, *range(50, 59)), "yyyy-mm-dd")
BUILT_IN |= dict.fromkeys((32, 33, 34, 35), "h:mm")
"""Formats that a file names by number. 14, 22, 27 to 36 and 50 to 58 are dates and times as the
reader's computer writes them; they are written as ISO 8601 has them, which nobody misreads."""

LONGEST_CODE = 255
"""Characters, as in Excel."""

_MOST_DECIMALS = 10
"""Of a number without a format, about as many as a column has room for."""

_PRECISE = Context(prec=1000)
"""Enough for the largest of numbers, 1.8e308, with as many decimals as a code has room for."""

Kind = Literal["literal", "digit", "point", "comma", "percent", "exponent", "slash", "general"]

_TOKEN = re.compile(
    r"""
      "(?P<quoted>[^"]*)"?
    | \\(?P<escaped>.)
    | _(?P<wide>.)
    | \*(?P<filler>.)
    | \[\$(?P<symbol>[^\]\-]*)(?:-(?P<locale>[^\]]*))?\]
    | \[(?P<elapsed>h+|m+|s+)\]
    | \[(?P<condition>[<>=]{1,2})\s*(?P<limit>-?[\d.]+(?:E[+-]?\d+)?)\]
    | \[[^\]]*\]
    | (?P<general>General)
    | (?P<noon>AM/PM|A/P)
    | (?P<exponent>E[+-])
    | (?P<date>y+|m+|d+|h+|s+|e+|b+|g+)
    | (?P<digit>[0\#?])
    | (?P<text>@)
    | (?P<other>.)
    """,
    re.I | re.X | re.S,
)
_BEHIND = re.compile("0(,+)[^0]*$")
_SIGNS: dict[str, Kind] = {".": "point", ",": "comma", "%": "percent", "/": "slash"}
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": lambda value, limit: value < limit,
    "<=": lambda value, limit: value <= limit,
    ">": lambda value, limit: value > limit,
    ">=": lambda value, limit: value >= limit,
    "=": lambda value, limit: value == limit,
    "<>": lambda value, limit: value != limit,
}


def number_text(value: float, code: str, *, since_1904: bool = False) -> str:
    """The number as a cell with this format shows it; never fails.

    A code that cannot be followed (a date before there were any) shows the plain number.
    """
    if not math.isfinite(value):
        return str(value)
    section, is_signed = _section(value, code)
    if section is None or section.is_general:
        return _general(value, section, is_signed)
    if section.is_date:
        shown = date_text(value, section.dates, section.locale, since_1904=since_1904)
        return shown if shown is not None else plain_number(value)
    sign = "-" if is_signed and value < 0 else ""
    number = _fraction if _is_fraction(section.parts) else _decimal
    shown = number(Decimal(f"{abs(value):.15g}"), section.parts)
    return shown if not re.search("[1-9]", shown) else sign + shown


def text_text(text: str, code: str) -> str:
    """The text as a cell with this format shows it."""
    section = next((one for one in _sections(code) if one.is_text), None)
    if section is None:
        return text
    return "".join(text if part.text == "@" else part.text for part in section.parts)


def is_date(code: str) -> bool:
    return any(section.is_date for section in _sections(code))


def plain_number(value: float) -> str:
    """Without a format: whole numbers in full, and no more decimals than a cell has room for."""
    text = f"{value:.15g}"
    if "e" in text or "." not in text:
        return text.replace("e", "E")
    return f"{value:.{_MOST_DECIMALS}f}".rstrip("0").rstrip(".")


class _Part(Struct, frozen=True):
    kind: Kind
    text: str


class _Section(Struct, frozen=True, kw_only=True):
    """What one of the parts that semicolons part says; numbers choose among them."""

    parts: list[_Part]
    dates: list[tuple[str, str]]
    """The same as `date_text` reads it."""
    condition: tuple[str, float] | None
    locale: str
    is_general: bool
    is_date: bool
    is_text: bool

    @property
    def is_negative(self) -> bool:
        """It is for numbers below zero alone, so that it says itself how they are told."""
        return self.condition is not None and self.condition[0] in "<=" and self.condition[1] <= 0


def _section(value: float, code: str) -> tuple[_Section | None, bool]:
    """The section for this number, and whether a minus has to be put before what it shows."""
    sections = [section for section in _sections(code) if not section.is_text]
    if not sections:
        return None, True
    if any(section.condition for section in sections):
        for section in sections:
            if section.condition is None or _COMPARE[section.condition[0]](
                value, section.condition[1]
            ):
                return section, not section.is_negative
        return sections[-1], True
    if value < 0 and len(sections) > 1:
        return sections[1], False
    if value == 0 and len(sections) > 2:
        return sections[2], False
    return sections[0], len(sections) == 1


@lru_cache(maxsize=4096)
def _sections(code: str) -> list[_Section]:
    parts: list[list[re.Match[str]]] = [[]]
    for token in _TOKEN.finditer(code[:LONGEST_CODE]):
        if token["other"] == ";":
            parts.append([])
        else:
            parts[-1].append(token)
    return [_read_section(tokens) for tokens in parts[:4]]


def _read_section(tokens: list[re.Match[str]]) -> _Section:
    conditions = [token for token in tokens if token["condition"] in _COMPARE]
    limit = conditions[0]["limit"] if conditions else ""
    is_number = re.fullmatch(r"-?\d*\.?\d+(?:E[+-]?\d+)?", limit, re.I)
    locales = [token["locale"] for token in tokens if token["locale"]]
    is_date = any(token["date"] or token["elapsed"] for token in tokens)
    return _Section(
        parts=[_part(token) for token in tokens],
        dates=[_date_part(token) for token in tokens] if is_date else [],
        condition=(conditions[0]["condition"], float(limit)) if is_number else None,
        locale=locales[0] if locales else "",
        is_general=any(token["general"] for token in tokens),
        is_date=is_date,
        is_text=any(token["text"] for token in tokens),
    )


def _part(token: re.Match[str]) -> _Part:
    if token["digit"]:
        return _Part("digit", token["digit"])
    if token["exponent"]:
        return _Part("exponent", token["exponent"])
    if token["general"]:
        return _Part("general", "")
    if token["other"] in _SIGNS:
        return _Part(_SIGNS[token["other"]], token["other"])
    return _Part("literal", _literal(token))


def _literal(token: re.Match[str]) -> str:
    if token["wide"]:
        return " "
    for name in ("quoted", "escaped", "symbol", "text", "noon", "date", "other", "digit"):
        if token[name]:
            return str(token[name])
    return ""


def _date_part(token: re.Match[str]) -> tuple[str, str]:
    for name in ("elapsed", "noon", "date", "digit"):
        if token[name]:
            return name, token[name]
    return "literal", _literal(token)


def _general(value: float, section: _Section | None, is_signed: bool) -> str:
    if section is None:
        return plain_number(value)
    shown = plain_number(value if is_signed else abs(value))
    return "".join(shown if part.kind == "general" else part.text for part in section.parts)


def _decimal(value: Decimal, parts: list[_Part]) -> str:
    """Digits at the places that the format gives them, between what else it says."""
    kinds = [part.kind for part in parts]
    power = kinds.index("exponent") if "exponent" in kinds else len(parts)
    point = kinds.index("point") if "point" in kinds[:power] else power
    digits = [at for at in range(point) if kinds[at] == "digit"]
    groups = bool(digits) and "comma" in kinds[digits[0] : digits[-1]]
    scale = 2 * kinds.count("percent") - 3 * (
        _thousands(kinds[:point]) + _thousands(kinds[point:power])
    )
    value = value.scaleb(scale) if value else value
    exponent = 0
    if power < len(parts):
        value, exponent = _scaled(value, len(digits), kinds[point:power].count("digit"))
    whole, _, decimals = _rounded(value, kinds[point:power].count("digit")).partition(".")
    before = _whole(whole, parts[:point], groups)
    after = _decimals(decimals, parts[point:power])
    return before + after + _power(exponent, parts[power:])


def _thousands(kinds: list[Kind]) -> int:
    """How many commas stand right behind the last place: each divides by a thousand."""
    places = "".join({"digit": "0", "comma": ","}.get(kind, " ") for kind in kinds)
    behind = _BEHIND.search(places)
    return len(behind[1]) if behind else 0


def _rounded(value: Decimal, places: int) -> str:
    return f"{value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, _PRECISE):f}"


def _scaled(value: Decimal, wide: int, places: int) -> tuple[Decimal, int]:
    """In scientific notation: the mantissa, whose exponent is a multiple of its width."""
    if not value:
        return value, 0
    step = max(wide, 1)
    exponent = value.adjusted() // step * step
    mantissa = value.scaleb(-exponent)
    if Decimal(_rounded(mantissa, places)) >= 10**step:
        exponent += step
        mantissa = mantissa.scaleb(-step)
    return mantissa, exponent


def _whole(digits: str, parts: list[_Part], groups: bool) -> str:
    """From the right; the first place takes whatever is left."""
    digits = digits.lstrip("0")
    first = next((at for at, part in enumerate(parts) if part.kind == "digit"), None)
    shown: list[str] = []
    count = 0
    for at in range(len(parts) - 1, -1, -1):
        part = parts[at]
        if part.kind != "digit":
            shown.append("" if part.kind == "comma" else part.text)
            continue
        places = max(len(digits), 1) if at == first else 1
        for _ in range(places):
            digit = digits[-1:] or {"0": "0", "?": " "}.get(part.text, "")
            if groups and digit.strip() and count and count % 3 == 0:
                shown.append(",")
            shown.append(digit)
            digits = digits[:-1]
            count += 1
    return "".join(reversed(shown)) if first is not None else "".join(part.text for part in parts)


def _decimals(digits: str, parts: list[_Part]) -> str:
    needed = len(digits.rstrip("0"))
    shown: list[str] = []
    at = 0
    for part in parts:
        if part.kind == "digit":
            is_shown = at < needed or part.text == "0"
            shown.append(digits[at] if is_shown else " " if part.text == "?" else "")
            at += 1
        elif part.kind != "comma":
            shown.append(part.text)
    return "".join(shown)


def _power(exponent: int, parts: list[_Part]) -> str:
    if not parts:
        return ""
    sign = "-" if exponent < 0 else "+" if parts[0].text.endswith("+") else ""
    return "E" + sign + _whole(str(abs(exponent)), parts[1:], False)


def _is_fraction(parts: list[_Part]) -> bool:
    kinds = [part.kind for part in parts]
    return "slash" in kinds and "digit" in kinds[: kinds.index("slash")] and "point" not in kinds


def _fraction(value: Decimal, parts: list[_Part]) -> str:
    """Such as `1 3/8`; the whole number apart where the format has a place for it."""
    slash = next(at for at, part in enumerate(parts) if part.kind == "slash")
    top = slash
    while top and parts[top - 1].kind == "digit":
        top -= 1
    end = slash + 1
    while end < len(parts) and re.fullmatch(r"[\d#?]", parts[end].text):
        end += 1
    below = "".join(part.text for part in parts[slash + 1 : end])
    exact = Fraction(value)
    if below.isdigit() and int(below):
        near = Fraction(round(exact * int(below)), int(below))
        divisor = int(below)
    else:
        near = exact.limit_denominator(10 ** min(max(len(below), 1), 6) - 1)
        divisor = near.denominator
    apart = any(part.kind == "digit" for part in parts[:top])
    whole, rest = divmod(near, 1) if apart else (0, near)
    count = rest.numerator * divisor // rest.denominator
    before = _whole(str(whole), parts[:top], False) if whole or not count else ""
    around = "".join(part.text for part in parts[end:] if part.kind == "literal")
    return (
        f"{before}{count}/{divisor}{around}" if count or not apart else f"{before.strip()}{around}"
    )
