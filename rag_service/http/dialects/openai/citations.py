"""The numbers in square brackets of an answer, as OpenAI's annotations. Pure."""

import re
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from rag_service.conversations.messages import Source

_CITED = re.compile(r"\[(\d{1,3})\]")


class Citation(Struct, frozen=True, kw_only=True):
    """`start_index` and `end_index` are characters of the text, the end excluded."""

    start_index: int
    end_index: int
    url: str
    title: str


class Annotation(Struct, frozen=True, kw_only=True):
    """As chat completions have it."""

    type: Literal["url_citation"] = "url_citation"
    url_citation: Citation


def citations(text: str, sources: Sequence[Source]) -> list[Citation]:
    """One for each [n] of the text. Sources that no number names stand at its end."""
    found = [
        _citation(match.start(), match.end(), sources[number - 1])
        for match in _CITED.finditer(text)
        if 0 < (number := int(match[1])) <= len(sources)
    ]
    if found:
        return found
    return [_citation(len(text), len(text), source) for source in sources]


def annotations(text: str, sources: Sequence[Source]) -> list[Annotation]:
    return [Annotation(url_citation=citation) for citation in citations(text, sources)]


def _citation(start: int, end: int, source: Source) -> Citation:
    url = source.source_url
    return Citation(start_index=start, end_index=end, url=url, title=source.title or url)
