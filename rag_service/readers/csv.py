"""CSV -> a table, row by row, whatever parts its cells."""

import csv
import io
from collections import Counter
from itertools import islice

from rag_service.documents import ParsedDocument
from rag_service.readers.outline import Outline, one_line
from rag_service.readers.text import clean, read_text

_DELIMITERS = ",;\t|"
_SAMPLE_ROWS = 100
_SAMPLE_CHARACTERS = 65_536


def read_csv(content: str) -> ParsedDocument:
    """Rows may differ in length; the first one is the header as a rule. Linear."""
    content = clean(content)
    outline = Outline()
    try:
        for row in csv.reader(io.StringIO(content), delimiter=_delimiter(content)):
            outline.row([one_line(cell) for cell in row])
    except csv.Error:  # a quoted cell that never ends
        return read_text(content)
    return outline.parsed("")


def _delimiter(content: str) -> str:
    """The one that parts most lines into the same number of cells, two at least."""
    sample = content[:_SAMPLE_CHARACTERS]
    best, most = ",", (0, 0)
    for delimiter in _DELIMITERS:
        try:
            rows = list(islice(csv.reader(io.StringIO(sample), delimiter=delimiter), _SAMPLE_ROWS))
        except csv.Error:
            continue
        widths = Counter(len(row) for row in rows if len(row) > 1)
        if widths:
            width, count = widths.most_common(1)[0]
            if (count, width) > most:
                best, most = delimiter, (count, width)
    return best
