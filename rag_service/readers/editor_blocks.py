"""Blocks of WordPress's editor: comments with JSON in them, around HTML or in its place. Pure."""

import html
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from rag_service.readers.shortcodes import is_text

MOST_REUSED = 1_000_000
"""Characters of reusable blocks in one entry. A block may be made of many others."""
_DEEPEST = 5
_BEGIN, _END = "<!-- wp:", "-->"
_COMMENT = re.compile(r"<!-- wp:([a-z][\w/-]*)\s+(\{.*\})\s*(/?)-->", re.S)


class _Block(Struct, frozen=True):
    name: str
    attributes: Any
    is_whole: bool
    """There is no HTML of it."""


def with_reused(content: str, blocks: Mapping[str, str]) -> str:
    """Reusable blocks, which `blocks` has by their ids, in the places that name them. One that is
    around itself is not followed for ever."""
    left = MOST_REUSED

    def expand(text: str, depth: int) -> str:
        def put(comment: str, block: _Block | None) -> str:
            nonlocal left
            if block is None or block.name != "block" or not isinstance(block.attributes, dict):
                return comment
            reused = blocks.get(str(block.attributes.get("ref")))
            if reused is None or depth == _DEEPEST or len(reused) > left:
                return comment
            left -= len(reused)
            return expand(reused, depth + 1)

        return _replaced(text, put)

    return expand(content, 0)


def dynamic_blocks(content: str) -> str:
    """Blocks that are their attributes alone are shown by what of them a visitor reads."""

    def put(comment: str, block: _Block | None) -> str:
        if block is None or not block.is_whole:
            return comment
        return comment + "".join(f"<p>{html.escape(text)}</p>" for text in _texts(block.attributes))

    return _replaced(content, put)


def _replaced(content: str, put: Callable[[str, _Block | None], str]) -> str:
    """In time linear in the length: a comment has no `-->` within, and the last may have no end."""
    if _BEGIN not in content:
        return content
    parts = []
    at = 0
    while (begin := content.find(_BEGIN, at)) >= 0:
        end = content.find(_END, begin)
        if end < 0:
            break
        end += len(_END)
        comment = content[begin:end]
        parts += [content[at:begin], put(comment, _block(comment))]
        at = end
    return "".join([*parts, content[at:]])


def _block(comment: str) -> _Block | None:
    found = _COMMENT.fullmatch(comment)
    if found is None:
        return None
    try:
        attributes = msgspec.json.decode(found[2])
    except (msgspec.DecodeError, RecursionError):
        return None
    return _Block(found[1], attributes, is_whole=bool(found[3]))


def _texts(attributes: Any) -> Iterator[str]:
    """In reading order."""
    left = [("", attributes)]
    while left:
        name, value = left.pop()
        if isinstance(value, dict):
            left += [(str(key).lower(), inner) for key, inner in reversed(value.items())]
        elif isinstance(value, list):
            left += [(name, inner) for inner in reversed(value)]
        elif isinstance(value, str) and is_text(_parted(name), value):
            yield re.sub(r"<[^<>]*>", " ", value).strip()


def _parted(name: str) -> str:
    return re.sub(r"(?<=[a-z])(title|text|label|heading|content)$", r"_\1", name)
