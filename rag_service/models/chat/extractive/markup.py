"""Text as it is quoted: whole sentences on one line, without markup."""

import re
from collections.abc import Iterator

STOPS = (".", "!", "?", "\u2026", "\u3002", "\uff01", "\uff1f", "\u061f", "\u0964")
COLONS = (":", "\uff1a")

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
_ATTRIBUTES = re.compile(r"\s?\{:?\s?[#.][^{}\n]{1,100}\}")
_NOTE = re.compile(
    r"(^|[\s.,;:!?\"'\u201d\u2019)])(?:\[(?:\d{1,3}|citation needed|edit)\])++", re.I
)
_NUMBERED = re.compile(r"\[(\d{1,3})\]")


def clean(text: str) -> str:
    """One line without markup, and without what would read as a citation of ours."""
    text = _ATTRIBUTES.sub("", _TAG.sub(" ", _INVISIBLE.sub("", text)))
    text = _STRONG.sub(r"\2", _LINK.sub(r"\1", text))
    return " ".join(without_citations(_NOTE.sub(r"\1", text)).split())


def without_citations(text: str) -> str:
    """`list[1]` stays what it is, but for two blanks."""
    return _NUMBERED.sub(r"[ \1 ]", text)


def joined(lines: list[str]) -> str:
    """Lines that a margin has parted; nothing is put between two Chinese characters."""
    return _GAP.sub("", "\n".join(line.strip() for line in lines))


def bare(text: str) -> str:
    """Letters and digits alone, for comparing."""
    return "".join(filter(str.isalnum, text.casefold()))


def is_question(text: str) -> bool:
    return text.rstrip().endswith(("?", "\uff1f", "\u061f"))


_END = re.compile(
    r"(?<![.!?\u2026\u061f])[.!?\u2026\u061f]++[\"'\u201d\u2019\u00bb)\]]*+(?=\s)"
    r"|(?<![\u3002\uff01\uff1f\u0964])[\u3002\uff01\uff1f\u0964]++[\u300d\u300f\u201d\u2019\uff09)]*+"
)
_SHORT = re.compile(
    r"(?:^|[\s(\"'\u201c\u2018.])(?:[^\W\d_]|Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|vs|etc|e\.g|i\.e|cf|Nos?|"
    r"Fig|Vol|approx|Inc|Ltd|Co|Gen|Sen|Rep|Gov|Lt|Col|Capt|Rev|Hon|Mt|Jan|Feb|Mar|Apr|Jun|Jul|"
    r"Aug|Sept?|Oct|Nov|Dec|bzw|usw|Nr|Abs|ca|pp|al)\.$"
)
_REPLY = 6
"""A sentence of so few characters, `Yes.`, is read with the next one."""
_ASIDE = 200
"""Characters to the beginning or the end of a bracket; a longer one is a text of its own."""


def sentences(text: str) -> Iterator[str]:
    """In order, with all of the text but blanks between them."""
    start = 0
    for end in _END.finditer(text):
        stop = end.end()
        is_short = end[0] == "." and _SHORT.search(text[max(start, stop - 9) : stop])
        goes_on = is_short or text[stop + 1 : stop + 2].islower() or _is_aside(text, start, stop)
        if (end[0][0] > "\u2fff" or not goes_on) and stop - start > _REPLY:
            yield text[start:stop].strip()
            start = stop
    if rest := text[start:].strip():
        yield rest


def _is_aside(text: str, start: int, stop: int) -> bool:
    """Whether a bracket is open here that closes soon: `(how long? Six weeks?)`."""
    said = text[max(start, stop - _ASIDE) : stop]
    return said.count("(") > said.count(")") and ")" in text[stop : stop + _ASIDE]


def cut(text: str, gap: str, longest: int) -> Iterator[str]:
    """In parts of at most so many characters, at a gap where there is one."""
    start = 0
    while len(text) - start > longest:
        end = text.rfind(gap, start + 1, start + longest + 1)
        end = end if end > 0 else start + longest
        yield text[start:end]
        start = end + (text[end] == gap)
    yield text[start:]
