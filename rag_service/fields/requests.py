"""A request as a struct: each field says how it is read, what it is, and what stands for it.

    class Search(Struct, frozen=True, kw_only=True):
        query: Annotated[str, Field("What to look for.", text(20_000), also=("q",))]
        k: Annotated[int, Field("How many passages.", integer(1, 100))] = 5

A field without a default is required. Where one is left out, or is null, its default stands for
it; null is a value of its own only where the default is UNSET and the type has None, as in a
change, in which it removes what there was.
"""

from collections.abc import Mapping
from functools import cache
from types import NoneType
from typing import Any, TypeVar, get_args

from msgspec import NODEFAULT, UNSET, Struct, UnsetType
from msgspec.structs import FieldInfo, fields

from rag_service.errors import Invalid
from rag_service.fields.values import Reader, Schema, is_left_out

R = TypeVar("R", bound=Struct)


class Field(Struct, frozen=True):
    """`about` is a sentence for people; `read` raises ValueError with the reason."""

    about: str
    read: Reader[Any]
    also: tuple[str, ...] = ()
    """Other names that clients send it under."""
    may_be_blank: bool = True
    """A blank string is as if absent. It is no answer where something must not happen by mistake:
    `?dry_run=` does not write."""


class Declared(Struct, frozen=True):
    """A field as its struct declares it: under its names outside, the first one ours."""

    name: str
    attribute: str
    field: Field
    default: Any
    """NODEFAULT where it is required."""
    is_removed_by_null: bool

    @property
    def is_required(self) -> bool:
        return self.default is NODEFAULT

    @property
    def schema(self) -> Schema:
        """With its description, and its default where that can be told."""
        schema = {**self.field.read.schema, "description": self._description}
        if self.default not in (NODEFAULT, UNSET, None, ""):
            schema["default"] = self.default
        return schema

    @property
    def _description(self) -> str:
        also = " or ".join(f"`{name}`" for name in self.field.also)
        return f"{self.field.about} Also taken as {also}." if also else self.field.about

    def value_in(self, values: Mapping[str, Any]) -> tuple[str, Any]:
        """What was sent, and the name it was sent under; UNSET where that is nothing."""
        names = [name for name in (self.name, *self.field.also) if name in values]
        name = next((name for name in names if not is_left_out(values[name])), None)
        name = name or next(iter(names), self.name)
        value = values.get(name, UNSET)
        if self.is_required:
            return name, UNSET if value is None else value
        is_nothing = value is None and not self.is_removed_by_null
        is_blank = isinstance(value, str) and self.field.may_be_blank and is_left_out(value)
        return name, UNSET if is_nothing or is_blank else value


def read_fields(request: type[R], values: Mapping[str, Any]) -> R:
    """Fields that are not ours are ignored. Raises Invalid with every parameter at fault."""
    found, faults = take_fields(request, values)
    raise_faults(faults)
    return request(**found)


def take_fields(
    request: type[Struct], values: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, str]]:
    """By attribute what was sent and can be read, and by name what is wrong with the rest.

    For a request with a rule that several of its fields have part in.
    """
    found: dict[str, Any] = {}
    faults: dict[str, str] = {}
    for declared in declared_fields(request):
        name, value = declared.value_in(values)
        if value is UNSET:
            if declared.is_required:
                faults[name] = "is required"
            continue
        try:
            found[declared.attribute] = None if value is None else declared.field.read(value)
        except ValueError as error:
            faults[name] = str(error)
    return found, faults


def raise_faults(faults: Mapping[str, str]) -> None:
    """Raises Invalid if there are any."""
    if faults:
        raise Invalid(f"Invalid parameter(s): {', '.join(faults)}", dict(faults))


def request_schema(request: type[Struct]) -> Schema:
    """A JSON Schema of its body. Whatever may be left out may be null.

    A struct whose fields go together says so in a class variable JOINT, in JSON Schema too.
    """
    declared = declared_fields(request)
    schema: Schema = {
        "type": "object",
        "properties": {
            one.name: one.schema if one.is_required else _nullable(one.schema) for one in declared
        },
        **getattr(request, "JOINT", {}),
    }
    if required := [one.name for one in declared if one.is_required]:
        schema["required"] = required
    return schema


def field_of(request: type[Struct], name: str) -> Declared:
    return next(one for one in declared_fields(request) if one.name == name)


@cache
def declared_fields(request: type[Struct]) -> list[Declared]:
    """In the order in which they are declared; attributes without a Field are none of a request."""
    found = ((info, _field(info.type)) for info in fields(request))
    return [_declared(info, field) for info, field in found if field is not None]


def _field(annotation: Any) -> Field | None:
    return next(
        (one for one in getattr(annotation, "__metadata__", ()) if type(one) is Field), None
    )


def _declared(info: FieldInfo, field: Field) -> Declared:
    factory = info.default_factory
    default = info.default if factory is NODEFAULT else factory()
    types = get_args(get_args(info.type)[0])
    return Declared(
        name=info.encode_name,
        attribute=info.name,
        field=field,
        default=default,
        is_removed_by_null=UnsetType in types and NoneType in types,
    )


def _nullable(schema: Schema) -> Schema:
    if "anyOf" in schema:
        return {**schema, "anyOf": [*schema["anyOf"], {"type": "null"}]}
    nullable = {**schema, "type": [schema["type"], "null"]}
    if "enum" in schema:
        nullable["enum"] = [*schema["enum"], None]
    return nullable
