"""Sentences of the passages that answer the question, word for word, each with its citation.

No weights and no network. What a passage says is never obeyed: it is only counted and quoted.
"""

import asyncio
import re
import unicodedata
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from functools import cache
from itertools import pairwise
from math import exp, log1p
from typing import Literal, NamedTuple

from rag_service.conversations import Usage
from rag_service.documents import Passage
from rag_service.prompting import Prompt

MOST_SENTENCES = 4
MOST_CHARACTERS = 600
"""Of an answer, without its citations."""
LONGEST_PIECE = 600
"""Characters. A longer sentence is a dump without sentence ends, and is cut at a blank."""


class ExtractiveModel:
    """Answers with at most `sentences` sentences, or the lines of one list."""

    name = "extractive"

    def __init__(self, sentences: int = MOST_SENTENCES) -> None:
        self._sentences = sentences

    async def stream(self, prompt: Prompt) -> AsyncGenerator[str | Usage, None]:
        """Word by word. Nothing only when there is no passage."""
        answer = await asyncio.to_thread(self.answer, prompt.question, prompt.passages)
        for word in _WORD.findall(answer):
            yield word

    async def close(self) -> None:
        """Holds nothing."""

    def answer(self, question: str, passages: Sequence[Passage]) -> str:
        """Pure, blocking, and linear in the length of the passages."""
        pieces = [piece for at, passage in enumerate(passages) for piece in _read(at, passage)]
        if not pieces:
            return "[1]" if passages else ""
        chosen = _choose(pieces, _likelihoods(question, pieces), self._sentences)
        return _written(pieces, chosen)


_WORD = re.compile(r"\S+\s*|\s+")


# -- reading: a passage in pieces ---------------------------------------------------------------


class _Piece(NamedTuple):
    text: str
    kind: Literal["sentence", "line", "code"]
    """A line is an item of a list, a row of a table, or one that its author ended."""
    passage: int
    topic: str
    """The heading or the question that it stands below."""
    place: int
    """How many pieces stand between it and its topic."""
    intro: str
    """What leads to its list, table or code: `You need:`, or the first line."""


_FENCE = re.compile(r"\s*(?:```|~~~)")
_HEADING = re.compile(r"\s*#{1,6}\s+(?=\S)")
_RULE = re.compile(r"[\s|:+=*_~-]+")
_ITEM = re.compile(r"\s*(?:[-*+\u2022\u25e6\u25aa\u2023\u00b7\u2013]|(\(?\d{1,3}[.)]))\s+(?=\S)")
_ASKS = re.compile(r"\s*(?:q|question)\s?\d{0,4}\s?[.:\uff1a]\s*(?=\S)", re.I)
_ANSWERS = re.compile(r"\s*(?:a|answer)\s?\d{0,4}\s?[:\uff1a]\s*|\s*a\d{0,4}\.\s+(?=\S)", re.I)
_ASKS_INSIDE = re.compile(r"(?<=[.!?\u2026])\s{1,9}(?=(?:q|question)\s?\d{0,4}\s?[:\uff1a])", re.I)
_ANSWERS_INSIDE = re.compile(r"(?<=[?\uff1f.!])\s{1,9}(?:a|answer)\s?\d{0,4}\s?[:\uff1a]", re.I)
_CODE = re.compile(
    r"\s{4,}\S|\t|[$>]{1,3} \S|#!|//|/\*|</?[a-z!][^<>]*>|.*[;{}]\s*$|.*\s--\w"
    r"|[\w.\[\]\"']+ ?=[ \w\"'\[{(]|[\w.]{1,80}\(.*\)\s*:?$"
    r"|(?:import|from|def|class|return|curl|pip|npm|sudo|git|export|docker) (?!.*[.!?]$)"
)
_STOPS = (".", "!", "?", "\u2026", "\u3002", "\uff01", "\uff1f")
_COLONS = (":", "\uff1a")
_WRAPPED = 40
"""A line shorter than this, in characters, was ended by its author and not by a margin."""
_LABEL = 200
"""No heading or question is longer, in characters."""
_MIDDLE = 3
"""Where a later chunk of a document begins: its first piece is the lead of nothing."""


