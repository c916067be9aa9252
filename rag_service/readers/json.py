"""JSON -> lines such as `address.city: Oslo`, a block for each object of a list.

Each block begins with what the objects around it are called, so that a part is found by the name of
the whole.
"""

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from rag_service.documents import ParsedDocument
from rag_service.errors import Unreadable
from rag_service.readers.outline import Outline, one_line
from rag_service.readers.table_heads import find_heads, join_heads
from rag_service.readers.text import clean

DEEPEST = 100
MOST_NAMES = 4
"""Objects around a block whose names it tells, innermost last."""

_LONGEST_PATH = 200
_LONGEST_CALLED = 120
"""Characters of a text that may be the name of what it stands in."""
_MOST_TEXTS = 2
"""That stand for the name of an object which has none: it is one of the first as a rule."""
_TITLES = ("title", "name", "headline", "subject")
_NAMES = (*_TITLES, "label", "titel", "bezeichnung", "nom", "nombre", "nome", "naam", "titulo")
_IDS = ("id", "key", "sku", "code", "slug", "uuid", "guid", "number", "no", "nr")
_COLUMNS = ("columns", "column_names", "columnnames", "fields", "header", "headers", "cols")

_FEW_LINES = 2
"""Values after which a file is taken for one of JSON Lines: one bad line is not the end of it."""

Line = tuple[str, str]
"""The path of a value and its text."""


class _Object(list[tuple[str, Any]]):
    """Names and values in the order of the file; a name may come twice."""


class _Number(str):
    """As it is written: no digit is rounded away."""

    __slots__ = ()


def read_json(content: str) -> ParsedDocument:
    """Also of several values one after another, as in JSON Lines.

    The title is that of the outermost object. Numbers stay as they are written, and names that
    come twice are told twice. Raises Unreadable for what is no JSON.
    """
    outline = Outline()
    try:
        values = list(_values(content))
        for value in values:
            _write(value, "", [], 0 if len(values) == 1 else 1, outline)
    except ValueError as error:
        reason = str(error).split(";")[0]
        raise Unreadable(f"is not JSON: {reason}") from error
    except RecursionError as error:
        raise Unreadable("is JSON nested too deeply") from error
    is_one = len(values) == 1 and isinstance(values[0], _Object)
    return outline.parsed(_title(values[0]) if is_one else "")


def _title(value: _Object) -> str:
    found = dict(value)
    titles = [found[name] for name in _TITLES if _is_text(found.get(name))]
    return one_line(titles[0]) if titles else ""


def _values(content: str) -> Iterator[Any]:
    """A line that is no JSON, among several that are, is text."""
    decoder = json.JSONDecoder(
        object_pairs_hook=_Object, parse_int=_Number, parse_float=_Number, parse_constant=_Number
    )
    at = _after_space(content, 0)
    count = 0
    while at < len(content) or not count:
        try:
            value, at = decoder.raw_decode(content, at)
        except ValueError:
            if count < _FEW_LINES:
                raise
            end = content.find("\n", at) % (len(content) + 1)
            value, at = content[at:end], end
        yield value
        count += 1
        at = _after_space(content, at)


def _after_space(content: str, at: int) -> int:
    """JSON text sequences have a record separator before each value (RFC 7464)."""
    while at < len(content) and content[at] in " \t\r\n\x1e\ufeff":
        at += 1
    return at


def _write(value: Any, path: str, above: list[Line], depth: int, outline: Outline) -> None:
    """Lists of objects part the blocks; all else goes on lines. `above` names what is around."""
    _check(depth)
    if _is_table(value):
        _write_table(value, path, above, outline)
    elif _parts_blocks(value):
        for inner in value:
            _write(inner, path, above, depth + 1, outline)
    elif isinstance(value, _Object):
        lines: list[Line] = []
        parts: list[tuple[str, Any]] = []
        _read_object(value, path, depth, lines, parts)
        called = _called(value, path)
        _write_block(above, called, lines, outline)
        if depth == 0:  # a title stands above all chunks anyway
            called = [] if _title(value) else called[:1]
        for inner_path, inner in parts:
            _write(inner, inner_path, [*above, *called][-MOST_NAMES:], depth + 1, outline)
    else:
        _write_block(above, [], list(_lines(value, path, depth)), outline)


def _read_object(
    value: _Object, path: str, depth: int, lines: list[Line], parts: list[tuple[str, Any]]
) -> None:
    """Its own values into `lines`, and what it is made of into `parts`."""
    _check(depth)
    columns = _columns(value)
    for name, inner in value:
        below = _below(path, name)
        if columns and _are_rows(inner) and all(len(row) == len(columns) for row in inner):
            inner = [columns, *inner]
        if _parts_blocks(inner) or _is_table(inner):
            parts.append((below, inner))
        elif isinstance(inner, _Object):
            _read_object(inner, below, depth + 1, lines, parts)
        else:
            lines.extend(_lines(inner, below, depth + 1))


