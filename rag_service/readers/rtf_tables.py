"""The tables of an RTF file: rows of cells whose right edges tell which columns they span."""

from bisect import bisect_left

from msgspec import Struct, field

from rag_service.readers.outline import Outline, one_line

_NEAR = 60
"""Twips. Edges that lie nearer are one: a millimetre, by which rows of one table differ."""
_MOST_EDGES = 64
"""Word allows 63 columns; the rows of a table with more are no grid."""
_LONGEST_REPEATED = 500
"""Characters of a cell that stands in each column and row that it spans."""
_MOST_REPEATED = 1_000_000
"""Characters of a table. A cell past that stands once, whatever it spans."""


class _Cell(Struct, frozen=True):
    edge: int
    """Its right one, in twips from the margin."""
    goes_on: str
    """`clmrg`: it belongs to the cell before it, `clvmrg`: to the one above; or blank."""


class _Row(Struct, frozen=True):
    cells: list[_Cell]
    left: int
    texts: list[str]
    is_head: bool


class _Definition(Struct):
    cells: list[_Cell] = field(default_factory=list)
    left: int = 0
    is_head: bool = False
    goes_on: str = ""


class Table:
    """Takes the rows of one table, or of none."""

    def __init__(self) -> None:
        self.is_open = False
        """A row has begun that no `\\row` has ended."""
        self._definition = _Definition()
        self._rows: list[_Row] = []
        self._texts: list[str] = []

    def define(self, word: str, number: int | None) -> None:
        """What the words of a row's definition say."""
        definition = self._definition
        match word:
            case "trowd":
                self._definition = _Definition()
                self.is_open = True
            case "trleft":
                definition.left = number or 0
            case "trhdr":
                definition.is_head = True
            case "clmrg" | "clvmrg":
                definition.goes_on = word
            case "cellx":
                definition.cells.append(_Cell(number or 0, definition.goes_on))
                definition.goes_on = ""

    def add_cell(self, text: str) -> None:
        self._texts.append(text)

    def end_row(self) -> None:
        self.is_open = False
        if self._texts:
            found = self._definition
            self._rows.append(_Row(found.cells, found.left, self._texts, found.is_head))
            self._texts = []

    def write(self, outline: Outline) -> None:
        """Adds the rows so far. A frame around text, which is a table of one cell, is that text."""
        self.end_row()
        rows, self._rows = self._rows, []
        if not rows:
            return
        if max(len(row.texts) for row in rows) == 1 == len(rows):
            for line in rows[0].texts[0].split("\n"):
                outline.add("paragraph", line)
            return
        heads = next((at for at, row in enumerate(rows) if not row.is_head), len(rows))
        outline.table(_on_grid(rows), heads=max(heads, 1))


def _on_grid(rows: list[_Row]) -> list[list[str]]:
    """A merged cell is in each of its rows and columns."""
    edges = _edges(rows)
    budget = _MOST_REPEATED
    above: dict[int, str] = {}
    grid: list[list[str]] = []
    for row in rows:
        texts: list[str] = [""] * (_column(edges, row.left) if edges else 0)
        for at, text in enumerate(map(one_line, row.texts)):
            cell = row.cells[at] if at < len(row.cells) else None
            column = len(texts)
            if cell is not None and cell.goes_on and not text:
                before = texts[-1] if texts else ""
                text = above.get(column, "") if cell.goes_on == "clvmrg" else before
            is_short = len(text) <= min(_LONGEST_REPEATED, budget)
            repeated = text if is_short else ""
            budget -= len(repeated)
            wide = _column(edges, cell.edge) - column if cell is not None and edges else 1
            texts += [text, *[repeated if len(row.texts) > 1 else ""] * (wide - 1)]
            above |= dict.fromkeys(range(column, len(texts)), repeated)
        grid.append(texts)
    return grid


def _edges(rows: list[_Row]) -> list[int]:
    """Where columns begin and end; none where that makes no grid."""
    every = sorted({row.left for row in rows} | {cell.edge for row in rows for cell in row.cells})
    edges: list[int] = []
    for edge in every:
        if not edges or edge - edges[-1] > _NEAR:
            edges.append(edge)
    return edges if len(edges) <= _MOST_EDGES else []


def _column(edges: list[int], edge: int) -> int:
    """How many columns lie left of it."""
    return max(bisect_left(edges, edge - _NEAR), 0)