def _read(at: int, passage: Passage) -> list[_Piece]:
    """None only where text, heading and title have no letter and no digit."""
    reader = _Reader(at, passage)
    reader.read(passage.text)
    for text in (*reader.topics, passage.heading.rpartition(" > ")[2], passage.title):
        if not reader.pieces:
            reader.put("line", _clean(text))
    return reader.pieces


class _Reader:
    """Lines of a passage, put down in reading order as pieces under their topics."""

    def __init__(self, at: int, passage: Passage) -> None:
        self._at = at
        headings = passage.heading.split(" > ")
        self._labels = {_bare(label) for label in (passage.title, *headings)}
        self._topic = _clean(headings[-1] or passage.title)
        self._place = _MIDDLE if passage.ordinal else 0
        self._lines: list[str] = []  # of a paragraph or an item that is not over
        self._marker = ""
        self._asking = False
        self._intro = ""
        self.pieces: list[_Piece] = []
        self.topics: list[str] = []

    def read(self, text: str) -> None:
        for lines, is_code in _blocks(text):
            self._intro = self._last_colon()
            if is_code:
                self.put("code", "\n".join(_without_citations(line) for line in lines))
                continue
            for line in lines:
                for part in _ASKS_INSIDE.split(line) if _ASKS.match(line) else [line]:
                    self._line(part)
            self._end()
            self._asking = False

    def put(self, kind: Literal["sentence", "line", "code"], text: str) -> None:
        for part in _cut(text, "\n" if kind == "code" else " "):
            if any(map(str.isalnum, part)):
                piece = _Piece(part, kind, self._at, self._topic, self._place, self._intro)
                self.pieces.append(piece)
                self._place += 1

    def _line(self, line: str) -> None:
        if _RULE.fullmatch(line):
            self._end()
        elif asks := _ASKS.match(line):
            self._ask(line[asks.end() :])
        elif self.topics and (answers := _ANSWERS.match(line)):
            self._end()
            self._asking = False
            self._lines = [line[answers.end() :]]
        elif self._asking:
            self._ask(f"{self.topics.pop()} {line}")
        elif self._is_label(line):
            self._below(_HEADING.sub("", line).rstrip(" #"))
        elif " | " in line or line.lstrip().startswith("|"):
            self._end()
            first, *rest = filter(None, map(_clean, line.strip().strip("|").split("|")))
            self._put_line(f"{first}: {'; '.join(rest)}" if rest else first)
        elif item := _ITEM.match(line):
            self._end()
            self._intro = self._intro or self._last_colon()
            self._lines, self._marker = [line[item.end() :]], f"{item[1] or '-'} "
        else:
            self._prose(line)

    def _ask(self, question: str) -> None:
        inside = _ANSWERS_INSIDE.search(question)
        self._below(question[: inside.start()] if inside else question)
        is_long = len(question) > _LABEL
        self._asking = not (inside or is_long or _is_question(self._topic))
        if inside:
            self._lines = [question[inside.end() :]]

    def _below(self, topic: str) -> None:
        self._end()
        self._topic, self._place, self._intro = _clean(topic[:LONGEST_PIECE]), 0, ""
        self.topics.append(self._topic)

    def _is_label(self, line: str) -> bool:
        if _HEADING.match(line) or _bare(line) in self._labels:
            return True
        bare = line.strip()
        is_loud = bare.isupper() and len(bare) <= _LABEL
        return is_loud and not (bare.endswith(_STOPS) or _ITEM.match(line))

    def _prose(self, line: str) -> None:
        if self._lines:
            last = self._lines[-1].strip()
            is_first = len(self._lines) == 1
            is_short = len(last) < _WRAPPED and (is_first or last.endswith(_STOPS))
            is_over = is_short or (self._marker and last.endswith(_STOPS))
            is_over = is_over or (is_first and not self._marker and _is_titled(last))
            if is_over and not (self._marker and line[0].isspace()):
                self._end()
        self._lines.append(line)

    def _end(self) -> None:
        lines, marker = self._lines, self._marker
        self._lines, self._marker = [], ""
        text = _clean(_joined(lines))
        if marker:
            self.put("line", marker + text if text else "")
        elif len(lines) == 1 and not text.endswith((*_STOPS, *_COLONS)) and _one(text):
            self._put_line(text)
        elif text:
            self._intro = ""
            for sentence in _sentences(text):
                if _is_question(sentence) and len(sentence) <= _LABEL:
                    self._below(sentence)
                else:
                    self.put("sentence", sentence)

    def _put_line(self, text: str) -> None:
        self.put("line", text)
        self._intro = self._intro or text

    def _last_colon(self) -> str:
        last = self.pieces[-1].text if self.pieces else ""
        return last if last.endswith(_COLONS) and self._place else ""


