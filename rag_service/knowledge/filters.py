"""Filters on metadata: which documents a search may find, or a list shows.

    {"topic": "prices"}                          equals
    {"topic": ["prices", "hours"]}               one of
    {"price": {"gte": 10, "lt": 20}}             each operator is a condition of its own
    {"any": [{...}, {...}]}, {"all": [...]}      of several filters one, or each
    {"not": {...}}                               all that the filter does not leave

The members of an object are all wanted. `not` includes documents without the key; `ne` wants it to
be there. Metadata are read as pairs of a key and a value: what is inside an object has a path of
keys joined by dots, and a list stands for each of its items, so a list equals whatever it holds.
Numbers compare as numbers, strings by their code points, and no string equals a number; dates in
ISO 8601 compare as the strings they are.

`content_type` and `source_url` are keys as well; `metadata.` before a key means the one that a
document's metadata have under a name that is taken.
"""

from collections.abc import Callable, Iterator
from typing import Any, Literal, get_args

import msgspec
from msgspec import Struct

from rag_service.errors import Invalid
from rag_service.fields import Field, Reader, is_left_out, read_object, read_string

Scalar = str | int | float | bool | None
Operator = Literal["in", "ne", "gt", "gte", "lt", "lte", "prefix", "exists"]
Column = Literal["content_type", "source_url"]

DEEPEST = 20
"""Filters inside each other."""
MOST_CONDITIONS = 200
MOST_VALUES = 10_000
LONGEST_VALUE = 1000
"""Characters of a key or of a string in a filter; documents may have longer ones."""
LONGEST_URL = 4096
MOST_KEPT = 10_000
"""Values of one document that filters see."""

_COLUMNS: tuple[Column, ...] = get_args(Column)
_GROUPS = ("any", "all")
_OPERATORS = ("eq", *get_args(Operator))
_ORDERS = ("gt", "gte", "lt", "lte")
_LARGEST = 2**63


class Condition(Struct, frozen=True, kw_only=True, tag=True):
    """On the values that a document has under `key`: one of them, for `ne` none of them.

    `values` are alternatives for `in`; the other operators have one. That of `exists` is true.
    """

    key: str
    operator: Operator
    values: tuple[Scalar, ...]
    column: Column | None = None
    """Where the key is none of the metadata."""


class AllOf(Struct, frozen=True, tag=True):
    filters: "tuple[Filter, ...]"


class AnyOf(Struct, frozen=True, tag=True):
    filters: "tuple[Filter, ...]"


class Not(Struct, frozen=True, tag=True):
    filter: "Filter"


Filter = Condition | AllOf | AnyOf | Not


def has_label(content_type: str) -> Filter:
    return Condition(
        key="content_type", operator="in", values=(content_type,), column="content_type"
    )


def both(one: Filter | None, other: Filter | None) -> Filter | None:
    """What each of them leaves; None leaves everything."""
    if one is None or other is None:
        return one or other
    return AllOf((one, other))


def read_filter(value: Any) -> Filter | None:
    """An object, or JSON of one. None where it has no condition. Raises ValueError."""
    given = _object(value)
    return _Reading().object(given, "", 1) if given else None


filter_reader: Reader[Filter | None] = Reader(
    read_filter,
    {
        "anyOf": [
            {
                "type": "object",
                "properties": {
                    "any": {"type": "array", "items": {"type": "object"}},
                    "all": {"type": "array", "items": {"type": "object"}},
                    "not": {"type": "object"},
                },
                "additionalProperties": True,
                "examples": [{"topic": "prices", "price": {"lt": 20}}],
            },
            {"type": "string", "contentMediaType": "application/json"},
        ]
    },
)
FILTER = Field(
    "Only documents whose metadata suit: `{key: value}`, `{key: [values]}`, "
    "`{key: {gte | lte | gt | lt | ne | prefix | exists: value}}`, `{any: [...]}`, `{all: [...]}`, "
    "`{not: {...}}`. In a query it is JSON.",
    filter_reader,
)


def values_of(metadata: dict[str, Any]) -> Iterator[tuple[str, Scalar | type[object]]]:
    """Key and value of all that filters see; `object` stands for what exists and has no value.

    Keys and strings are in NFC, and one character longer than a filter's at most.
    """
    for key, value in metadata.items():
        yield from _below(_cut(key), value)


def unseen_values(metadata: dict[str, Any]) -> list[str]:
    """A sentence where there are more values than filters see."""
    count = sum(1 for _ in values_of(metadata))
    if count <= MOST_KEPT:
        return []
    return [f"the metadata have {count:,} values, and filters see the first {MOST_KEPT:,}"]


def _below(path: str, value: Any) -> Iterator[tuple[str, Scalar | type[object]]]:
    if isinstance(value, dict):
        yield path, object
        for key, inner in value.items():
            yield from _below(_cut(f"{path}.{key}"), inner)
    elif isinstance(value, list):
        yield path, object
        for item in value:
            yield from _below(path, item)
    else:
        yield path, _cut(value) if isinstance(value, str) else _number(value)


def _cut(text: str) -> str:
    return read_string(text)[: LONGEST_VALUE + 1]


def _number(value: Any) -> Any:
    """What no database keeps whole is the nearest number that it does."""
    is_huge = type(value) is int and not -_LARGEST <= value < _LARGEST
    return float(value) if is_huge else value