def _parts_blocks(value: Any) -> bool:
    return (
        isinstance(value, list)
        and not isinstance(value, _Object)
        and any(isinstance(inner, _Object) or _parts_blocks(inner) for inner in value)
    )


def _columns(value: _Object) -> list[str]:
    """What the columns of rows beside them are called, as pandas and web APIs write it."""
    for name, inner in value:
        if name.lower() in _COLUMNS and type(inner) is list and all(map(_is_text, inner)):
            return inner
    return []


def _is_table(value: Any) -> bool:
    """Rows of texts and numbers; rows of numbers alone, such as coordinates, are a value."""
    return (
        _are_rows(value) and len(value) > 1 and any(_is_text(cell) for row in value for cell in row)
    )


def _are_rows(value: Any) -> bool:
    return (
        type(value) is list
        and bool(value)
        and all(type(row) is list and row for row in value)
        and not any(isinstance(cell, list) for row in value for cell in row)
    )


def _write_table(value: list[list[Any]], path: str, above: list[Line], outline: Outline) -> None:
    rows = [[one_line(_text(cell)) for cell in row] for row in value]
    found = find_heads(rows)
    heads = 0 if found.titles else found.heads
    caption = [_line(*line) for line in above] + ([f"{path}:"] if path else [])
    head = [join_heads(rows[:heads])] if heads else []
    outline.table(
        [*([line] for line in caption), *head, *rows[heads:]], heads=len(caption) + len(head)
    )


def _write_block(
    above: list[Line], called: list[Line], lines: list[Line], outline: Outline
) -> None:
    """What is around it and what it is called come first, and again where it has to be cut."""
    lead = [*above, *called] if lines else []
    rest = [line for line in lines if line not in called]
    outline.add(
        "paragraph",
        "\n".join(_line(*line) for line in rest),
        lead="\n".join(_line(*line) for line in lead),
    )


def _called(value: _Object, path: str) -> list[Line]:
    """The lines that name an object: its name, or else its number and its first short texts."""
    scalars = _short(value, path)
    nested = [
        line
        for name, inner in value
        if isinstance(inner, _Object)
        for line in _short(inner, _below(path, name))
    ]
    by_name = {_last_name(path): (path, text) for path, text in reversed([*scalars, *nested])}
    exact = [by_name[name] for name in _NAMES if name in by_name]
    alike = [line for name, line in by_name.items() if name.endswith(_NAMES)]
    kind = _last_name(path)
    own = [line for name, line in by_name.items() if len(name) > 2 and kind.startswith(name)]
    if named := exact or alike[-1:] or own:
        return named[:1]
    ids = [line for line in scalars if _last_name(line[0]) in _IDS][:1]
    texts = [line for line in scalars if line not in ids and not isinstance(line[1], _Number)]
    return ids + texts[:_MOST_TEXTS]


def _short(value: _Object, path: str) -> list[Line]:
    """Texts and numbers that could be a name."""
    return [
        (_below(path, name), text)
        for name, inner in value
        if isinstance(inner, str)
        for text in (inner if isinstance(inner, _Number) else _text(inner),)
        if 0 < len(text) <= _LONGEST_CALLED and "\n" not in text
    ]


def _last_name(path: str) -> str:
    return path.rpartition(".")[2].lower()


def _lines(value: Any, path: str, depth: int) -> Iterator[Line]:
    _check(depth)
    if isinstance(value, _Object):
        for name, inner in value:
            yield from _lines(inner, _below(path, name), depth + 1)
    elif isinstance(value, list) and any(isinstance(inner, list) for inner in value):
        yield path, _compact(value, depth)
    elif isinstance(value, list):
        yield path, ", ".join(_text(inner) for inner in value)
    elif value not in (None, ""):
        yield path, _text(value)


def _compact(value: Any, depth: int) -> str:
    """Lists in lists on one line, as JSON has them."""
    _check(depth)
    if isinstance(value, list):
        return "[" + ", ".join(_compact(inner, depth + 1) for inner in value) + "]"
    return _text(value)


def _check(depth: int) -> None:
    if depth > DEEPEST:
        raise Unreadable(f"is JSON nested more than {DEEPEST} deep")


@lru_cache(maxsize=4096)
def _below(path: str, name: str) -> str:
    """The path of a value, of which the end tells more than the beginning."""
    name = one_line(name[:_LONGEST_PATH])
    return (f"{path}.{name}" if path else name)[-_LONGEST_PATH:]


def _line(path: str, text: str) -> str:
    return f"{path}: {text}" if path else text


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and not isinstance(value, _Number)


def _text(value: Any) -> str:
    if isinstance(value, _Number):
        return value
    if isinstance(value, str):
        return clean(value).strip()
    return json.dumps(value)
