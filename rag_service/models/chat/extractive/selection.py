"""Which parts of which pieces make the answer: as likely as can be for as little text as can be."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from rag_service.models.chat.extractive.clauses import Span, clause_spans
from rag_service.models.chat.extractive.cues import asks_for_code
from rag_service.models.chat.extractive.likelihood import Closer, Judge
from rag_service.models.chat.extractive.markup import COLONS, is_question
from rag_service.models.chat.extractive.pieces import Piece
from rag_service.models.chat.extractive.tables import asked, known, told
from rag_service.texts.stems import informative, stems

MOST_SENTENCES = 3
MOST_CHARACTERS = 400
"""Of an answer, without its citations, but for a piece that is longer and stands alone."""

_PRICE = 0.00114
"""How much likelihood a character has to add, or it is not worth reading: at this, answers to
the questions of five sets have at most 200 characters on average (`bench_answers.py`)."""
_OVERHEAD = 15
"""Characters that a part of its own costs beside its text."""
_CERTAIN = 0.85
"""The likelihood from which the answer to a question like this one is quoted alone."""
_ENTRY = 200
"""Characters that such an answer goes on for, at the end of a sentence."""
_PICKED = 2.0
"""How much likelier than the others of its list a line is when it is the only one asked for."""
_SHORT_LIST = 120
"""Characters beside a line that was picked: a list that has no more is told whole."""
_HINT = 3
"""Lines of code that nobody asked for may have, where a sentence of the answer leads to them."""
_SHORT_INTRO = 100
_ANNOUNCES = re.compile(
    r"\b(?:below|following|as follows|like (?:this|so)|here(?: i|')s an?|examples?|folgende\w*"
    r"|beispiele?|suivante?s?|exemples?|siguientes?|ejemplos?)\b",
    re.I,
)
_LEANS = re.compile(
    r"(?:it|its|they|their|he|his|she|her|this|these|those|such|however|but|and|also|therefore"
    r"|instead|then|another|both)\b",
    re.I,
)


class Selection(NamedTuple):
    """What is quoted of each piece, the pieces by how likely they are."""

    texts: Sequence[str]
    """Of all pieces; of a row, what of it was asked for."""
    spans: dict[int, list[Span]]
    """By the number of the piece, in reading order."""


def select(
    question: str,
    pieces: Sequence[Piece],
    alike: Sequence[float] | None = None,
    most: int = MOST_SENTENCES,
    closer: Closer | None = None,
) -> Selection:
    """At most `most` sentences; the lines of a list, and the rows of a table, count as one."""
    judge = Judge(question, pieces, alike, closer)
    likelihoods = judge.likelihoods()
    speaks = judge.speaks()
    texts = _texts(question, pieces, judge)
    answer = _Answer(pieces, texts, most, asks_for_code(question))
    # rounded, since sums over sets differ from process to process in their last digits
    order = sorted(range(len(pieces)), key=lambda at: -round(likelihoods[at], 9))
    entry = _entry(pieces, likelihoods, order[0])
    if entry:
        answer.take_while(entry, _ENTRY)
    else:
        for worth, at, span in _parts(judge, pieces, texts, likelihoods, order):
            if answer.spans and worth < _PRICE:
                break
            if not answer.spans or speaks[at]:
                answer.take_part(at, span, likelihoods)
        if not answer.spans:
            answer.take(order[0])
        answer.leave_announcements()
    ranked = sorted(answer.spans, key=order.index)
    return Selection(texts, {at: sorted(answer.spans[at]) for at in ranked})


class _Answer:
    """Takes what still fits and says something new; the first part whatever it is."""

    def __init__(
        self, pieces: Sequence[Piece], texts: Sequence[str], most: int, with_code: bool
    ) -> None:
        self._pieces = pieces
        self._texts = texts
        self._most = most
        self._with_code = with_code
        self._room = MOST_CHARACTERS
        self._said: list[set[str]] = []
        self._sentences: set[object] = set()
        self.spans: dict[int, list[Span]] = {}

    def take_while(self, numbers: Sequence[int], most: int) -> None:
        """In this order, up to the first that does not fit into so many characters."""
        left = MOST_CHARACTERS - most
        for at in numbers:
            if self.spans and self._room - left < extent(self._texts[at]):
                break
            if not self.take(at):
                break

    def take_part(self, at: int, span: Span, likelihoods: Sequence[float]) -> None:
        """The part, and where it is the first of its piece, what that is read with."""
        if at in self.spans:
            self.take(at, span)
        elif self._pieces[at].kind != "code" or self._with_code:
            needed = _needed(self._pieces, likelihoods, at, is_best=not self.spans)
            may_stand = not self.spans or self._fits_whole(at, needed)
            if may_stand and self.take(at, span):
                for number in needed:
                    self._take_beside(number)

    def leave_announcements(self) -> None:
        """What ends with a colon is not told without what it announces, unless it is all there is.

        From the end on, as an item may announce items.
        """
        for at in sorted(self.spans, reverse=True):
            is_alone = len(self.spans) == 1
            if self._texts[at].endswith(COLONS) and not (is_alone or at + 1 in self.spans):
                del self.spans[at]

    def take(self, at: int, span: Span | None = None) -> bool:
        piece, whole = self._pieces[at], (0, len(self._texts[at]))
        span = span or whole
        if span[1] == 0:
            return False
        if span in self.spans.get(at, ()):
            return True
        text = self._texts[at][slice(*span)]
        key = (piece.passage, piece.intro) if piece.kind in ("line", "row") and piece.intro else at
        words = set(stems(text))
        new = set(informative(words)) or words
        if self.spans:
            is_over = key not in self._sentences and len(self._sentences) >= self._most
            if is_over or extent(text) > self._room or any(new <= said for said in self._said):
                return False
        self._room -= extent(text) + 1
        self._said.append(words)
        self._sentences.add(key)
        self.spans.setdefault(at, []).append(span)
        return True

    def _take_beside(self, number: int) -> None:
        """What a piece is read with counts as the same sentence."""
        is_code = self._pieces[number].kind == "code" and not _announces_code(
            self._pieces, number - 1
        )
        lines = self._texts[number].count("\n") + 1
        if (
            not self._texts[number]
            or any(self._texts[number] == self._texts[at] for at in self.spans)
            or (is_code and not self._with_code and lines > _HINT)
        ):
            return
        if extent(self._texts[number]) <= self._room:
            self._room -= extent(self._texts[number]) + 1
            self._said.append(set(stems(self._texts[number])))
            self.spans[number] = [(0, len(self._texts[number]))]

    def _fits_whole(self, at: int, needed: Sequence[int]) -> bool:
        """What announces something is told with it, or not at all."""
        if not self._texts[at].endswith(COLONS):
            return True
        return (
            bool(needed) and extent(self._texts[at]) + extent(self._texts[needed[0]]) < self._room
        )


def extent(text: str) -> int:
    """How long it is to read, in Latin letters: a Chinese character says as much as three."""
    return len(text) + 2 * sum(letter > "\u2e7f" for letter in text)


def _texts(question: str, pieces: Sequence[Piece], judge: Judge) -> list[str]:
    """Of a row, what of it was asked for; nothing, where another row of its table was meant."""
    tables: dict[tuple[int, str], list[int]] = {}
    for at, piece in enumerate(pieces):
        if piece.row:
            tables.setdefault((piece.passage, piece.intro), []).append(at)
    texts = [piece.text for piece in pieces]
    for numbers in tables.values():
        rows = [pieces[at].row for at in numbers]
        columns = asked(question, rows, judge.cue)
        for at, row, is_known in zip(numbers, rows, known(question, rows), strict=True):
            texts[at] = told(question, row, columns) if is_known else ""
    return texts


def _parts(
    judge: Judge,
    pieces: Sequence[Piece],
    texts: Sequence[str],
    likelihoods: Sequence[float],
    order: Sequence[int],
) -> list[tuple[float, int, Span]]:
    """Clauses of long pieces and whole short ones, what is likeliest for its length first."""
    parts: list[tuple[float, int, Span]] = []
    for at in filter(texts.__getitem__, order):
        is_code = pieces[at].kind == "code"
        spans = [(0, len(texts[at]))] if is_code else clause_spans(texts[at])
        chances = [1.0]
        if len(spans) > 1:
            chances = judge.clauses([texts[at][slice(*span)] for span in spans])
        for span, chance in zip(spans, chances, strict=True):
            cost = extent(texts[at][slice(*span)]) + _OVERHEAD
            parts.append((round(likelihoods[at] * chance / cost, 12), at, span))
    return sorted(parts, key=lambda part: -part[0])


def _entry(pieces: Sequence[Piece], likelihoods: Sequence[float], best: int) -> list[int]:
    """The answer that stands below a question, where that is the answer for certain."""
    if pieces[best].place or not is_question(pieces[best].topic):
        return []
    entry = _below_topic(pieces, best)
    return entry if sum(likelihoods[at] for at in entry) > _CERTAIN else []


def _below_topic(pieces: Sequence[Piece], at: int) -> list[int]:
    """The numbers of all pieces that stand below the same topic."""
    passage, topic = pieces[at].passage, pieces[at].topic
    return [n for n, p in enumerate(pieces) if p.passage == passage and p.topic == topic]


def _needed(
    pieces: Sequence[Piece], likelihoods: Sequence[float], at: int, *, is_best: bool
) -> list[int]:
    """What a piece is read with: the sentence that it leans on, or the list that it is of."""
    piece = pieces[at]
    near = _below_topic(pieces, at)
    if piece.kind == "sentence" and at - 1 in near and _LEANS.match(piece.text):
        return [at - 1]
    if is_best and _announces_code(pieces, at):
        return [at + 1]
    intro = [n for n in near if piece.intro.endswith(COLONS) and pieces[n].text == piece.intro]
    lists = {piece.intro or piece.text, piece.text}
    lines = [
        n for n in near if n != at and pieces[n].intro in lists and pieces[n].kind != "sentence"
    ]
    others = max((likelihoods[n] for n in lines), default=0.0)
    if intro and piece.kind == "line" and sum(len(pieces[n].text) for n in lines) <= _SHORT_LIST:
        return intro + lines
    if piece.intro and (not is_best or likelihoods[at] > _PICKED * others):
        return [n for n in intro if len(pieces[n].text) <= _SHORT_INTRO]
    return intro + lines


def _announces_code(pieces: Sequence[Piece], at: int) -> bool:
    """Whether it says that an example follows, and code does: it tells nothing without that."""
    piece, following = pieces[at], pieces[at + 1 : at + 2]
    return (
        piece.kind == "sentence"
        and _ANNOUNCES.search(piece.text) is not None
        and any(n.kind == "code" and n.passage == piece.passage for n in following)
    )