def _object(value: Any) -> dict[str, Any]:
    """PHP writes an empty object as []."""
    if isinstance(value, str):
        if is_left_out(value) or value.strip() == "[]":
            return {}
        try:
            return read_object(value)
        except Invalid as error:
            reason = str(error).replace("the body", "it")
            raise ValueError(f"must be a JSON object such as {_EXAMPLE}: {reason}") from error
    if value == []:
        return {}
    if not isinstance(value, dict):
        raise ValueError(f"must be an object such as {_EXAMPLE}")
    return value


_EXAMPLE = '{"topic": "prices"}'


class _Reading:
    """One filter, and how much of it has been read."""

    def __init__(self) -> None:
        self._conditions = 0
        self._values = 0

    def object(self, given: dict[str, Any], where: str, depth: int) -> Filter:
        if depth > DEEPEST:
            raise ValueError(f"may be nested at most {DEEPEST} deep")
        parts: list[Filter] = []
        for name, value in given.items():
            place = f"{where}.{name}" if where else str(name)
            if name in _GROUPS:
                parts.append(self._group(name, value, place, depth))
            elif name == "not":
                self._count(place)
                parts.append(Not(self.object(_inner(value, place), place, depth + 1)))
            else:
                parts += self._conditions_on(name, value, place)
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def _group(self, name: str, value: Any, place: str, depth: int) -> Filter:
        if not isinstance(value, list):
            raise ValueError(
                f"{_quoted(place)} must be a list of filters; "
                f"for the key of your metadata write `metadata.{name}`"
            )
        self._count(place)
        inner = tuple(self.object(_inner(one, place), place, depth + 1) for one in value)
        return AnyOf(inner) if name == "any" else AllOf(inner)

    def _conditions_on(self, name: str, value: Any, place: str) -> list[Filter]:
        column = name if name in _COLUMNS else None
        key = read_string(name.removeprefix("metadata."))
        if len(key) > LONGEST_VALUE:
            raise ValueError(f"has a key of more than {LONGEST_VALUE:,} characters")
        if isinstance(value, list):
            operators: dict[str, Any] = {"in": value}
        elif isinstance(value, dict):
            operators = value
        else:
            operators = {"eq": value}
        if not operators:
            raise ValueError(f"{_quoted(place)} needs an operator: {', '.join(_OPERATORS)}")
        longest = LONGEST_URL if column else LONGEST_VALUE
        return [
            self._condition(key, column, operator, operand, place, longest)
            for operator, operand in operators.items()
        ]

    def _condition(
        self, key: str, column: Any, name: str, operand: Any, place: str, longest: int
    ) -> Filter:
        self._count(place)
        if name not in _OPERATORS:
            raise ValueError(
                f"{_quoted(place)} has no operator {name[:40]!r}: use {', '.join(_OPERATORS)}"
            )
        operands = operand if name == "in" and isinstance(operand, list) else [operand]
        self._values += len(operands)
        if self._values > MOST_VALUES:
            raise ValueError(f"may have at most {MOST_VALUES:,} values")
        fits, what = _FITTING[name]
        if not (all(map(fits, operands)) and (name != "in" or operands is operand)):
            raise ValueError(f"{_quoted(f'{place}.{name}')} must be {what}")
        if any(isinstance(one, str) and len(one) > longest for one in operands):
            raise ValueError(f"{_quoted(place)} has a value of more than {longest:,} characters")
        values = tuple(read_string(v) if isinstance(v, str) else _number(v) for v in operands)
        if name == "exists":
            found = Condition(key=key, operator="exists", values=(True,), column=column)
            return found if operand else Not(found)
        operator: Operator = msgspec.convert("in" if name == "eq" else name, Operator)
        return Condition(key=key, operator=operator, values=values, column=column)

    def _count(self, place: str) -> None:
        self._conditions += 1
        if self._conditions > MOST_CONDITIONS:
            raise ValueError(f"may have at most {MOST_CONDITIONS} conditions")


def _inner(value: Any, place: str) -> dict[str, Any]:
    if value == []:
        return {}
    if not isinstance(value, dict):
        raise ValueError(f"{_quoted(place)} must hold filters, which are objects")
    return value


def _quoted(place: str) -> str:
    return f"`{place if len(place) < _SHOWN else place[:_SHOWN] + '...'}`"


_SHOWN = 100


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float)


def _is_ordered(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


_FITTING: dict[str, tuple[Callable[[Any], bool], str]] = {
    "eq": (_is_scalar, "a string, a number, true, false or null"),
    "ne": (_is_scalar, "a string, a number, true, false or null"),
    "in": (_is_scalar, "a list of strings, numbers, true, false or null"),
    **dict.fromkeys(_ORDERS, (_is_ordered, "a number or a string")),
    "prefix": (lambda value: isinstance(value, str), "a string"),
    "exists": (lambda value: isinstance(value, bool), "true or false"),
}


def successor(prefix: str) -> str | None:
    """The least string after all that begin so; None where there is none."""
    for place in range(len(prefix) - 1, -1, -1):
        letter = ord(prefix[place])
        if letter < 0x10FFFF:
            after = 0xE000 if letter == 0xD7FF else letter + 1
            return prefix[:place] + chr(after)
    return None
