"""How a field from outside is read: one reader each for HTTP, batches and the command line."""

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from rag_service.errors import Invalid

T = TypeVar("T")


_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:\S")  # RFC 3986, section 3.1
_BOT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:@-]{0,99}")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_LONGEST_URL = 4096
_LONGEST_LABEL = 200
_DEEPEST = 100


def read_body(body: bytes | str) -> dict[str, Any]:
    """A JSON object. Raises Invalid."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise Invalid(f"the body is not JSON: {error}") from error
    except RecursionError as error:
        raise Invalid("the body is nested too deeply") from error
    if not isinstance(value, dict):
        raise Invalid("the body is not a JSON object")
    return value


def read_source_url(value: object) -> str:
    """Kept as given but for surrounding white space. Raises ValueError."""
    url = _string(value).strip()
    if not url:
        raise ValueError("must not be blank")
    if len(url) > _LONGEST_URL:
        raise ValueError(f"must have at most {_LONGEST_URL} characters")
    if _UNPRINTABLE.search(url):
        raise ValueError("must not contain control characters")
    if not _SCHEME.match(url):
        raise ValueError("must be an absolute URI such as https://example.com/page")
    return url


def read_bot_id(value: object) -> str:
    """Raises ValueError."""
    name = _string(value).strip()
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


def read_label(value: object, longest: int = _LONGEST_LABEL) -> str:
    """A line of text. Raises ValueError."""
    label = _string(value).strip()
    if not label:
        raise ValueError("must not be blank")
    if len(label) > longest:
        raise ValueError(f"must have at most {longest} characters")
    if _UNPRINTABLE.search(label):
        raise ValueError("must not contain control characters")
    return label


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a string")
    return value


_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


def integer(least: int, most: int | None = None) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        number = _number(value)
        if number < least or (most is not None and number > most):
            upper = "" if most is None else f" and at most {most}"
            raise ValueError(f"must be at least {least}{upper}")
        return number

    return read


def one_of(values: Sequence[T]) -> Callable[[Any], T]:
    def read(value: Any) -> T:
        if value not in values:
            raise ValueError(f"must be one of {', '.join(map(str, values))}")
        chosen: T = value
        return chosen

    return read


def flag(value: Any) -> bool:
    """An empty value is no answer: `?dry_run=` must not write."""
    text = str(value).lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError("must be true or false")


def text(longest: int) -> Callable[[Any], str]:
    """Not blank."""

    def read(value: Any) -> str:
        if not isinstance(value, str):
            raise ValueError("must be a string")
        if not any(char.isprintable() and char != " " for char in value):
            raise ValueError("must not be blank")
        if len(value) > longest:
            raise ValueError(f"must have at most {longest} characters")
        return value

    return read


def _number(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        digits = value.strip().removeprefix("-")
        if digits.isascii() and digits.isdecimal() and len(digits) < 19:
            return int(value)
    raise ValueError("must be a whole number")
