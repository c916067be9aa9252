"""The codes of number formats: a code -> its sections, taken apart once.

ECMA-376 part 1, 18.8.30 and 18.8.31, says what they mean.
"""

import re
from functools import lru_cache
from typing import Literal

from msgspec import Struct

from rag_service.readers.date_formats import DatePart

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
COMPARISONS = ("<", "<=", ">", ">=", "=", "<>")
_SIGNS: dict[str, Kind] = {".": "point", ",": "comma", "%": "percent", "/": "slash"}


class Part(Struct, frozen=True):
    kind: Kind
    text: str


class Layout(Struct, frozen=True, kw_only=True):
    """Where the digits of a number go."""

    whole: list[Part]
    decimals: list[Part]
    """From the point on."""
    power: list[Part]
    """From the E on."""
    has_groups: bool
    """A comma stands before every third digit."""
    scale: int
    """The number is shown times ten to this power: percent, thousands."""

    places: int
    """Digits behind the point."""
    width: int
    """Digits before the point that have a place of their own."""


class Section(Struct, frozen=True, kw_only=True):
    """What one of the parts that semicolons part says; numbers choose among them."""

    parts: list[Part]
    layout: Layout
    dates: list[DatePart]
    condition: tuple[str, float] | None
    locale: str
    is_general: bool
    is_date: bool
    is_fraction: bool
    is_text: bool

    @property
    def is_negative(self) -> bool:
        """It is for numbers below zero alone, so that it says itself how they are told."""
        return (
            self.condition is not None
            and self.condition[0] in ("<", "<=")
            and self.condition[1] <= 0
        )


@lru_cache(maxsize=4096)
def read_code(code: str) -> list[Section]:
    """Four at most."""
    parts: list[list[re.Match[str]]] = [[]]
    for token in _TOKEN.finditer(code[:LONGEST_CODE]):
        if token["other"] == ";":
            parts.append([])
        else:
            parts[-1].append(token)
    return [_read_section(tokens) for tokens in parts[:4]]


def _read_section(tokens: list[re.Match[str]]) -> Section:
    conditions = [token for token in tokens if token["condition"] in COMPARISONS]
    limit = conditions[0]["limit"] if conditions else ""
    is_number = re.fullmatch(r"-?\d*\.?\d+(?:E[+-]?\d+)?", limit, re.I)
    locales = [token["locale"] for token in tokens if token["locale"]]
    units = "".join(token["date"] or token["elapsed"] or "" for token in tokens).lower()
    has_digits = any(token["digit"] for token in tokens)
    is_date = bool(units) and ("s" in units or not has_digits)  # `0 m` is so many metres
    parts = [_part(token) for token in tokens]
    return Section(
        parts=parts,
        layout=_layout(parts),
        dates=[_date_part(token) for token in tokens] if is_date else [],
        condition=(conditions[0]["condition"], float(limit)) if is_number else None,
        locale=locales[0] if locales else "",
        is_general=any(token["general"] for token in tokens),
        is_date=is_date,
        is_fraction=_is_fraction([part.kind for part in parts]),
        is_text=any(token["text"] for token in tokens),
    )


def _part(token: re.Match[str]) -> Part:
    if token["digit"]:
        return Part("digit", token["digit"])
    if token["exponent"]:
        return Part("exponent", token["exponent"])
    if token["general"]:
        return Part("general", "")
    if token["other"] in _SIGNS:
        return Part(_SIGNS[token["other"]], token["other"])
    return Part("literal", _literal(token))


def _literal(token: re.Match[str]) -> str:
    if token["wide"]:
        return " "
    for name in ("quoted", "escaped", "symbol", "text", "noon", "date", "other", "digit"):
        if token[name]:
            return str(token[name])
    return ""


def _date_part(token: re.Match[str]) -> DatePart:
    for name in ("elapsed", "noon", "date", "digit"):
        if token[name]:
            return name, token[name]
    return "literal", _literal(token)


def _layout(parts: list[Part]) -> Layout:
    kinds = [part.kind for part in parts]
    power = kinds.index("exponent") if "exponent" in kinds else len(parts)
    point = kinds.index("point") if "point" in kinds[:power] else power
    digits = [at for at in range(point) if kinds[at] == "digit"]
    thousands = _thousands(kinds[:point]) + _thousands(kinds[point:power])
    return Layout(
        whole=parts[:point],
        decimals=parts[point:power],
        power=parts[power:],
        places=kinds[point:power].count("digit"),
        width=len(digits),
        has_groups=bool(digits) and "comma" in kinds[digits[0] : digits[-1]],
        scale=2 * kinds.count("percent") - 3 * thousands,
    )


def _thousands(kinds: list[Kind]) -> int:
    """How many commas stand right behind the last place: each divides by a thousand."""
    places = "".join({"digit": "0", "comma": ","}.get(kind, " ") for kind in kinds)
    behind = _BEHIND.search(places)
    return len(behind[1]) if behind else 0


def _is_fraction(kinds: list[Kind]) -> bool:
    return "slash" in kinds and "digit" in kinds[: kinds.index("slash")] and "point" not in kinds
