"""A message as the words it is made of, whatever their case, accents and decoration."""

import re
import unicodedata
from itertools import islice

from msgspec import Struct

_KEYCAP = re.compile("[0-9#*]\ufe0f?\u20e3|\\w\ufe0f")
_EMOTICON = re.compile(
    r"(?<!\d)[:;=][-'^]?[dpoxsc3](?!\w)|<3+(?!\w)|(?<!\w)([toux])[_.]+\1(?!\w)", re.I
)
_WORD = re.compile(
    # scripts that put no spaces between words: a character each
    "[\u0e00-\u0e7f\u3005\u3040-\u30ff\u3400-\u9fff]"
    "|[^\\W_\u0e00-\u0e7f\u3005\u3040-\u30ff\u3400-\u9fff]+"
)
_APOSTROPHES = "'`\N{ACUTE ACCENT}\u2018\u2019\u02bc\uff07"
_FOLDED = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "\N{LATIN SMALL LETTER DOTLESS I}": "i",
        "æ": "ae",
        "œ": "oe",
    }
)


class Words(Struct, frozen=True):
    """`emoji` tells whether there were pictures beside the words."""

    words: list[str]
    emoji: bool


def read_words(text: str, most: int) -> Words | None:
    """None when there are more than `most`. The time is linear in the length of the text."""
    plain = _EMOTICON.sub(" ", _KEYCAP.sub(" ", text))
    signs = {sign: _category(sign) for sign in set(plain)}
    emoji = len(plain) != len(text) or "So" in signs.values()
    # marks go before the text is normalised too, since sorting many of them is not linear
    plain = plain.translate(_dropped(signs))
    plain = unicodedata.normalize("NFKD", plain).casefold().translate(_FOLDED)
    plain = plain.translate(_dropped({sign: _category(sign) for sign in set(plain)}))
    words = [match[0] for match in islice(_WORD.finditer(plain), most + 1)]
    return Words(words, emoji) if len(words) <= most else None


def _category(sign: str) -> str:
    return "Cf" if sign in _APOSTROPHES else unicodedata.category(sign)


def _dropped(categories: dict[str, str]) -> dict[int, str]:
    """Marks, apostrophes and what is invisible vanish; a picture parts words."""
    return {
        ord(sign): " " if category == "So" else ""
        for sign, category in categories.items()
        if category in ("So", "Sk", "Cf", "Mn", "Mc", "Me")
    }
