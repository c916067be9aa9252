"""A sentence that is very long, in its clauses."""

import re

LONG = 180
"""Characters. A sentence that is not longer is told as a whole."""
SHORTEST_CLAUSE = 80
"""With fewer characters, a clause says too little to be read alone."""

_BETWEEN = re.compile(
    r"(?<=[,;:\u2014\u2013)])\s+|\s+(?=[\u2014\u2013(])|(?<=[\uff0c\uff1b\uff1a\u3001])"
)

Span = tuple[int, int]


def clause_spans(sentence: str) -> list[Span]:
    """In order, with all of the sentence but blanks between them; cut at punctuation alone."""
    if len(sentence) <= LONG:
        return [(0, len(sentence))]
    spans: list[Span] = []
    start = 0
    for gap in _BETWEEN.finditer(sentence):
        is_long = gap.start() - start >= SHORTEST_CLAUSE
        if is_long and len(sentence) - gap.end() >= SHORTEST_CLAUSE // 2:
            spans.append((start, gap.start()))
            start = gap.end()
    return [*spans, (start, len(sentence))]
