"""A sentence that is very long, in its clauses."""

import re

LONG = 180
"""Characters. A sentence that is not longer is told as a whole."""
SHORTEST_CLAUSE = 80
"""With fewer characters, a clause says too little to be read alone."""

_BETWEEN = re.compile(
    r"(?<=[,;:\u2014\u2013)])\s+|\s+(?=[\u2014\u2013(])|(?<=[\uff0c\uff1b\uff1a\u3001])"
)

_CONDITION = re.compile(
    r"(?:\W|\(\w{1,3}\)|\w{1,2}\.)*(?:if|when|where|once|unless|until|although|though|while|because"
    r"|since|whenever|wenn|falls|sobald|obwohl|weil|si|cuando|lorsque|quand)\b",
    re.I,
)

Span = tuple[int, int]


def clause_spans(sentence: str) -> list[Span]:
    """In order, with all of the sentence but blanks between them; cut at punctuation alone.

    Nothing in brackets is cut, and a condition is never told without what follows from it.
    """
    if len(sentence) <= LONG:
        return [(0, len(sentence))]
    spans: list[Span] = []
    start = begun = 0
    waits = _CONDITION.match(sentence) is not None
    for gap in _BETWEEN.finditer(sentence):
        said = sentence[start : gap.start()]
        if said.count("(") > said.count(")"):
            continue
        if waits:
            waits = not said.endswith((",", "\uff0c"))
            begun = gap.end()
        elif (
            gap.start() - begun >= SHORTEST_CLAUSE
            and len(sentence) - gap.end() >= SHORTEST_CLAUSE // 2
        ):
            spans.append((start, gap.start()))
            start = begun = gap.end()
            waits = _CONDITION.match(sentence, start) is not None
    return [*spans, (start, len(sentence))]
