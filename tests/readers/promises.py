"""What every ParsedDocument promises, and the documents to try it on."""

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import strategies as st

from rag_service.documents import Document, Format, ParsedDocument
from rag_service.errors import Unreadable
from rag_service.readers import parse

GOLDEN = Path(__file__).parent / "golden"

any_text = st.text(st.characters(exclude_categories=[]), max_size=300)
"""Lone surrogates and control characters too."""


def read(content: str, format: Format = "auto", title: str = "") -> ParsedDocument:
    return parse(Document(source_url="page", content=content, format=format, title=title))


def read_file(data: bytes, format: Format = "auto") -> ParsedDocument:
    parsed = parse(Document(source_url="file", content=data, format=format))
    assert keeps_promises(parsed)
    assert parsed.blocks
    return parsed


def refusal(data: bytes, format: Format = "auto") -> str:
    """Why it is refused."""
    with pytest.raises(Unreadable) as caught:
        read_file(data, format)
    assert caught.value.params == {"content": caught.value.reason}
    return caught.value.reason


def read_or_refuse(data: bytes, format: Format = "auto") -> None:
    """A third way there is not."""
    try:
        read_file(data, format)
    except Unreadable as error:
        assert error.reason


def blocks(parsed: ParsedDocument) -> list[tuple[str, tuple[str, ...], str]]:
    """Kind, headings and text of each."""
    return [(b.kind, b.headings, parsed.text[b.start : b.end]) for b in parsed.blocks]


def markup(*pieces: str) -> st.SearchStrategy[str]:
    """Documents put together from these pieces and any other text."""
    return st.lists(st.sampled_from(pieces) | st.text(max_size=8), max_size=60).map("".join)


def keeps_promises(parsed: ParsedDocument) -> bool:
    end = 0
    for block in parsed.blocks:
        assert parsed.text[end : block.start].strip() == "", "text outside blocks"
        assert parsed.text[block.start : block.end].strip(), "a blank block"
        assert block.kind != "heading" or block.headings, "a heading below no heading"
        end = block.end
    assert parsed.text[end:].strip() == "", "text after the last block"
    for text in (parsed.title, parsed.text, *(h for b in parsed.blocks for h in b.headings)):
        unseen = {c for c in set(text) - set("\n\t") if unicodedata.category(c) in ("Cc", "Cs")}
        assert not unseen, f"control characters {unseen}"
    return True


def golden(name: str) -> tuple[object, object]:
    """The document as it is read, and as it should be."""
    parsed = read((GOLDEN / name).read_bytes().decode())
    assert keeps_promises(parsed)
    blocks = [
        {"kind": b.kind, "headings": list(b.headings), "text": parsed.text[b.start : b.end]}
        for b in parsed.blocks
    ]
    found = {"title": parsed.title, "text": parsed.text, "blocks": blocks}
    return found, json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
