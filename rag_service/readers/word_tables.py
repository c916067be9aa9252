"""The grid of a Word table: which cells stand in a row, and how many columns each is wide."""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from rag_service.readers.opc import W, is_on
from rag_service.readers.word_styles import VAL, value

_WIDEST = 63
"""Columns of a table, as Word has it."""
_BETWEEN = frozenset(
    W + name for name in ("sdt", "sdtContent", "ins", "customXml", "smartTag", "moveTo")
)


class Cell(Struct, frozen=True):
    element: Any
    """None where a row leaves columns out."""
    columns: int
    goes_on: bool = False
    """It belongs to the cell above it."""


def grid(table: Any) -> tuple[list[list[Cell]], int]:
    """The rows from top to bottom, and how many of them are the head; at least one is.

    Rows that a tracked change deletes are left out.
    """
    rows: list[list[Cell]] = []
    heads = 0
    for row in _direct(table, f"{W}tr"):
        properties = row.find(f"{W}trPr")
        if properties is not None and properties.find(f"{W}del") is not None:
            continue
        is_head = properties is not None and is_on(properties.find(f"{W}tblHeader"), VAL)
        heads += is_head and heads == len(rows)
        before = value(row, f"{W}trPr/{W}gridBefore")
        cells = [Cell(None, _columns(before))] if before not in ("", "0") else []
        cells += [
            Cell(
                cell,
                _columns(value(cell, f"{W}tcPr/{W}gridSpan")),
                _goes_on(cell.find(f"{W}tcPr/{W}vMerge")),
            )
            for cell in _direct(row, f"{W}tc")
        ]
        rows.append(_without_merged(cells))
    return rows, max(heads, 1)


def _without_merged(cells: list[Cell]) -> list[Cell]:
    """Old files merge cells of a row with `w:hMerge`: the first has the columns of the others."""
    merged: list[Cell] = []
    for cell in cells:
        mark = cell.element.find(f"{W}tcPr/{W}hMerge") if cell.element is not None else None
        if merged and _goes_on(mark):
            before = merged[-1]
            columns = before.columns + cell.columns
            merged[-1] = Cell(before.element, min(columns, _WIDEST), before.goes_on)
        else:
            merged.append(cell)
    return merged


def _direct(parent: Any, tag: str) -> Iterator[Any]:
    """Children, also of content controls between."""
    for child in parent:
        if child.tag == tag:
            yield child
        elif child.tag in _BETWEEN:
            yield from _direct(child, tag)


def _goes_on(merge: Any) -> bool:
    return merge is not None and merge.get(VAL) in (None, "continue")


def _columns(text: str) -> int:
    is_number = text.isascii() and text.isdigit() and len(text) < 6
    return max(1, min(int(text), _WIDEST)) if is_number else 1
