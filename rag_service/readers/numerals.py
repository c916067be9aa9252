"""Numbers as lists count: 3 is `3`, `c`, `III`, `③` or `三`. Each starts from 1."""

from collections.abc import Callable

_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"),
    (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip
_LATIN = "abcdefghijklmnopqrstuvwxyz"
_RUSSIAN = "абвгдежзиклмнопрстуфхцчшщыэюя"
_GREEK = "αβγδεζηθικλμνξοπρστυφχψω"
_HEBREW = "אבגדהוזחטיכלמנסעפצקרשת"
_ARABIC = "أبتثجحخدذرزسشصضطظعغفقكلمنهوي"
_KOREAN = "가나다라마바사아자차카타파하"
_STEMS = "甲乙丙丁戊己庚辛壬癸"
_HAN = "〇一二三四五六七八九"
_LARGEST_ROMAN = 4_999
_LONGEST_LETTERS = 20


def roman(number: int) -> str:
    """Lower case; what Roman numerals do not reach stays decimal."""
    if not 0 < number <= _LARGEST_ROMAN:
        return str(number)
    letters = []
    for value, letter in _ROMAN:
        letters.append(letter * (number // value))
        number %= value
    return "".join(letters)


def letters(number: int, alphabet: str = _LATIN) -> str:
    """After `z` come `aa`, `bb` and so on, as in Word."""
    rounds, place = divmod(number - 1, len(alphabet))
    if number < 1 or rounds >= _LONGEST_LETTERS:
        return str(number)
    return alphabet[place] * (rounds + 1)


def ordinal(number: int) -> str:
    """In English."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ending}"


def han(number: int) -> str:
    """Up to 99 in words, such as 二十三; above, digit by digit."""
    tens, ones = divmod(number, 10)
    if not 0 < number < 100:
        return "".join(_HAN[int(digit)] for digit in str(abs(number)))
    return (_HAN[tens] if tens > 1 else "") + ("十" if tens else "") + (_HAN[ones] if ones else "")


def full_width(number: int) -> str:
    return "".join(chr(0xFF10 + int(digit)) for digit in str(abs(number)))


def enclosed(number: int, first: int) -> str:
    """One of the twenty characters from `first` on; a number beyond them stands in brackets."""
    return chr(first + number - 1) if 0 < number <= 20 else f"({number})"


def in_format(number: int, format: str) -> str:
    """`format` is one of WordprocessingML (`upperRoman`); one that is not known counts decimal."""
    is_upper = format.startswith("upper") or format.endswith("Upper")
    if format in ("lowerRoman", "upperRoman"):
        shown = roman(number)
    elif alphabet := _ALPHABETS.get(format):
        shown = letters(number, alphabet)
    elif first := _ENCLOSED.get(format):
        shown = enclosed(number, first)
    elif format.startswith(_HAN_FORMATS):
        shown = han(number)
    else:
        write = _OTHERS.get(format)
        return write(number) if write is not None else str(number)
    return shown.upper() if is_upper else shown


_ALPHABETS = {
    "lowerLetter": _LATIN,
    "upperLetter": _LATIN,
    "russianLower": _RUSSIAN,
    "russianUpper": _RUSSIAN,
    "lowerGreek": _GREEK,
    "upperGreek": _GREEK,
    "hebrew2": _HEBREW,
    "arabicAlpha": _ARABIC,
    "ganada": _KOREAN,
    "ideographTraditional": _STEMS,
}
_ENCLOSED = {
    "decimalEnclosedCircle": 0x2460,
    "decimalEnclosedCircleChinese": 0x2460,
    "decimalEnclosedParen": 0x2474,
    "decimalEnclosedFullstop": 0x2488,
}
_HAN_FORMATS = ("chineseCounting", "taiwaneseCounting", "japaneseCounting", "ideographDigital")
_OTHERS: dict[str, Callable[[int], str]] = {
    "decimalZero": "{:02}".format,
    "ordinal": ordinal,
    "numberInDash": "- {} -".format,
    "decimalFullWidth": full_width,
    "decimalFullWidth2": full_width,
    "hex": "{:X}".format,
}
