"""How likely each piece is to hold the answer, and each clause of a piece that does."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from math import exp, log1p
from typing import NamedTuple

from rag_service.models.chat.extractive.cues import Cue, asks_for_code, cue_of, shows
from rag_service.models.chat.extractive.evidence import (
    CLOSER_WEIGHTS,
    READ_CLOSER,
    WEIGHTS,
    WORD_WEIGHTS,
    Evidence,
)
from rag_service.models.chat.extractive.markup import COLONS, is_question
from rag_service.models.chat.extractive.pieces import WRAPPED, Piece
from rag_service.texts.stems import informative, stems

Closer = Callable[[Sequence[int]], Sequence[float]]
"""The nearness of the pieces of these numbers, each embedded below its headings."""

_LEAST_LIKE = 0.1
"""Of a question that a passage answers, to the one that is asked: with less, a heading that happens
to be a question speaks for nothing. Of 0.1, 0.2 and a slope, the one that costs answers to
questions least."""
_FOLLOWS = 0.3
"""Of a piece's likelihood, what the next one gets where it says nothing but what the question says:
a guess."""
_EXAMPLE = re.compile(
    r"\W*(?:for (?:example|instance)|e\.\s?g\.|zum beispiel|z\.\s?b\.|par exemple|por ejemplo"
    r"|\u4f8b\u5982|\u6bd4\u5982)",
    re.I,
)


class ClauseEvidence(NamedTuple):
    """What speaks for a clause of a sentence that holds the answer; or the weight of each."""

    own: float
    """The question's words that it has, of all that the pieces have."""
    beside: float
    """Those of its two neighbours."""
    new: float
    """How many other words it has."""
    cue: float
    first: float
    """It begins the sentence, and has its subject as a rule."""


CLAUSE_WEIGHTS = ClauseEvidence(own=3.4, beside=0.9, new=0.6, cue=2.0, first=0.2)
"""Fitted by the same script: the likeliest clause of a long sentence holds the answer for 0.74."""


