"""Plain text stays what it is, but for characters nobody can see; blank lines part its blocks."""

import re
from itertools import pairwise

from rag_service.documents import Block, ParsedDocument

_LINE_END = re.compile(r"\r\n?|[\v\f]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_MISREAD = {code: bytes([code]).decode("cp1252", "ignore") for code in range(0x80, 0xA0)}
"""Quotation marks, dashes and the euro sign of Windows that were taken for control characters."""
_UNWANTED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")

_BLANK_LINE = re.compile(r"\n[^\S\n]*\n\s*")
_QUESTION = re.compile(r"^[^\S\n]*(?:q|question)[^\S\n]?\d*[.:][^\S\n]*\S", re.I | re.M)
_ANSWER = re.compile(r"[^\S\n]*(?:a|answer)[^\S\n]?\d*[.:]", re.I)
_ANSWER_LINE = re.compile(rf"^{_ANSWER.pattern}", re.I | re.M)


def clean(text: str) -> str:
    """The same text without control characters but newline and tab, and without lone surrogates.
    Of those between U+0080 and U+009F, which nobody writes, Windows' characters are meant.

    Every way to end a line becomes a newline; a surrogate becomes U+FFFD. Idempotent.
    """
    if _UNWANTED.search(text) is None:
        return text
    text = _CONTROL.sub("", _LINE_END.sub("\n", text).translate(_MISREAD))
    return _SURROGATE.sub("\ufffd", text)


def read_text(content: str) -> ParsedDocument:
    """One block per paragraph; a question (`Q: ...`) and its answer (`A: ...`) are one block."""
    text = clean(content)
    blocks: list[Block] = []
    for start, end in _entries(text, _paragraphs(text)):
        asked = _QUESTION.match(text, start, end)
        answer = _ANSWER_LINE.search(text, start, end) if asked else None
        lead = len(text[start : answer.start()].rstrip()) if answer else 0
        blocks.append(Block(kind="paragraph", start=start, end=end, lead=lead))
    return ParsedDocument(title="", text=text, blocks=blocks)


def _paragraphs(text: str) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    start = len(text) - len(text.lstrip())
    last = len(text.rstrip())
    for gap in _BLANK_LINE.finditer(text, start, last):
        spans.append((start, gap.start()))
        start = gap.end()
    if start < last:
        spans.append((start, last))
    return spans


def _entries(text: str, paragraphs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join an answer to its question, and part questions that no blank line parts."""
    if _QUESTION.search(text) is None:
        return paragraphs
    entries: list[tuple[int, int]] = []
    asked = False
    for start, end in paragraphs:
        if asked and _ANSWER.match(text, start, end):
            start = entries.pop()[0]
        questions = [match.start() for match in _QUESTION.finditer(text, start, end)]
        cuts = [start, *(cut for cut in questions if cut > start), end]
        entries += [(first, first + len(text[first:cut].rstrip())) for first, cut in pairwise(cuts)]
        asked = bool(questions)
    return entries
