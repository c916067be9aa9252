"""The tables of a page: their cells on a grid, and whether a table holds data or only arranges."""

from msgspec import Struct, field
from selectolax.lexbor import LexborNode

from rag_service.readers.outline import Outline, one_line
from rag_service.readers.table_heads import find_heads, join_heads

_WIDEST = 1_000
_LONGEST_REPEATED = 500
_MOST_REPEATED = 1_000_000
"""Characters of a document. A cell past that, or a longer one, stands once, whatever it spans."""
_LEAST_PROSE = 200
"""Characters of a cell with several paragraphs: a table without a head then only arranges them."""


class _Cell(Struct):
    text: str
    """A line for each block in it."""
    is_head: bool = False
    columns: int = 1
    rows: int = 1


class _Table(Struct):
    is_layout: bool = False
    is_data: bool = False
    """Something in it names its columns or rows."""
    rows: list[list[str]] = field(default_factory=list)
    cells: list[_Cell] = field(default_factory=list)
    """Those of the rows as they are in the source."""
    heads: int = 0
    """Rows at its top that are nothing but names of columns, as the page marks them."""
    row: list[_Cell] | None = None
    spans: dict[int, tuple[str, int]] = field(default_factory=dict)
    """By column: the cell that reaches down into it, and into how many rows more."""


class Tables:
    """The tables that we are in. A cell that spans columns or rows stands in each of them."""

    def __init__(self, outline: Outline) -> None:
        self._outline = outline
        self._tables: list[_Table] = []
        self._repeated = 0
        self._nested = 0

    @property
    def is_nested(self) -> bool:
        """In a table within a cell of data."""
        return self._nested > 0

    def leave_nested(self, tag: str) -> None:
        self._nested -= tag == "table"

    @property
    def in_row(self) -> bool:
        return bool(self._tables) and self._tables[-1].row is not None

    @property
    def in_data(self) -> bool:
        """In a cell of a table that certainly holds data: all that is in it is its text."""
        return self.in_row and self._tables[-1].is_data

    def open(self, tag: str, node: LexborNode) -> None:
        if self._nested or (tag == "table" and self.in_data):
            self._nested += tag == "table"
        elif tag == "table":
            role = node.attributes.get("role")
            self._tables.append(_Table(is_layout=role in ("presentation", "none")))
        elif tag == "tr" and self._tables and not self._tables[-1].is_layout:
            self._tables[-1].row = []
        elif tag == "th" and self.in_row:
            self._tables[-1].is_data = True
        elif tag in ("thead", "tbody", "tfoot") and self._tables:
            self._tables[-1].spans.clear()
            self._tables[-1].is_data |= tag == "thead"

    def add_cell(self, tag: str, node: LexborNode, text: str) -> None:
        attributes = node.attributes
        lines = [one_line(line) for line in text.split("\n")]
        cell = _Cell(
            "\n".join(filter(None, lines)),
            is_head=tag == "th" or _is_in_head(node),
            columns=_span(attributes.get("colspan"), _WIDEST) or 1,
            rows=_span(attributes.get("rowspan"), 65_534),
        )
        row = self._tables[-1].row
        if row is not None:
            row.append(cell)

    def end_row(self) -> None:
        table = self._tables[-1]
        row, table.row = table.row, None
        if row is None:
            return
        is_head = any(cell.is_head for cell in row) and all(
            cell.is_head or not cell.text for cell in row
        )
        table.heads += is_head and table.heads == len(table.rows)
        table.rows.append(self._on_grid(row, table))
        table.cells += row

    def make_layout(self) -> None:
        """It has blocks in its cells: what was read so far is text, and what follows too."""
        table = self._tables[-1]
        row, table.row, table.is_layout = table.row or [], None, True
        self._write(table)
        table.rows, table.cells = [], []
        self._write_cells(row)

    def close(self) -> None:
        self._write(self._tables.pop())

    def _on_grid(self, cells: list[_Cell], table: _Table) -> list[str]:
        row: list[str] = []
        spans = table.spans
        for cell in cells:
            self._fill(row, spans)
            text = cell.text.replace("\n", " ")
            row.append(text)
            for column in range(len(row) - 1, len(row) - 1 + cell.columns):
                if column >= len(row):
                    if not self._may_repeat(text):
                        break
                    row.append(text)
                if cell.rows != 1 and self._repeated <= _MOST_REPEATED:
                    spans[column] = (text, cell.rows - 1)
        self._fill(row, spans)
        return row

    def _fill(self, row: list[str], spans: dict[int, tuple[str, int]]) -> None:
        """What reaches down from the rows above, at the next columns."""
        while spans and (at := len(row)) in spans:
            text, rows = spans.pop(at)
            if self._repeated > _MOST_REPEATED:
                continue
            row.append(text if self._may_repeat(text) else "")
            if rows > 1 or rows < 0:  # a span of 0 reaches to the end of its group of rows
                spans[at] = (text, rows - 1)

    def _may_repeat(self, text: str) -> bool:
        self._repeated += len(text) + 3
        return len(text) <= _LONGEST_REPEATED and self._repeated <= _MOST_REPEATED

    def _write(self, table: _Table) -> None:
        rows = [row for row in table.rows if any(row)]
        if not table.is_data and _arranges(table.cells, rows):
            self._write_cells(table.cells)
            return
        found = find_heads(rows)
        named = min(table.heads, len(rows))
        below = named or found.titles + found.heads
        titles = min(found.titles, below - 1) if named else found.titles
        for row in rows[:titles]:
            self._outline.add("paragraph", " ".join(dict.fromkeys(filter(None, row))))
        heads = [join_heads(rows[titles:below])] if below > titles else []
        width = max(map(len, rows), default=0)
        body = [_once(row, width) for row in rows[below:]]
        self._outline.table(heads + body, heads=len(heads))

    def _write_cells(self, cells: list[_Cell]) -> None:
        for cell in cells:
            for line in cell.text.split("\n"):
                self._outline.add("paragraph", line)


def _arranges(cells: list[_Cell], rows: list[list[str]]) -> bool:
    if all(len(row) <= 1 for row in rows):
        return True
    return any("\n" in cell.text and len(cell.text) >= _LEAST_PROSE for cell in cells)


def _is_in_head(node: LexborNode) -> bool:
    row = node.parent
    return row is not None and row.parent is not None and row.parent.tag == "thead"


def _span(text: str | None, most: int) -> int:
    text = (text or "1").strip()
    is_number = text.isascii() and text.isdigit() and len(text) < 6
    return min(int(text), most) if is_number else 1


def _once(row: list[str], width: int) -> list[str]:
    """A line across the whole table, such as the name of a part of it, stands once."""
    return row[:1] if len(row) == width > 1 and len(set(row)) == 1 else row
