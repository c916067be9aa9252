"""A passage in the pieces that an answer is made of: sentences, lines of lists, rows, code.

More than 300 lines: one reading of lines in order, whose patterns stand beside their use.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Literal, NamedTuple

from rag_service.documents import Passage
from rag_service.models.chat.extractive.furniture import is_contents, is_furniture
from rag_service.models.chat.extractive.markup import (
    COLONS,
    STOPS,
    bare,
    clean,
    cut,
    is_question,
    joined,
    sentences,
    without_citations,
)
from rag_service.models.chat.extractive.tables import Row, is_row, read_records, read_rows, whole

LONGEST_PIECE = 600
"""Characters. A longer sentence is a dump without sentence ends, and is cut at a blank."""

Kind = Literal["sentence", "line", "row", "code", "label"]


class Piece(NamedTuple):
    text: str
    kind: Kind
    """A line is an item of a list, or one that its author ended; a label is a heading or what else
    is no answer, and is there only where a passage has nothing better."""
    passage: int
    topic: str
    """The heading or the question that it stands below."""
    place: int
    """How many pieces stand between it and its topic."""
    intro: str
    """What leads to its list, table or code: `You need:`, the first line, the table's header."""
    row: Row = ()


_FENCE = re.compile(r"\s*(?:```|~~~)")
_HEADING = re.compile(r"\s*#{1,6}\s+(?=\S)")
_RULE = re.compile(r"[\s|:+=*_~-]+")
_ITEM = re.compile(
    r"\s*(?:[-*+\u2022\u25e6\u25aa\u2023\u00b7\u2013]"
    r"|(\(?\d{1,3}[.)]|\((?:[a-zA-Z]|[ivxIVX]{2,5})\)))\s+(?=\S)"
)
_ASKS = re.compile(
    r"\s*(?:(?:q|question|frage|pregunta|domanda|pergunta)\s?\d{0,4}\s?[.:\uff1a]\s*"
    r"|(?:\u95ee|\u554f|\u95ee\u9898|\u8cea\u554f)\s?\d{0,4}\s?[:\uff1a]\s*)(?=\S)",
    re.I,
)
_ANSWERS = re.compile(
    r"\s*(?:a|answer|antwort|r|r\u00e9ponse|respuesta|risposta|resposta"
    r"|\u7b54|\u7b54\u6848|\u56de\u7b54)\s?\d{0,4}\s?[:\uff1a]\s*|\s*a\d{0,4}\.\s+(?=\S)",
    re.I,
)
_ASKS_INSIDE = re.compile(
    r"(?<=[.!?\u2026])\s{1,9}(?=(?:q|question|frage|pregunta)\s?\d{0,4}\s?[:\uff1a])"
    r"|(?<=[\u3002\uff01\uff1f])\s{0,9}(?=\u95ee[:\uff1a])",
    re.I,
)
_ANSWERS_INSIDE = re.compile(
    r"(?<=[?\uff1f.!])\s{1,9}(?:a|answer|antwort|r|r\u00e9ponse|respuesta)\s?\d{0,4}\s?[:\uff1a]"
    r"|(?<=[?\uff1f])\s{0,9}\u7b54[:\uff1a]",
    re.I,
)
_CODE = re.compile(
    r"\s{4,}\S|\t|[$>]{1,3} \S|#!|//|/\*|</?[a-z!][^<>]*>|.*[;{}]\s*$|.*\s--\w"
    r"|[\w.\[\]\"']+ ?=[ \w\"'\[{(]|[\w.]{1,80}\(.*\)\s*:?$"
    r"|[a-z]\S*(?: \S+){0,8} {2,}(?:#|//) \S"
    r"|(?:import|from|def|class|return|curl|pip|npm|sudo|git|export|docker) (?!.*[.!?]$)"
)
_SYMBOLS = re.compile(r"[{}<>|$\\`=]|^\s*(?:#|//)|(?<! ) {2,}(?:#|//) ")
WRAPPED = 40
"""A line shorter than this, in characters, was ended by its author and not by a margin."""
_LABEL = 200
"""No heading or question is longer, in characters."""
_SHORT_LABEL = 80
"""A line of its own that is not longer, and that does not end as a sentence does, may be one."""
_RUN_IN = 40
"""No run-in heading of an item is longer: `(2) Sunset date.`"""
_MIDDLE = 3
"""Where a later chunk of a document begins: its first piece is the lead of nothing."""


