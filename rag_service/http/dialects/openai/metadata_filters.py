"""Filters in OpenAI's form, as the filters of our other routes. Pure."""

from typing import Any

Filter = dict[str, Any]

_COMPARISONS = {"eq", "ne", "gt", "gte", "lt", "lte", "in", "nin"}
_COMPOUNDS = {"and": "all", "or": "any"}
_DEEPEST = 100
_TAKEN = {"any", "all", "not"}


def translated(given: Any) -> Filter:
    """`{"type": "gte", "key": k, "value": v}` -> `{k: {"gte": v}}`; `and`, `or` -> `all`, `any`.

    `nin` is for values that are there: as `ne`, it wants the key. Raises ValueError.
    """
    return _translated(given, _DEEPEST)


def _translated(given: Any, room: int) -> Filter:
    if not isinstance(given, dict):
        raise ValueError("must be an object with a type")
    if not room:
        raise ValueError(f"must be nested at most {_DEEPEST} deep")
    kind = given.get("type")
    if not isinstance(kind, str) or kind not in _COMPARISONS | _COMPOUNDS.keys():
        known = ", ".join(sorted(_COMPARISONS | _COMPOUNDS.keys()))
        raise ValueError(f"has the type {kind!r}, and not one of {known}")
    if kind in _COMPOUNDS:
        parts = given.get("filters")
        if not isinstance(parts, list) or not parts:
            raise ValueError(f"must have a list of filters in its {kind!r}")
        return {_COMPOUNDS[kind]: [_translated(part, room - 1) for part in parts]}
    key = given.get("key")
    if not isinstance(key, str) or not key:
        raise ValueError(f"must have a key, a string, in its {kind!r}")
    if "value" not in given:
        raise ValueError(f"must have a value in its {kind!r}")
    return _compared(kind, f"metadata.{key}" if key in _TAKEN else key, given["value"])


def _compared(kind: str, key: str, value: Any) -> Filter:
    if (kind in ("in", "nin")) != isinstance(value, list):
        raise ValueError(f"must have a {'list' if kind in ('in', 'nin') else 'value'} in {kind!r}")
    match kind:
        case "eq":
            return {key: value}
        case "in":
            return {key: value}
        case "nin":
            return {"all": [{key: {"exists": True}}, {"not": {key: value}}]}
        case _:
            return {key: {kind: value}}
