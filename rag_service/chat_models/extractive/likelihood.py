"""How likely each piece is to hold the answer."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from math import exp, log1p
from typing import NamedTuple

from rag_service.chat_models.extractive.pieces import COLONS, WRAPPED, Piece, is_question
from rag_service.stems import informative, stems


class _Evidence(NamedTuple):
    """What speaks for a piece, each from 0 to about 1; or the weight of each."""

    own: float
    """The question's words that it has, by how rare they are among the pieces."""
    both: float
    """The same together with its topic and its intro."""
    before: float
    """The question's words in the piece before it, of the same passage."""
    pairs: float
    """Neighbouring words of the question that are neighbours here."""
    rank: float
    """1 / n in the n-th passage."""
    lead: float
    """The passage is the answer to one question, and begins with it."""
    answer: float
    """It is the first below a question: how alike that and the question are."""
    later: float
    """The same for the two pieces after the first."""
    cue: float
    """A date for when, a number for how many, a name for who."""
    length: float
    torn: float
    """It begins or ends in the middle, or announces what does not come."""


_WEIGHTS = _Evidence(1.9, 3.1, 0.6, 1.8, 2.5, 3.0, 3.0, -1.0, 1.2, -0.4, -2.0)
"""Fitted as a softmax over the pieces of five passages, on the answerable questions of SQuAD 2.0
and of a COVID FAQ; fitted on one half of both they do as well on the other. `lead` and `answer`,
which can stand for each other there, get the same, and `torn` is set by hand: neither
set has torn sentences."""


def judge(question: str, pieces: list[Piece]) -> list[float]:
    """They add up to 1."""
    scores = [
        sum(weight * value for weight, value in zip(_WEIGHTS, evidence, strict=True))
        for evidence in _weigh(question, pieces)
    ]
    best = max(scores)
    odds = [exp(score - best) for score in scores]
    whole = sum(odds)
    return [value / whole for value in odds]


def _weigh(question: str, pieces: list[Piece]) -> Iterator[_Evidence]:
    words = [stems(piece.text) for piece in pieces]
    above = {text: set(stems(text)) for piece in pieces for text in (piece.topic, piece.intro)}
    counts = Counter(term for terms in words for term in set(terms))
    asked = informative(stems(question)) or stems(question)
    wanted = set(asked).intersection(set(counts).union(*above.values()))
    told = {text: wanted & terms for text, terms in above.items()}
    pairs = set(pairwise(asked))
    cue = next((found for asks, found in _CUES if asks.search(question)), None)

    def mass(terms: set[str]) -> float:
        return sum(log1p((len(pieces) - counts[t] + 0.5) / (counts[t] + 0.5)) for t in terms)

    most = mass(wanted) or 1.0
    likeness = {
        text: 2 * mass(told[text]) / (mass(set(informative(terms))) + mass(set(asked)) or 1.0)
        for text, terms in above.items()
        if is_question(text)
    }
    entries = _entries(pieces)
    before = 0.0
    for at, piece in enumerate(pieces):
        found = wanted.intersection(words[at])
        is_first = at == 0 or pieces[at - 1].passage != piece.passage
        like = likeness.get(piece.topic, 0.0)
        evidence = _Evidence(
            own=mass(found) / most,
            both=mass(found | told[piece.topic] | told[piece.intro]) / most,
            before=0.0 if is_first else before,
            pairs=len(pairs.intersection(pairwise(informative(words[at])))) / max(1, len(pairs)),
            rank=1 / (1 + piece.passage),
            lead=float(is_first and piece.place == 0 and piece.passage in entries),
            answer=like * (piece.place == 0),
            later=like * (piece.place in (1, 2)),
            cue=float(cue is not None and _shows(cue, piece.text, question)),
            length=log1p(len(piece.text) / 100),
            torn=float(_is_torn(piece, pieces[at + 1] if at + 1 < len(pieces) else None)),
        )
        yield evidence
        before = evidence.own


def _entries(pieces: list[Piece]) -> set[int]:
    """The passages that stand as a whole below one question."""
    topics = {(piece.passage, piece.topic) for piece in pieces}
    counts = Counter(passage for passage, _ in topics)
    return {at for at, topic in topics if counts[at] == 1 and is_question(topic)}


# what is asked for, and what shows it, in the order of trial; English only
_CUES = [
    (re.compile(asks, re.I), re.compile(shows))
    for asks, shows in (
        (
            r"\bhow (?:many|much|old|long|far|large|big|tall|high|fast|often|deep|wide)\b|\bpercent"
            r"|\bwhat (?:number|amount|size|age|price|cost|population|temperature)\b",
            r"\d|\b(?i:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty"
            r"|fifty|dozens?|hundreds?|thousands?|[mb]illions?|half|third|quarter|percent)\b",
        ),
        (
            r"\bwhen\b|\b(?:what|which) (?:year|date|day|month|decade|century|time)\b",
            r"\b1\d{3}\b|\b20\d\d\b|\d0s\b|\b\d{1,2}[:.]\d\d\b|(?i:\bcentury|(?:mon|tues|wednes|thurs"
            r"|fri|satur|sun)day)\b|\b(?:January|February|March|April|May|June|July|August"
            r"|September|October|November|December)\b",
        ),
        (
            r"\bwho(?:se|m)?\b|\b(?:what|which) (?:person|man|woman|king|president|author|company"
            r"|organi[sz]ation)\b",
            r"(?<=[a-z,;(] )[A-Z][\w'\u2019-]+|^[A-Z][\w'\u2019-]+ [A-Z]\w+",
        ),
        (
            r"\bwhere\b|\b(?:what|which) (?:city|country|state|place|region|town|continent"
            r"|river)\b",
            r"\b(?:[Ii]n|[Aa]t|[Nn]ear|[Ff]rom|to|of|through|across)(?: the)? [A-Z]",
        ),
        (
            r"\bwhy\b|\bwhat (?:caused|reason)",
            r"\b(?i:because|due to|in order to|so that|since|therefore|caused?|reasons?|result"
            r"|to (?:avoid|prevent|protect|ensure|make|help))\b",
        ),
    )
]


def _shows(cue: re.Pattern[str], text: str, question: str) -> bool:
    """What the question itself says is no answer to it."""
    asked = question.casefold()
    return any(found[0].casefold() not in asked for found in cue.finditer(text))


def _is_torn(piece: Piece, following: Piece | None) -> bool:
    text = piece.text
    is_followed = following is not None and following.intro == text
    if is_followed or piece.intro or piece.kind == "code":
        return False
    if piece.kind == "line":
        return len(text) < WRAPPED and not re.search(r"[\d:]", text)
    return text[0].islower() or text[-1].isalnum() or text.endswith((*COLONS, ",", ";", "-"))