def read_pieces(at: int, passage: Passage) -> list[Piece]:
    """None only where the text says nothing, and heading and title have no letter and no digit."""
    reader = _Reader(at, passage)
    reader.read(passage.text)
    for text in (*reader.topics, passage.heading.rpartition(" > ")[2], passage.title):
        if not reader.pieces:
            reader.put("label", clean(text))
    return reader.pieces


_ASKS_FIRST = re.compile(r"[^.!?\uff1f]{3,200}[?\uff1f]\s*(?=\S)")


class _Reader:
    """Lines of a passage, put down in reading order as pieces under their topics."""

    def __init__(self, at: int, passage: Passage) -> None:
        self._at = at
        headings = passage.heading.split(" > ")
        self._labels = {bare(label) for label in (passage.title, *headings)}
        self._topic = clean(headings[-1] or passage.title)
        self._place = _MIDDLE if passage.ordinal else 0
        self._lines: list[str] = []  # of a paragraph or an item that is not over
        self._marker = ""
        self._asking = False
        self._intro = ""
        self.pieces: list[Piece] = []
        self.topics: list[str] = []

    def read(self, text: str) -> None:
        blocks = [(lines, fenced or _reads_as_code(lines)) for lines, fenced in _blocks(text)]
        records = read_records(
            [[] if is_code or any(map(_ASKS.match, lines)) else lines for lines, is_code in blocks]
        )
        for at, ((lines, is_code), record) in enumerate(zip(blocks, records, strict=True)):
            self._intro = self._last_colon()
            following = [block for block, _ in blocks[at + 1 : at + 3]]
            if not self._intro and _is_heading(lines, following):
                self._below(_HEADING.sub("", lines[0]).rstrip(" #"))
            elif is_code:
                goes_on = at > 0 and blocks[at - 1][1]
                self._code("\n".join(map(without_citations, lines)), goes_on=goes_on)
            elif record:
                self._rows([record])
            else:
                self._block(lines)

    def put(self, kind: Kind, text: str, row: Row = ()) -> None:
        for part in cut(text, "\n" if kind == "code" else " ", LONGEST_PIECE):
            if any(map(str.isalnum, part)):
                self.pieces.append(
                    Piece(part, kind, self._at, self._topic, self._place, self._intro, row)
                )
                self._place += 1

    def _code(self, text: str, *, goes_on: bool) -> None:
        """Blank lines do not part a script."""
        last = self.pieces[-1] if self.pieces else None
        if goes_on and last and last.kind == "code" and len(last.text + text) < LONGEST_PIECE:
            self.pieces[-1] = last._replace(text=f"{last.text}\n\n{text}")
        else:
            self.put("code", text)

    def _block(self, lines: list[str]) -> None:
        for in_table, group in groupby(lines, is_row):
            if in_table:
                self._table(list(group))
            else:
                for line in group:
                    for part in _ASKS_INSIDE.split(line) if _ASKS.match(line) else [line]:
                        self._line(part)
        self._end()
        self._asking = False

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
        elif is_furniture(line):
            self._end()
        elif item := _ITEM.match(line):
            self._end()
            self._intro = self._intro or self._last_colon()
            self._lines, self._marker = [line[item.end() :]], f"{item[1] or '-'} "
        else:
            self._prose(line)

    def _table(self, lines: list[str]) -> None:
        self._end()
        if len(lines) == 1 and lines[0].rstrip().endswith(STOPS):
            self._line(lines[0].replace("|", "\u00a6"))
        else:
            self._rows(read_rows([line for line in lines if not is_furniture(line)]))

    def _rows(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self._intro = " | ".join(cell.column for cell in row if cell.column)
            text = whole(row)
            if any(map(str.isalnum, text)):
                self.pieces.append(
                    Piece(text, "row", self._at, self._topic, self._place, self._intro, row)
                )
                self._place += 1
        self._intro = ""

    def _ask(self, question: str) -> None:
        inside = _ANSWERS_INSIDE.search(question)
        self._below(question[: inside.start()] if inside else question)
        is_long = len(question) > _LABEL
        self._asking = not (inside or is_long or is_question(self._topic))
        if inside:
            self._lines = [question[inside.end() :]]

    def _below(self, topic: str) -> None:
        self._end()
        self._topic, self._place, self._intro = clean(topic[:LONGEST_PIECE]), 0, ""
        self.topics.append(self._topic)

    def _is_label(self, line: str) -> bool:
        if _HEADING.match(line) or bare(line) in self._labels:
            return True
        text = line.strip()
        is_loud = text.isupper() and len(text) <= _LABEL
        return is_loud and not (text.endswith(STOPS) or _ITEM.match(line))

    def _prose(self, line: str) -> None:
        if self._lines:
            last = self._lines[-1].strip()
            is_first = len(self._lines) == 1
            is_short = len(last) < WRAPPED and (is_first or last.endswith(STOPS))
            is_over = is_short or (self._marker and last.endswith(STOPS))
            is_over = is_over or (is_first and not self._marker and _is_titled(last))
            if is_over and not (self._marker and line[0].isspace()):
                self._end()
        self._lines.append(line)

    def _end(self) -> None:
        lines, marker = self._lines, self._marker
        self._lines, self._marker = [], ""
        text = clean(joined(lines))
        if marker:
            self._item(marker, text)
        elif len(lines) == 1 and not text.endswith((*STOPS, *COLONS)) and _one(text):
            self.put("line", text)
            self._intro = self._intro or text
        elif text:
            self._intro = ""
            for sentence in sentences(text):
                if is_question(sentence) and len(sentence) <= _LABEL:
                    self._below(sentence)
                else:
                    self.put("sentence", sentence)

    def _item(self, marker: str, text: str) -> None:
        """Its first sentence as a line of the list, what it adds to that as sentences."""
        if not text or is_furniture(text) or (is_contents(self._topic) and _one(text)):
            return
        if asks := _ASKS_FIRST.match(text):
            self._reply(asks[0].rstrip(), list(sentences(text[asks.end() :])))
            return
        parts = list(sentences(text))
        if len(parts) > 1 and len(parts[0]) < _RUN_IN:
            parts[:2] = [" ".join(parts[:2])]
        self.put("line", marker + parts[0])
        for sentence in parts[1:]:
            self.put("sentence", sentence)

    def _reply(self, question: str, parts: list[str]) -> None:
        """An item that asks and answers: what follows it stands below the former topic again."""
        topic = self._topic
        self._below(question)
        for sentence in parts:
            self.put("sentence", sentence)
        self._topic = topic

    def _last_colon(self) -> str:
        last = self.pieces[-1].text if self.pieces else ""
        return last if last.endswith(COLONS) and self._place else ""


def _blocks(text: str) -> Iterator[tuple[list[str], bool]]:
    """Lines between blank ones, and whether a fence is around them: it holds its blank lines."""
    lines: list[str] = []
    fenced = False
    for line in [*text.split("\n"), ""]:
        is_fence = _FENCE.match(line) is not None
        if is_fence or not (fenced or line.strip()):
            if lines:
                yield lines, fenced
            lines = []
            fenced = fenced != is_fence
        else:
            lines.append(line)
    if lines:
        yield lines, True


def _reads_as_code(lines: list[str]) -> bool:
    return 2 * sum(_CODE.match(line) is not None and not _is_prose(line) for line in lines) > len(
        lines
    )


def _is_prose(line: str) -> bool:
    words = line.split()
    plain = sum(word.strip(".,;:()\"'\u201c\u201d\u2019").isalpha() for word in words)
    return len(words) > 5 and 5 * plain >= 4 * len(words) and not _SYMBOLS.search(line)


def _is_heading(lines: Sequence[str], following: Sequence[Sequence[str]]) -> bool:
    """A short line of its own, without the end of a sentence, above something that is none."""
    if len(lines) > 1 or not _may_be_heading(lines[0]):
        return False
    return any(len(block) > 1 or not _may_be_heading(block[0]) for block in following)


def _may_be_heading(line: str) -> bool:
    text = clean(line)
    if not text or len(text) > _SHORT_LABEL or text.endswith((*STOPS, *COLONS, ",", ";")):
        return False
    first = next(filter(str.isalpha, text), "a")
    few_digits = sum(map(str.isdigit, text)) <= 3
    is_plain = not (first.islower() or ": " in text or is_row(line) or _ITEM.match(line))
    return is_plain and few_digits and not _CODE.match(text)


def _is_titled(text: str) -> bool:
    words = [word for word in text.split() if len(word) > 3]
    return len(text) <= _LABEL and len(words) > 2 and all(word[0].isupper() for word in words)


def _one(text: str) -> bool:
    return len(list(sentences(text))) == 1
