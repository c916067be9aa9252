"""How a field from outside is read: one reader each for HTTP, batches, files and the command line.

Clients differ in how they write the same thing. A blank string is as if absent where a field is
optional, an empty list of PHP's is an empty object, a number will do for an id, and text that says
the same is the same: it is kept in NFC, and half a surrogate pair is one replacement character.
"""

import codecs
import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from rag_service.errors import Invalid

T = TypeVar("T")

LONGEST_LABEL = 200
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")

_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:\S")  # RFC 3986, section 3.1
_BOT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:@-]{0,99}")
_BLANK = re.compile(r"[\s\x00-\x1f\x7f\ufeff\u200b]*+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_HALF_ESCAPED = re.compile(
    rb"(?<!\\)((?:\\\\)*)"
    rb"(?:(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)
"""An escaped surrogate of JSON; the second group is a pair, which is whole."""
_LONGEST_URL = 4096
_DEEPEST = 100
_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


def read_body(body: bytes | str) -> dict[str, Any]:
    """The fields of a JSON object, without those that are blank. Raises Invalid."""
    values = read_object(body)
    return {
        name: field for name, field in values.items() if field is None or not is_left_out(field)
    }


def read_object(body: bytes | str) -> dict[str, Any]:
    """A JSON object. A byte order mark before it is passed over. Raises Invalid."""
    data = body.encode(errors="surrogatepass") if isinstance(body, str) else body
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        value = _decode(data)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise Invalid(f"the body is not JSON: {error}") from error
    except RecursionError as error:
        raise Invalid("the body is nested too deeply") from error
    if not isinstance(value, dict):
        raise Invalid("the body is not a JSON object")
    return value


def _decode(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except msgspec.DecodeError:
        mended = _HALF_ESCAPED.sub(lambda found: found[1] + (found[2] or b"\\ufffd"), data)
        if mended == data:
            raise
        return msgspec.json.decode(mended)


def is_left_out(value: object) -> bool:
    """Null, or a string in which there is nothing to see."""
    return value is None or (isinstance(value, str) and _BLANK.fullmatch(value) is not None)


def read_string(value: object) -> str:
    """In NFC. Raises ValueError."""
    if not isinstance(value, str):
        raise ValueError("must be a string")
    if value.isascii():
        return value
    return unicodedata.normalize("NFC", _SURROGATE.sub("\ufffd", value))


def read_label(value: object, longest: int = LONGEST_LABEL) -> str:
    """A line of text; a whole number is taken for its digits. Raises ValueError."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    label = read_string(str(value) if is_number else value).strip()
    if not label:
        raise ValueError("must not be blank")
    if len(label) > longest:
        raise ValueError(f"must have at most {longest} characters")
    if UNPRINTABLE.search(label):
        raise ValueError("must not contain control characters")
    return label


def read_source_url(value: object) -> str:
    """Kept as given but for surrounding white space. Raises ValueError."""
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


def read_bot_id(value: object) -> str:
    """Raises ValueError."""
    name = read_label(value)
    if not _BOT.fullmatch(name):
        raise ValueError(
            "must be 1 to 100 letters, digits or any of _ . : @ - and start with a letter or digit"
        )
    return name


def read_content_type(value: object) -> str:
    """A free label. Raises ValueError."""
    return read_label(value)


def read_metadata(value: object) -> dict[str, Any]:
    """Raises ValueError."""
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


def text(longest: int) -> Callable[[Any], str]:
    """Not blank."""

    def read(value: Any) -> str:
        found = read_string(value)
        if not any(char.isprintable() and char != " " for char in found):
            raise ValueError("must not be blank")
        if len(found) > longest:
            raise ValueError(f"must have at most {longest} characters")
        return found

    return read


def integer(least: int, most: int | None = None) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        number = _number(value)
        if number < least or (most is not None and number > most):
            upper = "" if most is None else f" and at most {most}"
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


def one_of(values: Sequence[T]) -> Callable[[Any], T]:
    def read(value: Any) -> T:
        if value not in values:
            raise ValueError(f"must be one of {', '.join(map(str, values))}")
        chosen: T = value
        return chosen

    return read


def flag(value: Any) -> bool:
    text = str(value).strip().lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError("must be true or false")
