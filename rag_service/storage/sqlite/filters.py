"""A filter as SQL: a condition on documents, its keys and values bound."""

from typing import Any

from rag_service.access.scope import Scope
from rag_service.knowledge.filters import AllOf, AnyOf, Condition, Filter, Not, successor
from rag_service.storage.sqlite.bots import within
from rag_service.storage.sqlite.metadata_values import LEAST_BLOB, LEAST_TEXT, stored_value

Sql = tuple[str, list[Any]]
"""A condition, and the values that are bound to it."""

_ALL: Sql = ("1", [])
_NONE: Sql = ("0", [])


def matching(scope: Scope, wanted: Filter, document: str = "documents.id") -> Sql:
    """Finds the documents by the index of values; for many documents. `document` is the column of
    their ids."""
    seen, of_bots = within(scope)
    found = f"""{document} in (select document from metadata_values
        where bot in (select id from bots where {seen}) and key = ? and {{}})"""
    return _condition(wanted, found, of_bots)


def is_found_by_values(wanted: Filter) -> bool:
    """Whether `matching` needs nothing but the index of values, and looks at no document that it
    does not leave."""
    match wanted:
        case Condition():
            return wanted.column is None
        case AllOf():
            return bool(wanted.filters) and all(map(is_found_by_values, wanted.filters))
        case AnyOf():
            return all(map(is_found_by_values, wanted.filters))
        case Not():
            return False


def matching_each(wanted: Filter) -> Sql:
    """Looks the values of each document up; for a few documents."""
    found = """exists (select 1 from metadata_values
        where document = documents.id and key = ? and {})"""
    return _condition(wanted, found, [])


def _condition(wanted: Filter, found: str, before: list[str]) -> Sql:
    match wanted:
        case Condition(column=None):
            return _on_values(wanted, found, before)
        case Condition():
            return _on_column(wanted)
        case Not():
            condition, values = _condition(wanted.filter, found, before)
            return f"not ({condition})", values
        case AllOf():
            return _joined("and", [_condition(one, found, before) for one in wanted.filters], _ALL)
        case AnyOf():
            return _joined("or", [_condition(one, found, before) for one in wanted.filters], _NONE)


def _joined(word: str, parts: list[Sql], of_none: Sql) -> Sql:
    if not parts:
        return of_none
    condition = f" {word} ".join(f"({condition})" for condition, _ in parts)
    return condition, [value for _, values in parts for value in values]


def _on_values(wanted: Condition, found: str, before: list[str]) -> Sql:
    if wanted.operator == "ne":
        here = Condition(key=wanted.key, operator="exists", values=(True,))
        equal = Condition(key=wanted.key, operator="in", values=wanted.values)
        return _condition(AllOf((here, Not(equal))), found, before)
    comparison, values = _comparison("value", wanted)
    return found.format(comparison), [*before, wanted.key, *values]


def _on_column(wanted: Condition) -> Sql:
    """A label or URL, which every document has, and which is a text."""
    column = f"documents.{wanted.column}"
    texts = tuple(value for value in wanted.values if isinstance(value, str))
    if wanted.operator == "exists":
        return _ALL
    if wanted.operator == "ne":
        return (f"{column} <> ?", list(texts)) if texts else _ALL
    if not texts:
        return _NONE
    return _comparison(
        column, Condition(key=wanted.key, operator=wanted.operator, values=texts), is_text=True
    )


def _comparison(value: str, wanted: Condition, *, is_text: bool = False) -> Sql:
    """Of values of one class: where all are texts no other class has to be left out."""
    first = wanted.values[0] if wanted.values else None
    stored = [stored_value(one) for one in wanted.values]
    least, above = (LEAST_TEXT, LEAST_BLOB) if isinstance(first, str) else (None, LEAST_TEXT)
    match wanted.operator:
        case "exists":
            return _ALL
        case "in":
            return f"{value} in ({', '.join('?' * len(stored))})", stored
        case "gt" | "gte":
            sign = ">" if wanted.operator == "gt" else ">="
            if is_text:
                return f"{value} {sign} ?", stored
            return f"{value} {sign} ? and {value} < ?", [*stored, above]
        case "lt" | "lte":
            sign = "<" if wanted.operator == "lt" else "<="
            if least is None or is_text:
                return f"{value} {sign} ?", stored
            return f"{value} {sign} ? and {value} >= ?", [*stored, least]
        case _:
            end = successor(str(first))
            return f"{value} >= ? and {value} < ?", [first, LEAST_BLOB if end is None else end]
