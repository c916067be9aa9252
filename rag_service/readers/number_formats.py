"""Numbers of spreadsheets -> the text that their cells show, as the formats of these cells say.

Decimal point and thousands comma are those of the format's code; which signs a reader's own
computer would put instead no file tells.
"""

import math
import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction

from rag_service.readers.date_formats import date_text
from rag_service.readers.number_codes import Layout, Part, Section, read_code

_MOST_DECIMALS = 10
"""Of a number without a format, about as many as a column has room for."""

_PRECISE = Context(prec=1000)
"""Enough for the largest of numbers, 1.8e308, with as many decimals as a code has room for."""

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
    size = Decimal(f"{abs(value):.15g}")
    shown = (
        _fraction(size, section.parts) if section.is_fraction else _decimal(size, section.layout)
    )
    return shown if not re.search("[1-9]", shown) else sign + shown


def text_text(text: str, code: str) -> str:
    """The text as a cell with this format shows it."""
    section = next((one for one in read_code(code) if one.is_text), None)
    if section is None:
        return text
    return "".join(text if part.text == "@" else part.text for part in section.parts)


def plain_number(value: float) -> str:
    """Without a format: whole numbers in full, and no more decimals than a cell has room for."""
    text = f"{value:.15g}"
    if "e" in text:
        return text.replace("e", "E")
    if len(text.partition(".")[2]) <= _MOST_DECIMALS:
        return text
    return f"{Decimal(text):.{_MOST_DECIMALS}f}".rstrip("0").rstrip(".")


def _section(value: float, code: str) -> tuple[Section | None, bool]:
    """The section for this number, and whether a minus has to be put before what it shows."""
    sections = [section for section in read_code(code) if not section.is_text]
    if not sections:
        return None, True
    if any(section.condition for section in sections):
        fitting = (section for section in sections if _holds(section.condition, value))
        section = next(fitting, None)
        return section, section is None or not section.is_negative
    if value < 0 and len(sections) > 1:
        return sections[1], False
    if value == 0 and len(sections) > 2:
        return sections[2], False
    return sections[0], len(sections) == 1


def _holds(condition: tuple[str, float] | None, value: float) -> bool:
    return condition is None or _COMPARE[condition[0]](value, condition[1])


def _general(value: float, section: Section | None, is_signed: bool) -> str:
    if section is None:
        return plain_number(value)
    shown = plain_number(value if is_signed else abs(value))
    return "".join(shown if part.kind == "general" else part.text for part in section.parts)


def _decimal(value: Decimal, layout: Layout) -> str:
    """Digits at the places that the format gives them, between what else it says."""
    if value and layout.scale:
        value = value.scaleb(layout.scale)
    exponent = 0
    if layout.power:
        value, exponent = _scaled(value, layout.width, layout.places)
    whole, _, decimals = _rounded(value, layout.places).partition(".")
    shown = _whole(whole, layout.whole, layout.has_groups)
    return shown + _decimals(decimals, layout.decimals) + _power(exponent, layout.power)


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


def _whole(digits: str, parts: list[Part], groups: bool) -> str:
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


def _decimals(digits: str, parts: list[Part]) -> str:
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


def _power(exponent: int, parts: list[Part]) -> str:
    if not parts:
        return ""
    sign = "-" if exponent < 0 else "+" if parts[0].text.endswith("+") else ""
    return "E" + sign + _whole(str(abs(exponent)), parts[1:], False)


def _fraction(value: Decimal, parts: list[Part]) -> str:
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
    around = "".join(part.text for part in parts[end:] if part.kind == "literal")
    if not count and apart:
        return (_whole(str(whole), parts[:top], False).strip() or "0") + around
    before = _whole(str(whole), parts[:top], False) if whole else ""
    return f"{before}{count}/{divisor}{around}"