def _blocks(text: str) -> Iterator[tuple[list[str], bool]]:
    """Lines between blank ones, and whether they are code. A fence holds its blank lines."""
    lines: list[str] = []
    fenced = False
    for line in [*text.split("\n"), ""]:
        is_fence = _FENCE.match(line) is not None
        if is_fence or not (fenced or line.strip()):
            if lines:
                yield lines, fenced or _reads_as_code(lines)
            lines = []
            fenced = fenced != is_fence
        else:
            lines.append(line)
    if lines:
        yield lines, True


def _reads_as_code(lines: list[str]) -> bool:
    return 2 * sum(_CODE.match(line) is not None for line in lines) > len(lines)


_CJK = r"\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uff00-\uffef"
_GAP = re.compile(rf"(?<=[{_CJK}])\n(?=[{_CJK}])|(?<=[^\W\d]-)\n(?=[^\W\d])")
_INVISIBLE = re.compile("[\u00ad\u200b\ufeff]")
_TAG = re.compile(
    r"</?(?:a|b|br|code|div|em|h[1-6]|i|li|ol|p|pre|small|span|strong|sub|sup|t[dhr]|table|u|ul)"
    r"(?:\s[^<>]{0,300})?/?>",
    re.I,
)
_LINK = re.compile(r"!?\[([^\[\]\n]{0,300})\]\([^()\s]{1,500}\)")
_STRONG = re.compile(r"(\*\*|__|`)(?=\S)([^*_`\n]{1,300})(?<=\S)\1(?!\w)")
_NOTE = re.compile(
    r"(^|[\s.,;:!?\"'\u201d\u2019)])(?:\[(?:\d{1,3}|citation needed|edit)\])++", re.I
)
_NUMBERED = re.compile(r"\[(\d{1,3})\]")


def _joined(lines: list[str]) -> str:
    return _GAP.sub("", "\n".join(line.strip() for line in lines))


def _clean(text: str) -> str:
    """One line without markup, and without what would read as a citation of ours."""
    text = _STRONG.sub(r"\2", _LINK.sub(r"\1", _TAG.sub(" ", _INVISIBLE.sub("", text))))
    return " ".join(_without_citations(_NOTE.sub(r"\1", text)).split())


def _without_citations(text: str) -> str:
    """`list[1]` stays what it is, but for two blanks."""
    return _NUMBERED.sub(r"[ \1 ]", text)


def _bare(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))


def _is_titled(text: str) -> bool:
    words = [word for word in text.split() if len(word) > 3]
    return len(text) <= _LABEL and len(words) > 2 and all(word[0].isupper() for word in words)


def _is_question(text: str) -> bool:
    return text.rstrip().endswith(("?", "\uff1f"))


_END = re.compile(
    r"(?<![.!?\u2026])[.!?\u2026]++[\"'\u201d\u2019\u00bb)\]]*+(?=\s)"
    r"|(?<![\u3002\uff01\uff1f])[\u3002\uff01\uff1f]++[\u300d\u300f\u201d\u2019\uff09)]*+"
)
_SHORT = re.compile(
    r"(?:^|[\s(\"'\u201c\u2018.])(?:[^\W\d_]|Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|vs|etc|e\.g|i\.e|cf|Nos?|"
    r"Fig|Vol|approx|Inc|Ltd|Co|Gen|Sen|Rep|Gov|Lt|Col|Capt|Rev|Hon|Mt|Jan|Feb|Mar|Apr|Jun|Jul|"
    r"Aug|Sept?|Oct|Nov|Dec|bzw|usw|Nr|Abs|ca|pp|al)\.$"
)


def _sentences(text: str) -> Iterator[str]:
    start = 0
    for end in _END.finditer(text):
        stop = end.end()
        is_short = end[0] == "." and _SHORT.search(text[max(start, stop - 9) : stop])
        if end[0][0] > "\u2fff" or not (is_short or text[stop + 1 : stop + 2].islower()):
            yield text[start:stop].strip()
            start = stop
    if rest := text[start:].strip():
        yield rest


