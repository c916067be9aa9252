"""Parameters of a request, from its JSON body or its query, with every fault named at once."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from litestar import Request

from rag_service.errors import Invalid
from rag_service.fields import read_body

T = TypeVar("T")


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
