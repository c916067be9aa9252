"""CSV -> its tables, whatever parts its cells, with title lines above and the head in front."""

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate, chain

from rag_service.documents import ParsedDocument
from rag_service.readers.outline import Outline, one_line
from rag_service.readers.tables import write_tables
from rag_service.readers.text import clean

_DELIMITERS = "\t;|,"
"""Where two part the lines alike, the first one does: decimal commas stand between semicolons."""
_SAMPLE_LINES = 200
_SAMPLE_CHARACTERS = 65_536
_LINES_COMPARED = 16
"""Of a cell of several lines."""
_SEPARATOR_LINE = re.compile(r'"?sep=([^\w"\n])"?[^\S\n]*(?:\n|\Z)', re.I)
_QUOTED = re.compile(r'"(?:[^"\n]|"")*"')
_QUOTES = re.compile('"+')


def read_csv(content: str) -> ParsedDocument:
    """Rows may differ in length, and cells in quotes may have lines. Linear.

    A quote that opens no cell (an inch mark) is text: one that nothing closes, or whose line and
    the next one have all their cells without it.
    """
    content = clean(content).lstrip("\ufeff")
    said = _SEPARATOR_LINE.match(content)
    content = content[said.end() :] if said else content
    delimiter = said[1] if said else _delimiter(content)
    outline = Outline()
    start, lines = _preamble(content, delimiter)
    cells = chain(lines, _rows(content[start:], delimiter))
    rows = ([one_line(cell) for cell in row] for row in cells)
    write_tables(outline, rows, level=1, joint=", " if delimiter == "," else " | ")
    return outline.parsed("")


def _delimiter(content: str) -> str:
    """The one between quoted cells, or else the one that parts most lines into the same number of
    cells, two at least."""
    sample = content[:_SAMPLE_CHARACTERS]
    lines = _QUOTED.sub('""', sample).split("\n")[:_SAMPLE_LINES]
    return max(_DELIMITERS, key=lambda sign: (sample.count(f'"{sign}"'), _usual(lines, sign)[1]))


def _usual(lines: list[str], delimiter: str) -> tuple[int, int]:
    """How many cells most lines have, and how many lines have as many."""
    widths = Counter(line.count(delimiter) + 1 for line in lines if delimiter in line)
    return widths.most_common(1)[0] if widths else (1, 0)


def _preamble(content: str, delimiter: str) -> tuple[int, list[list[str]]]:
    """Lines of prose before the first row, each a cell, and where they end: comments, and lines
    with fewer cells than others and a blank behind each delimiter."""
    lines = content[:_SAMPLE_CHARACTERS].split("\n")[:_SAMPLE_LINES]
    usual = _usual(lines, delimiter)[0]
    start = 0
    prose: list[list[str]] = []
    for line in lines[:-1]:
        is_narrow = line.count(delimiter) + 1 < usual and '"' not in line
        is_prose = is_narrow and line.count(delimiter) == line.count(f"{delimiter} ")
        if not line.startswith("# ") and not is_prose:
            break
        prose.append([line])
        start += len(line) + 1
    return start, prose


def _rows(content: str, delimiter: str) -> Iterator[list[str]]:
    quotes = _Quotes(content, delimiter)
    at = 0
    while at < len(content):
        end = content.find("\n", at) % (len(content) + 1)
        if content.find('"', at, end) < 0:
            yield content[at:end].split(delimiter)
            at = end + 1
        else:
            row, at = _quoted_row(content, at, quotes, delimiter)
            yield row


def _quoted_row(content: str, at: int, quotes: "_Quotes", delimiter: str) -> tuple[list[str], int]:
    """A row with quotes in it, and where the next one begins."""
    row: list[str] = []
    end = at - 1
    while end < at or content[end : end + 1] == delimiter:
        at = end + 1
        close = quotes.closing(at)
        end = quotes.cell_end(at if close is None else close + 1)
        if close is None:
            row.append(content[at:end])
        else:
            row.append(content[content.index('"', at) + 1 : close].replace('""', '"'))
    return row, end + 1


class _Quotes:
    """Which quotes of a file open a cell, and which ones close it."""

    def __init__(self, content: str, delimiter: str) -> None:
        self._content = content
        sign = re.escape(delimiter)
        self._opening = re.compile(r'[^\S\n\t]*"')
        self._cell_end = re.compile(f"[{sign}\n]")
        self._behind = re.compile(rf"[^\S\n\t]*(?:[{sign}\n]|\Z)")
        self._packed = re.compile(rf"{sign}[^ ]")
        odd = [run for run in _QUOTES.finditer(content) if len(run[0]) % 2]
        self._odd = [run.start() for run in odd]
        self._closing = [run.span() for run in odd if self._behind.match(content, run.end())]
        lines = content.split("\n")
        self._line_starts = [0, *accumulate(len(line) + 1 for line in lines)]
        self._widths = [line.count(delimiter) + 1 for line in lines]
        sample = [_QUOTED.sub("", line) for line in lines[:_SAMPLE_LINES]]
        self._usual_width = _usual([line for line in sample if '"' not in line], delimiter)[0]
        quoted_word = re.compile(rf'^(?:.*{sign})?"[^"\n{sign}]*"(?:{sign}|$)', re.M)
        self._quotes_words = any(quoted_word.search(line) for line in lines[:_SAMPLE_LINES])

    def cell_end(self, at: int) -> int:
        """Where the next delimiter or the end of the line is."""
        end = self._cell_end.search(self._content, at)
        return end.start() if end else len(self._content)

    def closing(self, at: int) -> int | None:
        """Where the quote is that closes the cell which begins here; None for one without."""
        opening = self._opening.match(self._content, at)
        if opening is None:
            return None
        inside = opening.end()
        run = _QUOTES.match(self._content, inside)
        begin = inside
        if run is not None:
            if len(run[0]) % 2 and self._behind.match(self._content, run.end()):
                return run.end() - 1
            begin = run.end()
        found = bisect_left(self._closing, (begin, begin))
        if found == len(self._closing) or self._is_text(inside, self._closing[found][0]):
            return None
        return self._closing[found][1] - 1

    def _is_text(self, opening: int, closing: int) -> bool:
        """Whether the quote that would open a cell is one of its text: without it, its line and the
        next ones are rows like others.

        Who quotes cells doubles the quotes in them, and who writes prose puts blanks behind commas.
        """
        first = bisect_right(self._line_starts, opening) - 1
        last = bisect_right(self._line_starts, closing, first) - 1
        widths = self._widths[first : min(last + 1, first + _LINES_COMPARED)]
        if self._usual_width < 2 or widths[0] != self._usual_width:
            return False
        inner = bisect_left(self._odd, opening)
        if first < last and self._odd[inner] < closing:
            return widths[1] == self._usual_width
        end = min(closing, opening + _SAMPLE_CHARACTERS // _LINES_COMPARED)
        is_packed = self._packed.search(self._content, opening, end) is not None
        return is_packed and not self._quotes_words and set(widths) == {self._usual_width}
