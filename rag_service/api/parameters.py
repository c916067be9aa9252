"""Parameters of a request, from its JSON body or its query, with every fault named at once."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

from litestar import Request

from rag_service.errors import Invalid
from rag_service.pushes import read_body

T = TypeVar("T")

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


class NotJson(Invalid):
    """The body is not a JSON object, so none of its parameters can be read."""


class Parameters:
    """Each `take` notes what is wrong; `done` raises Invalid if anything was."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self._faults: dict[str, str] = {}

    def take(self, name: str, read: Callable[[Any], T], default: T) -> T:
        """`read` raises ValueError with the reason. A value that is null counts as left out."""
        value = self._values.get(name)
        if value is None:
            return default
        try:
            return read(value)
        except ValueError as error:
            self._faults[name] = str(error)
            return default

    def need(self, name: str, read: Callable[[Any], T]) -> T:
        """What it returns means something only after `done`."""
        if self._values.get(name) is None:
            self._faults[name] = "is required"
        return self.take(name, read, cast(T, None))

    def done(self) -> None:
        if self._faults:
            names = ", ".join(self._faults)
            raise Invalid(f"Invalid parameter(s): {names}", self._faults)


def query_of(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """The last value of each name; all of them, as a list, where a name ends in `[]`."""
    values: dict[str, Any] = {}
    for name, value in request.query_params.multi_items():
        if name.endswith("[]"):
            values.setdefault(name[:-2], []).append(value)
        else:
            values[name] = value
    return values


async def body_of(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """A JSON object, whatever its content type says. Raises NotJson."""
    return read_json(await request.body())


def read_json(body: bytes) -> dict[str, Any]:
    """Raises NotJson."""
    try:
        return read_body(body)
    except Invalid as error:
        raise NotJson(str(error)) from error


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
