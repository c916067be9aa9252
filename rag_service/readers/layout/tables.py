"""Pieces of lines that stand side by side -> rows; rows below each other -> the grid of a table."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median

from msgspec.structs import replace

from rag_service.readers.layout.markers import list_marker
from rag_service.readers.layout.page_line import PageLine
from rag_service.readers.layout.style import NUMBERING

WIDE_GAP = 1.5
"""In sizes of the text: between two columns, but not between two words of a justified line."""
_SAME_BASE = 0.3
"""In sizes of the text: pieces whose baselines differ by less stand side by side."""
_CLOSE = 1.4
"""In sizes of the text: a line this close below a row may belong to its cells."""
_NARROW_GAP = 0.8
"""In sizes of the text: between two columns of a row that has a wide gap."""
_FAR = 3.5
"""In sizes of the text: rows further apart are of two tables."""

Span = tuple[float, float]


def as_rows(pieces: Sequence[PageLine]) -> Iterator[PageLine]:
    """A line for each row, from top to bottom; the cells of a table stand in its columns, empty
    ones too."""
    run: list[PageLine] = []
    for row in map(_as_row, _rows(pieces)):
        if run and not _goes_on(run, row):
            yield from _aligned(run)
            run = []
        if run or _is_tabular(row):
            run.append(row)
        else:
            yield row
    yield from _aligned(run)


def _rows(pieces: Sequence[PageLine]) -> list[list[PageLine]]:
    rows: list[list[PageLine]] = []
    for piece in sorted(pieces, key=lambda piece: -piece.base):
        if rows and rows[-1][0].base - piece.base < _SAME_BASE * piece.size:
            rows[-1].append(piece)
        else:
            rows.append([piece])
    return rows


def _as_row(row: list[PageLine]) -> PageLine:
    if len(row) == 1:
        return row[0]
    row = sorted(row, key=lambda piece: -piece.right if piece.right_to_left else piece.left)
    size = max(piece.size for piece in row)
    cells = _cells(row, _NARROW_GAP * size)
    line = replace(
        row[0],
        text=" ".join(piece.text for piece in row),
        left=min(piece.left for piece in row),
        right=max(piece.right for piece in row),
        bold=all(piece.bold for piece in row),
        hyphen=row[-1].hyphen,
        cells=tuple(text for text, _ in cells),
        spans=tuple(span for _, span in cells),
    )
    if any(piece.cells for piece in row):
        return replace(line, spans=())
    if line.right_to_left or line.widest_gap >= WIDE_GAP * size:
        return replace(line, hyphen=False)
    return replace(line, cells=(), spans=())


def _cells(row: list[PageLine], narrow: float) -> list[tuple[str, Span]]:
    """Texts and places; pieces with a gap no wider than this are one. A ruled row has its own."""
    cells: list[tuple[str, Span]] = []
    for piece in row:
        if piece.cells:
            cells += [(cell, (piece.left, piece.right)) for cell in piece.cells]
        elif cells and not piece.right_to_left and piece.left - cells[-1][1][1] <= narrow:
            text, (left, _) = cells[-1]
            cells[-1] = (f"{text} {piece.text}", (left, piece.right))
        else:
            cells.append((piece.text, (piece.left, piece.right)))
    return cells


def _is_tabular(line: PageLine) -> bool:
    """Whether it may be a row of a table without rulings."""
    if len(line.spans) < 2 or line.right_to_left or list_marker(line.text):
        return False
    return len(line.cells) > 2 or NUMBERING.fullmatch(line.cells[0]) is None


def _goes_on(run: list[PageLine], line: PageLine) -> bool:
    """Whether the line may be of the table, or of a cell of its last row."""
    gap = run[-1].base - line.base
    if _is_tabular(line):
        return gap <= _FAR * line.size
    if line.cells or gap > _CLOSE * line.size or list_marker(line.text):
        return False
    spans = next(row.spans for row in reversed(run) if row.spans)
    return sum(left < line.right and line.left < right for left, right in spans) < 2 and (
        line.left >= spans[0][0] - line.size / 2
    )


def _aligned(run: list[PageLine]) -> Iterator[PageLine]:
    columns = _columns(run)
    if not columns:
        yield from run
        return
    rows = [_in_columns(line, columns) for line in run]
    usual = _usual_pitch(run, rows)
    row, cells = run[0], rows[0]
    base = row.base
    for line, more in zip(run[1:], rows[1:], strict=True):
        if _continues(more, base - line.base, line, usual):
            cells = tuple(f"{a} {b}".strip() for a, b in zip(cells, more, strict=True))
        else:
            yield _with_cells(row, cells, columns)
            row, cells = line, more
        base = line.base
    yield _with_cells(row, cells, columns)


def _columns(run: list[PageLine]) -> list[Span]:
    """From left to right, where no cell of the fuller rows goes over two of them."""
    counts = Counter(len(line.spans) for line in run if line.spans)
    if not counts or len(run) < 2:
        return []
    often = [n for n, rows in counts.items() if rows >= max(2, 0.2 * counts.total())]
    most = max(often or counts)
    found: list[Span] = []
    fuller = [line for line in run if len(line.spans) == most]
    for left, right in sorted(span for line in fuller for span in line.spans):
        if found and left < found[-1][1]:
            found[-1] = (found[-1][0], max(right, found[-1][1]))
        else:
            found.append((left, right))
    return found if len(found) == most else []


def _in_columns(line: PageLine, columns: list[Span]) -> tuple[str, ...]:
    cells = [""] * len(columns)
    for text, span in zip(
        line.cells or (line.text,), line.spans or ((line.left, line.right),), strict=True
    ):
        at = _nearest(span, columns)
        cells[at] = f"{cells[at]} {text}".strip()
    return tuple(cells)


def _nearest(span: Span, columns: list[Span]) -> int:
    """The first column that the span overlaps, or else the one it is closest to."""
    for at, (left, right) in enumerate(columns):
        if span[0] < right and left < span[1]:
            return at
    middle = (span[0] + span[1]) / 2
    return min(
        range(len(columns)),
        key=lambda at: min(abs(columns[at][0] - middle), abs(columns[at][1] - middle)),
    )


def _usual_pitch(run: list[PageLine], rows: list[tuple[str, ...]]) -> float:
    """Between two rows that have a first cell."""
    bases = [line.base for line, cells in zip(run, rows, strict=True) if cells[0] and line.spans]
    return median([a - b for a, b in pairwise(bases)] or [0.0])


def _continues(cells: tuple[str, ...], gap: float, line: PageLine, usual: float) -> bool:
    """Whether they are further lines of the cells above."""
    if gap > _CLOSE * line.size:
        return False
    if not line.spans and not cells[0]:
        return True
    return gap < 0.85 * usual and not (line.spans and cells[0])


def _with_cells(line: PageLine, cells: tuple[str, ...], columns: list[Span]) -> PageLine:
    if sum(map(bool, cells)) < 2 and not line.spans:
        return line
    text = " ".join(filter(None, cells))
    return replace(line, text=text, cells=cells, spans=tuple(columns), hyphen=False)