def _one(text: str) -> bool:
    return len(list(_sentences(text))) == 1


def _cut(text: str, gap: str) -> Iterator[str]:
    """In parts that are not longer than LONGEST_PIECE, at a gap where there is one."""
    start = 0
    while len(text) - start > LONGEST_PIECE:
        end = text.rfind(gap, start + 1, start + LONGEST_PIECE + 1)
        end = end if end > 0 else start + LONGEST_PIECE
        yield text[start:end]
        start = end + (text[end] == gap)
    yield text[start:]


# -- judging: how likely each piece is to hold the answer ---------------------------------------


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

_STOPWORDS = """a an the of to and or in on at for from by with as is are was were be been being am
do does did has have had can could may might will would shall should must i you he she it we they
me my your his her its our their them this that these those there here what which who whom whose
when where why how if than then so any some about into over please tell give find name much
many type kind s t"""


_WORDS = re.compile(r"[^\W_]+")
_RUNS = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\U00020000-\U0003ffff]+")
_STEM = 5
"""Letters that make a word: as good as an English stemmer here, and good for other languages."""


def _terms(text: str) -> list[str]:
    """Beginnings of words without case and accents; overlapping pairs of characters in CJK."""
    text, found = text.casefold(), []
    if not text.isascii():
        for run in _RUNS.findall(text):
            found += [run[at : at + 2] for at in range(len(run) - 1)] or [run]
        text = unicodedata.normalize("NFKD", _RUNS.sub(" ", text))
        text = "".join(letter for letter in text if not unicodedata.combining(letter))
    return [word[:_STEM] for word in _WORDS.findall(text)] + found


def _likelihoods(question: str, pieces: list[_Piece]) -> list[float]:
    """They add up to 1."""
    scores = [
        sum(weight * value for weight, value in zip(_WEIGHTS, evidence, strict=True))
        for evidence in _weigh(question, pieces)
    ]
    best = max(scores)
    odds = [exp(score - best) for score in scores]
    whole = sum(odds)
    return [value / whole for value in odds]


