"""Parameters of a request, from its JSON body or its query, with every fault named at once."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar, cast

from litestar import Request

from rag_service.errors import Invalid
from rag_service.fields import flag, is_left_out, read_body

T = TypeVar("T")

_LISTED = re.compile(r"(.+)\[\d*\]")
"""As PHP writes the names of a list."""


class NotJson(Invalid):
    """The body is not a JSON object, so none of its parameters can be read."""


class Parameters:
    """Each `take` notes what is wrong; `done` raises Invalid if anything was."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self._faults: dict[str, str] = {}

    def take(self, name: str, read: Callable[[Any], T], default: T) -> T:
        """`read` raises ValueError with the reason. Null counts as left out, and so does what is
        blank."""
        value = self._values.get(name)
        if is_left_out(value):
            return default
        return self._read(name, value, read, default)

    def take_flag(self, name: str, default: bool = False) -> bool:
        """For what must not happen by mistake: blank is no answer, so that `?dry_run=` does not
        write."""
        value = self._values.get(name)
        return default if value is None else self._read(name, value, flag, default)

    def need(self, name: str, read: Callable[[Any], T]) -> T:
        """What it returns means something only after `done`."""
        value = self._values.get(name)
        if value is None:
            self._faults[name] = "is required"
            return cast(T, None)
        return self._read(name, value, read, cast(T, None))

    def _read(self, name: str, value: Any, read: Callable[[Any], T], default: T) -> T:
        try:
            return read(value)
        except ValueError as error:
            self._faults[name] = str(error)
            return default

    def done(self) -> None:
        if self._faults:
            names = ", ".join(self._faults)
            raise Invalid(f"Invalid parameter(s): {names}", self._faults)


def query_of(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """The last value of each name; all of them, as a list, where a name ends in `[]` or `[0]`."""
    return gathered(request.query_params.multi_items())


def gathered(items: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Names and values of a query or a form."""
    values: dict[str, Any] = {}
    for name, value in items:
        listed = _LISTED.fullmatch(name)
        if listed is None:
            values[name] = value
        elif isinstance(known := values.setdefault(listed[1], []), list):
            known.append(value)
    return values


async def body_of(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """A JSON object, whatever its content type says. Raises NotJson."""
    return read_json(await request.body())


async def optional_body_of(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """As `body_of`, where there may be none; PHP writes an empty object as []. Raises NotJson."""
    body = await request.body()
    return {} if body.strip() in (b"", b"[]") else read_json(body)


def read_json(body: bytes) -> dict[str, Any]:
    """Raises NotJson."""
    try:
        return read_body(body)
    except Invalid as error:
        raise NotJson(str(error)) from error