class Judge:
    """Weighs the pieces of all passages against one question."""

    def __init__(
        self,
        question: str,
        pieces: Sequence[Piece],
        similarities: Sequence[float] | None = None,
        closer: Closer | None = None,
    ) -> None:
        """`similarities` are the nearness of the pieces to the question, by their vectors."""
        self._question = question
        self._closer = closer
        self._pieces = pieces
        self._similarities = similarities or [0.0] * len(pieces)
        self._words = [stems(_said(piece)) for piece in pieces]
        above = {text for piece in pieces for text in (piece.topic, piece.intro)}
        self._above = {text: set(stems(text)) for text in above}
        self._counts = Counter(term for terms in self._words for term in set(terms))
        self._asked = informative(stems(question)) or stems(question)
        seen = set(self._counts).union(*self._above.values())
        self._wanted = seen.intersection(self._asked)
        self._most = self._mass(self._wanted) or 1.0
        self.cue: Cue | None = cue_of(question)
        self._evidence: list[Evidence] | None = None

    def likelihoods(self) -> list[float]:
        """They add up to 1. A label has one only where there is nothing else."""
        if self._closer is not None:
            return self._shares(CLOSER_WEIGHTS, self.closer_evidence(self._closer))
        weights = WEIGHTS if any(self._similarities) else WORD_WEIGHTS
        return self._shares(weights, self.evidence())

    def closer_evidence(self, closer: Closer) -> list[Evidence]:
        """With the meaning of the READ_CLOSER pieces that are likeliest without it."""
        meanings = list(self._similarities)
        shares = self._shares(WEIGHTS if any(meanings) else WORD_WEIGHTS, self.evidence())
        best = sorted(range(len(shares)), key=lambda at: -round(shares[at], 9))[:READ_CLOSER]
        for at, meaning in zip(best, closer(best), strict=True):
            meanings[at] = meaning
        return [
            evidence._replace(meaning=meaning)
            for evidence, meaning in zip(self.evidence(), meanings, strict=True)
        ]

    def speaks(self) -> list[bool]:
        """Whether a piece, what it stands below, or what it follows, has a word of the question."""
        return [
            evidence.both > 0 or repeated > 0
            for evidence, repeated in zip(self.evidence(), self._repeated(), strict=True)
        ]

    def clauses(self, clauses: Sequence[str]) -> list[float]:
        """For a sentence that holds the answer, how likely each of its clauses does; 1 in sum."""
        odds = _odds(CLAUSE_WEIGHTS, self.clause_evidence(clauses))
        return [value / sum(odds) for value in odds]

    def evidence(self) -> list[Evidence]:
        if self._evidence is None:
            self._evidence = list(self._weigh())
        return self._evidence

    def clause_evidence(self, clauses: Sequence[str]) -> list[ClauseEvidence]:
        words = [stems(clause) for clause in clauses]
        own = [self._mass(self._wanted.intersection(terms)) / self._most for terms in words]
        return [
            ClauseEvidence(
                own=own[at],
                beside=sum(own[max(0, at - 1) : at]) + sum(own[at + 1 : at + 2]),
                new=log1p(len(set(informative(words[at])) - self._wanted)),
                cue=self._cue(clause),
                first=float(at == 0),
            )
            for at, clause in enumerate(clauses)
        ]

    def _shares(self, weights: Evidence, evidence: Sequence[Evidence]) -> list[float]:
        only_labels = all(piece.kind == "label" for piece in self._pieces)
        odds = _odds(weights, evidence)
        before = [0.0, *odds]
        odds = [
            own + _FOLLOWS * share * former
            for own, share, former in zip(odds, self._repeated(), before, strict=False)
        ]
        kept = [
            value if only_labels or piece.kind != "label" else 0.0
            for value, piece in zip(odds, self._pieces, strict=True)
        ]
        whole = sum(kept) or 1.0
        return [value / whole for value in kept]

    def _weigh(self) -> Iterator[Evidence]:
        pieces, wanted = self._pieces, self._wanted
        told = {text: wanted & terms for text, terms in self._above.items()}
        pairs = set(pairwise(self._asked))
        asks_code = asks_for_code(self._question)
        likeness = self._likeness(told)
        entries = _entries(pieces)
        nearest: dict[int, float] = {}
        for piece, similarity in zip(pieces, self._similarities, strict=True):
            nearest[piece.passage] = max(similarity, nearest.get(piece.passage, similarity))
        before = 0.0
        for at, piece in enumerate(pieces):
            words = self._words[at]
            plain = informative(words)
            found = wanted.intersection(words)
            is_first = at == 0 or pieces[at - 1].passage != piece.passage
            following = pieces[at + 1] if at + 1 < len(pieces) else None
            like = likeness.get(piece.topic, 0.0)
            evidence = Evidence(
                own=self._mass(found) / self._most,
                both=self._mass(found | told[piece.topic] | told[piece.intro]) / self._most,
                before=0.0 if is_first else before,
                title=self._mass(told[piece.topic]) / self._most,
                pairs=len(pairs.intersection(pairwise(plain))) / max(1, len(pairs)),
                density=self._mass(found) / (self._mass(set(plain)) or 1.0),
                new=log1p(len(set(plain) - wanted)) / 3,
                rank=1 / (1 + piece.passage),
                lead=float(
                    is_first
                    and piece.place == 0
                    and piece.passage in entries
                    and like > _LEAST_LIKE
                ),
                answer=like * (piece.place == 0),
                later=like * (piece.place in (1, 2)),
                cue=self._cue(piece.text),
                length=log1p(len(piece.text) / 100),
                line=float(piece.kind == "line"),
                code=float(piece.kind == "code" and not asks_code),
                torn=float(_is_torn(piece, following)),
                similarity=self._similarities[at],
                nearest=nearest[piece.passage],
                example=float(_EXAMPLE.match(piece.text) is not None),
            )
            yield evidence
            before = evidence.own

    def _repeated(self) -> list[float]:
        """For each piece, how much of the sentence before it only repeats the question ("The
        durations can come out wrong."): the answer follows."""
        shares = [0.0]
        for former, piece, evidence in zip(
            self._pieces, self._pieces[1:], self.evidence(), strict=False
        ):
            goes_on = (former.passage, former.topic) == (piece.passage, piece.topic)
            is_bare = former.kind == "sentence" and not evidence.cue
            shares.append(max(0.0, 2 * min(1.0, evidence.density) - 1) * is_bare * goes_on)
        return shares

    def _mass(self, terms: set[str]) -> float:
        """Of the terms, what is rare among the pieces counts for more."""
        return sum(map(self._rarity, terms))

    def _rarity(self, term: str) -> float:
        count = self._counts[term]
        return log1p((len(self._pieces) - count + 0.5) / (count + 0.5))

    def _likeness(self, told: dict[str, set[str]]) -> dict[str, float]:
        """How alike each question of the passages and the one that is asked are."""
        asked = self._mass(set(self._asked))
        return {
            text: 2 * self._mass(told[text]) / (self._mass(set(informative(terms))) + asked or 1.0)
            for text, terms in self._above.items()
            if is_question(text)
        }

    def _cue(self, text: str) -> float:
        return self.cue.worth * shows(self.cue, text, self._question) if self.cue else 0.0


def _odds(weights: Sequence[float], evidence: Sequence[Sequence[float]]) -> list[float]:
    scores = [
        sum(weight * value for weight, value in zip(weights, values, strict=True))
        for values in evidence
    ]
    best = max(scores)
    return [exp(score - best) for score in scores]


def _said(piece: Piece) -> str:
    """Of a row its values: the names of its columns stand in every row."""
    return " ".join(cell.value for cell in piece.row) if piece.row else piece.text


def _entries(pieces: Sequence[Piece]) -> set[int]:
    """The passages that stand as a whole below one question."""
    topics = {(piece.passage, piece.topic) for piece in pieces}
    counts = Counter(passage for passage, _ in topics)
    return {at for at, topic in topics if counts[at] == 1 and is_question(topic)}


def _is_torn(piece: Piece, following: Piece | None) -> bool:
    text = piece.text
    is_followed = following is not None and following.intro == text
    if is_followed or piece.intro or piece.kind in ("code", "row"):
        return False
    if piece.kind == "line":
        return len(text) < WRAPPED and not re.search(r"[\d:]", text)
    return text[0].islower() or text[-1].isalnum() or text.endswith((*COLONS, ",", ";", "-"))
