"""A passage in the pieces that an answer is made of: sentences, lines of lists and tables, code."""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from rag_service.documents import Passage

LONGEST_PIECE = 600
"""Characters. A longer sentence is a dump without sentence ends, and is cut at a blank."""


class Piece(NamedTuple):
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
COLONS = (":", "\uff1a")
WRAPPED = 40
"""A line shorter than this, in characters, was ended by its author and not by a margin."""
_LABEL = 200
"""No heading or question is longer, in characters."""
_MIDDLE = 3
"""Where a later chunk of a document begins: its first piece is the lead of nothing."""


def read_pieces(at: int, passage: Passage) -> list[Piece]:
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
        self.pieces: list[Piece] = []
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
                piece = Piece(part, kind, self._at, self._topic, self._place, self._intro)
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
        self._asking = not (inside or is_long or is_question(self._topic))
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
            is_short = len(last) < WRAPPED and (is_first or last.endswith(_STOPS))
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
        elif len(lines) == 1 and not text.endswith((*_STOPS, *COLONS)) and _one(text):
            self._put_line(text)
        elif text:
            self._intro = ""
            for sentence in _sentences(text):
                if is_question(sentence) and len(sentence) <= _LABEL:
                    self._below(sentence)
                else:
                    self.put("sentence", sentence)

    def _put_line(self, text: str) -> None:
        self.put("line", text)
        self._intro = self._intro or text

    def _last_colon(self) -> str:
        last = self.pieces[-1].text if self.pieces else ""
        return last if last.endswith(COLONS) and self._place else ""


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


def is_question(text: str) -> bool:
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