def _weigh(question: str, pieces: list[_Piece]) -> Iterator[_Evidence]:
    words = [_terms(piece.text) for piece in pieces]
    above = {text: set(_terms(text)) for piece in pieces for text in (piece.topic, piece.intro)}
    counts = Counter(term for terms in words for term in set(terms))
    asked = _informative(_terms(question)) or _terms(question)
    wanted = set(asked).intersection(set(counts).union(*above.values()))
    told = {text: wanted & terms for text, terms in above.items()}
    pairs = set(pairwise(asked))
    cue = next((found for asks, found in _CUES if asks.search(question)), None)

    def mass(terms: set[str]) -> float:
        return sum(log1p((len(pieces) - counts[t] + 0.5) / (counts[t] + 0.5)) for t in terms)

    most = mass(wanted) or 1.0
    likeness = {
        text: 2 * mass(told[text]) / (mass(set(_informative(terms))) + mass(set(asked)) or 1.0)
        for text, terms in above.items()
        if _is_question(text)
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
            pairs=len(pairs.intersection(pairwise(_informative(words[at])))) / max(1, len(pairs)),
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


def _entries(pieces: list[_Piece]) -> set[int]:
    """The passages that stand as a whole below one question."""
    topics = {(piece.passage, piece.topic) for piece in pieces}
    counts = Counter(passage for passage, _ in topics)
    return {at for at, topic in topics if counts[at] == 1 and _is_question(topic)}


def _informative(terms: Iterable[str]) -> list[str]:
    return [term for term in terms if term not in _stopwords()]


@cache
def _stopwords() -> frozenset[str]:
    return frozenset(_terms(_STOPWORDS))


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


def _is_torn(piece: _Piece, following: _Piece | None) -> bool:
    text = piece.text
    is_followed = following is not None and following.intro == text
    if is_followed or piece.intro or piece.kind == "code":
        return False
    if piece.kind == "line":
        return len(text) < _WRAPPED and not re.search(r"[\d:]", text)
    return text[0].islower() or text[-1].isalnum() or text.endswith((*_COLONS, ",", ";", "-"))


# -- choosing and writing -----------------------------------------------------------------------

_ENOUGH = 0.85
"""Of the likelihood: by then the answer is probably among what was chosen."""
_CERTAIN = 0.8
"""The likelihood from which the answer to a question like this one is quoted alone."""
_PICKED = 2.0
"""How much likelier than the others of its list a line is when it is the only one asked for."""
_LEANS = re.compile(
    r"(?:it|its|they|their|he|his|she|her|this|these|those|such|however|but|and|also|therefore"
    r"|instead|then|another|both)\b",
    re.I,
)


def _choose(pieces: list[_Piece], likelihoods: list[float], most: int) -> list[int]:
    """Numbers of pieces, what matters most first."""
    # rounded, since sums over sets differ from process to process in their last digits
    order = sorted(range(len(pieces)), key=lambda at: -round(likelihoods[at], 9))
    answer = _Answer(pieces, most)
    best = pieces[order[0]]
    entry = _below_topic(pieces, order[0])
    is_reply = best.place == 0 and _is_question(best.topic)
    if is_reply and sum(likelihoods[at] for at in entry) > _CERTAIN:
        answer.take_all(entry)
        return answer.taken
    held = 0.0
    for at in order:
        if held > _ENOUGH or answer.sentences >= most:
            break
        held += likelihoods[at]
        if answer.take(at):
            answer.take_all(_needed(pieces, likelihoods, at))
    return answer.taken


class _Answer:
    """Takes what still fits and says something new; the first piece whatever it is."""

    def __init__(self, pieces: list[_Piece], most: int) -> None:
        self._pieces = pieces
        self._most = most
        self._room = MOST_CHARACTERS
        self._said: list[set[str]] = []
        self._lists: set[tuple[int, str]] = set()
        self.sentences = 0
        """The lines of a list count as one."""
        self.taken: list[int] = []

    def take_all(self, numbers: list[int]) -> None:
        """Up to the first that does not fit."""
        for at in numbers:
            if not self.take(at):
                break

    def take(self, at: int) -> bool:
        piece = self._pieces[at]
        of_list = (piece.passage, piece.intro) if piece.intro and piece.kind == "line" else None
        more = of_list not in self._lists
        words = set(_terms(piece.text))
        new = set(_informative(words)) or words
        fits = len(piece.text) <= self._room and self.sentences + more <= self._most
        if self.taken and (not fits or any(new <= said for said in self._said)):
            return False
        self._room -= len(piece.text) + 1
        self.sentences += more
        self._said.append(words)
        if of_list:
            self._lists.add(of_list)
        self.taken.append(at)
        return True


def _below_topic(pieces: list[_Piece], at: int) -> list[int]:
    """The numbers of all pieces that stand below the same topic."""
    passage, topic = pieces[at].passage, pieces[at].topic
    return [n for n, p in enumerate(pieces) if p.passage == passage and p.topic == topic]


def _needed(pieces: list[_Piece], likelihoods: list[float], at: int) -> list[int]:
    """What a piece is read with: the sentence that it leans on, or the list that it is of."""
    piece = pieces[at]
    near = _below_topic(pieces, at)
    if piece.kind == "sentence" and at - 1 in near and _LEANS.match(piece.text):
        return [at - 1]
    intro = [n for n in near if piece.intro and pieces[n].text == piece.intro]
    lists = {piece.intro or piece.text, piece.text}
    lines = [n for n in near if n != at and pieces[n].intro in lists]
    others = max((likelihoods[n] for n in lines), default=0.0)
    is_picked = piece.intro and likelihoods[at] > _PICKED * others
    return intro if is_picked else intro + lines


def _written(pieces: list[_Piece], chosen: list[int]) -> str:
    """Passage after passage, the likeliest first; each in reading order, with its citation."""
    groups = []
    for passage in dict.fromkeys(pieces[at].passage for at in chosen):
        group = [pieces[at] for at in sorted(chosen) if pieces[at].passage == passage]
        text = group[0].text if len(group) > 1 else group[0].text.removeprefix("- ")
        for former, piece in pairwise(group):
            runs_on = former.kind == piece.kind == "sentence" and not former.text[-1].isalnum()
            text += (" " if runs_on else "\n") + piece.text
        gap = "\n" if group[-1].kind == "code" else " "
        groups.append(f"{text}{gap}[{passage + 1}]")
    return ("\n\n" if any("\n" in text for text in groups) else " ").join(groups)
