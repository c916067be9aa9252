"""How a value from outside is read: one reader each, with the JSON Schema of what it takes.

Clients differ in how they write the same thing. A blank string is as if absent where a field is
optional, an empty list of PHP's is an empty object, a number will do for an id, and text that says
the same is the same: it is kept in NFC, and half a surrogate pair is one replacement character.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from rag_service import dates

T = TypeVar("T")
Schema = dict[str, Any]
"""A JSON Schema, of draft 2020-12."""

LONGEST_LABEL = 200
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")

_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:\S")  # RFC 3986, section 3.1
_BOT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:@-]{0,99}")
_BLANK = re.compile(r"[\s\x00-\x1f\x7f\ufeff\u200b]*+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LONGEST_URL = 4096
_DEEPEST = 100
_LARGEST = 2**53 - 1
"""The largest whole number that every JSON library reads as it is written."""
_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}
_SEEN = r"[^\s\u0000-\u001f\u007f\u200b\ufeff]"
_ON_A_LINE = r"[^\u0000-\u001f\u007f]*"
"""These two are parts of patterns that JavaScript reads alike."""


class Reader(Generic[T]):
    """Raises ValueError with the reason, such as "must not be blank".

    `schema` is of the values that suit every client; others may be taken for them, as "5" for 5.
    """

    def __init__(self, read: Callable[[Any], T], schema: Schema) -> None:
        self._read = read
        self.schema = schema

    def __call__(self, value: Any) -> T:
        return self._read(value)

    @property
    def takes_lists(self) -> bool:
        return any(one["type"] == "array" for one in self.schema.get("anyOf", [self.schema]))


def takes(**schema: Any) -> Callable[[Callable[[Any], T]], Reader[T]]:
    """Makes a reader of a function."""
    return lambda read: Reader(read, schema)


def is_left_out(value: object) -> bool:
    """Null, or a string in which there is nothing to see."""
    return value is None or (isinstance(value, str) and _BLANK.fullmatch(value) is not None)


@takes(type="string")
def read_string(value: Any) -> str:
    """In NFC."""
    if not isinstance(value, str):
        raise ValueError("must be a string")
    if value.isascii():
        return value
    return unicodedata.normalize("NFC", _SURROGATE.sub("\ufffd", value))


def label(longest: int = LONGEST_LABEL) -> Reader[str]:
    """A line of text; a whole number is taken for its digits."""

    @takes(
        type="string", minLength=1, maxLength=longest, pattern=f"^{_ON_A_LINE}{_SEEN}{_ON_A_LINE}$"
    )
    def read(value: Any) -> str:
        is_number = isinstance(value, int) and not isinstance(value, bool)
        found = read_string(str(value) if is_number else value).strip()
        if not found:
            raise ValueError("must not be blank")
        if len(found) > longest:
            raise ValueError(f"must have at most {longest} characters")
        if UNPRINTABLE.search(found):
            raise ValueError("must not contain control characters")
        return found

    return read


read_label = label()
read_content_type = read_label
"""A free label."""


@takes(
    type="string",
    maxLength=_LONGEST_URL,
    pattern=f"^[a-zA-Z][a-zA-Z0-9+.-]*:{_SEEN}{_ON_A_LINE}$",
)
def read_source_url(value: Any) -> str:
    """Kept as given but for surrounding white space."""
    url = read_string(value).strip()
    if not url:
        raise ValueError("must not be blank")
    if len(url) > _LONGEST_URL:
        raise ValueError(f"must have at most {_LONGEST_URL} characters")
    if UNPRINTABLE.search(url):
        raise ValueError("must not contain control characters")
    if not _SCHEME.match(url):
        raise ValueError("must be an absolute URI such as https://example.com/page")
    return url


@takes(type="string", pattern=f"^{_BOT.pattern}$")
def read_bot_id(value: Any) -> str:
    name = read_label(value)
    if not _BOT.fullmatch(name):
        raise ValueError(
            "must be 1 to 100 letters, digits or any of _ . : @ - and start with a letter or digit"
        )
    return name


@takes(type="object", additionalProperties=True)
def read_metadata(value: Any) -> dict[str, Any]:
    if value == []:
        return {}
    if not isinstance(value, dict):
        raise ValueError("must be an object")
    level: list[Any] = [value]
    for _ in range(_DEEPEST):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return value
    raise ValueError(f"must be nested at most {_DEEPEST} deep")


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


read_moment = Reader(
    dates.read_moment, {"type": "string", "examples": ["2026-05-12T10:00:00Z", "-1 week"]}
)
"""As the rows keep it."""


def text(longest: int) -> Reader[str]:
    """Not blank."""

    @takes(type="string", minLength=1, maxLength=longest, pattern=_SEEN)
    def read(value: Any) -> str:
        found = read_string(value)
        if not any(char.isprintable() and char != " " for char in found):
            raise ValueError("must not be blank")
        if len(found) > longest:
            raise ValueError(f"must have at most {longest} characters")
        return found

    return read


def integer(least: int, most: int = _LARGEST) -> Reader[int]:
    @takes(type="integer", minimum=least, maximum=most)
    def read(value: Any) -> int:
        number = _number(value)
        if not least <= number <= most:
            is_open = most == _LARGEST and number < least
            upper = "" if is_open else f" and at most {most}"
            raise ValueError(f"must be at least {least}{upper}")
        return number

    return read


def _number(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        digits = value.strip().removeprefix("-")
        if digits.isascii() and digits.isdecimal() and len(digits) < 19:
            return int(value)
    raise ValueError("must be a whole number")


def one_of(values: Sequence[T]) -> Reader[T]:
    @takes(type="string", enum=list(values))
    def read(value: Any) -> T:
        if value not in values:
            raise ValueError(f"must be one of {', '.join(map(str, values))}")
        chosen: T = value
        return chosen

    return read


def list_of(read: Reader[T], most: int, *, or_one: bool = False) -> Reader[list[T]]:
    """At least one; `or_one`: a value that is no list is a list of it."""
    items = {"type": "array", "items": read.schema, "minItems": 1, "maxItems": most}

    def read_list(value: Any) -> list[T]:
        values = [value] if or_one and not isinstance(value, list) else value
        if not isinstance(values, list):
            raise ValueError("must be a list")
        if not values:
            raise ValueError("must not be empty")
        if len(values) > most:
            raise ValueError(f"must have at most {most}")
        return [read(one) for one in values]

    return Reader(read_list, {"anyOf": [read.schema, items]} if or_one else items)


@takes(type="boolean")
def flag(value: Any) -> bool:
    text = str(value).strip().lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError("must be true or false")
