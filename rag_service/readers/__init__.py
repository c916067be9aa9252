"""What was pushed, text or a file -> plain text in blocks. Pure, and linear in its length."""

import re
from collections.abc import Callable, Iterator, Sequence

from msgspec.structs import replace

from rag_service.documents import Document, Format, ParsedDocument
from rag_service.errors import Unreadable
from rag_service.readers.formats import BY_NAME
from rag_service.readers.markdown import FRONT_MATTER
from rag_service.readers.outline import one_line
from rag_service.readers.tags import BLOCK_TAGS
from rag_service.readers.text import clean

Read = Callable[[Sequence[Document]], Iterator[ParsedDocument | Unreadable]]
"""How documents are read: what each holds or why it cannot be read, in their order."""

SAMPLE_CHARACTERS = 65_536
"""How much of the content is looked at to detect its format."""

_UNSEEN = " \t\r\n\v\f\ufeff\u200b"

# possessive wherever two parts could share a run of characters: time must stay linear
_HTML_PAGE = re.compile(
    r"\s*+(?>(?:<\?xml[^>]*+>|<!--(?>.*?-->))\s*+)*+<(?:!doctype\s+html|html|head|body)\b",
    re.I | re.S,
)
_BLOCK_NAMES = "|".join(sorted(BLOCK_TAGS))
_HTML_BLOCK_LINE = re.compile(rf"^<(?:{_BLOCK_NAMES})\b[^<>]*>", re.I | re.M)
_HTML_BLOCK_END = re.compile(rf"</(?:{_BLOCK_NAMES})\s*+>", re.I)

_MARKDOWN = re.compile(
    r"""
      ^\ {0,3}```                                                # a code fence
    | ^\#{2,6}[ \t]++\S                                           # a heading
    | (?:\A|\n[ \t]*+\n)\#[ \t]++\S[^\n]*+(?=\n[ \t]*+\n|\s*\Z)  # '# ' may be a comment
    | ^[ \t]*+\|?[ \t]*+:?-{3,}+:?[ \t]*+(?:\|[ \t]*+:?-{3,}+:?[ \t]*+)++\|?[ \t]*+$  # a table
    | \[[^\[\]\n]{1,300}\]\((?:https?:|mailto:|[./\#])[^\s()<>]{0,500}\)   # a link, an image
    """,
    re.M | re.X,
)
_MARKDOWN_HINTS = (
    re.compile(r"(?<![*\w])\*\*[^\s*][^*\n]{0,200}\*\*(?![*\w])"),
    re.compile(r"(?<!`)`[^`\s][^`\n]{0,200}`(?![`_\w])"),
    re.compile(r"^ {0,3}(?:[-*+]|\d{1,3}[.)]) +\S", re.M),
    re.compile(r"^> ?\S", re.M),
)
_RESTRUCTURED = re.compile(
    r"^[ \t]*\.\. \S|::[ \t]*$|(?<!`)``[^`\s]|:[a-z:]{1,40}:`|`_\b|^([=\-~^\"'#*+`])\1{3,}[ \t]*$",
    re.M,
)


def parse(document: Document) -> ParsedDocument:
    """Pure. The title is the document's own, or else the one that its content gives.

    Never fails on text: markup that nobody could have written by hand (nested hundreds of levels
    deep) is read as text. Raises Unreadable for a file that is damaged, locked, without text, of
    a kind that cannot be read, or not what its format says.
    """
    content = document.content
    if isinstance(content, bytes):
        parsed = _read_file(content, document.format)
    else:
        parsed = _read_text(content, document.format)
    title = one_line(document.title)
    return replace(parsed, title=title) if title else parsed


def parse_each(documents: Sequence[Document]) -> Iterator[ParsedDocument | Unreadable]:
    """In this process, one after the other."""
    for document in documents:
        try:
            yield parse(document)
        except Unreadable as error:
            yield error


def _read_file(data: bytes, said: Format) -> ParsedDocument:
    from rag_service.readers.encodings import decode  # noqa: PLC0415
    from rag_service.readers.kinds import check_kind  # noqa: PLC0415

    found = BY_NAME.get(check_kind(data, said))
    if found and found.takes == "bytes":
        parsed = found.read(data)
    else:
        text = decode(data)
        parsed = _read_text(text if text.strip(_UNSEEN) else "", found.name if found else "auto")
    if not parsed.blocks and not (found and found.may_be_silent):
        raise Unreadable("holds no text")
    return parsed


def _read_text(content: str, said: Format) -> ParsedDocument:
    content = clean(content).lstrip("\ufeff")
    found = BY_NAME.get(detect(content) if said == "auto" else said, BY_NAME["text"])
    return found.read(content.encode() if found.takes == "bytes" else content)


def detect(content: str) -> Format:
    """`html`, `markdown` or `text`. Text unless there is clear evidence of the others."""
    sample = content[:SAMPLE_CHARACTERS]
    if "<" in sample and _HTML_PAGE.match(sample):
        return "html"
    if _MARKDOWN.search(sample) or FRONT_MATTER.match(sample):
        return "markdown"
    if "</" in sample and _reads_as_html(sample):
        return "html"
    if _RESTRUCTURED.search(sample):
        return "text"
    hints = sum(hint.search(sample) is not None for hint in _MARKDOWN_HINTS)
    return "markdown" if hints >= 2 else "text"


def _reads_as_html(sample: str) -> bool:
    ends = len(_HTML_BLOCK_END.findall(sample))
    if sample.lstrip().startswith("<"):
        return ends >= 1 and _HTML_BLOCK_LINE.match(sample.lstrip()) is not None
    return ends >= 3 and len(_HTML_BLOCK_LINE.findall(sample)) >= 3
