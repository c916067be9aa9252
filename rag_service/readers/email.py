"""An email as a file -> who wrote what to whom and when, and the names of what was attached."""

import email.policy
from collections.abc import Iterator
from email import message_from_bytes
from email.errors import MessageError
from email.message import EmailMessage, MIMEPart

from rag_service.documents import ParsedDocument
from rag_service.errors import Unreadable
from rag_service.readers.encodings import decode
from rag_service.readers.html import write_html
from rag_service.readers.outline import Outline, one_line
from rag_service.readers.text import read_text

MOST_PARTS = 1_000
LONGEST_HEADER = 50_000
"""Characters: the standard library takes the square of their number."""

_HEADERS = ("From", "To", "Cc", "Date")
_BROKEN = (MessageError, LookupError, ValueError, TypeError, AttributeError, RecursionError)
"""What the standard library raises on headers and bodies that break the rules."""


def read_email(data: bytes) -> ParsedDocument:
    """The subject is the title; text is taken before HTML. Raises Unreadable."""
    if data.count(b"\n--") > MOST_PARTS:
        raise Unreadable(f"is an email of more than {MOST_PARTS:,} parts")
    try:
        message = message_from_bytes(data, policy=email.policy.default)
    except _BROKEN as error:
        raise Unreadable("is a damaged email: save it again") from error
    assert isinstance(message, EmailMessage)
    for part in message.walk():
        if any(len(value) > LONGEST_HEADER for _, value in part.raw_items()):
            raise Unreadable(
                f"is an email with a header of more than {LONGEST_HEADER:,} characters"
            )
    headers = {name: _header(message, name) for name in ("Subject", *_HEADERS)}
    if not any(headers.values()):
        raise Unreadable("is no email: it has no subject, sender or date")
    outline = Outline()
    lines = [f"{name}: {headers[name]}" for name in _HEADERS if headers[name]]
    outline.add("paragraph", "\n".join(lines))
    _write_body(message, outline)
    if names := _attachments(message):
        outline.add("paragraph", f"Attachments: {', '.join(names)}")
    return outline.parsed(headers["Subject"])


def attachments_of(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Their names and contents, in order. Raises Unreadable."""
    try:
        message = message_from_bytes(data, policy=email.policy.default)
        for part in message.walk():
            content = part.get_payload(decode=True)
            if part.get_content_disposition() == "attachment" and isinstance(content, bytes):
                yield part.get_filename() or "attachment", content
    except _BROKEN as error:
        raise Unreadable("is a damaged email: save it again") from error


def _header(message: EmailMessage, name: str) -> str:
    try:
        return one_line(str(message.get(name, "")))
    except _BROKEN:
        return ""


def _write_body(message: EmailMessage, outline: Outline) -> None:
    try:
        part = message.get_body(("plain", "html"))
        if part is None:
            return
        kind = part.get_content_type()
    except _BROKEN as error:
        raise Unreadable("is a damaged email: save it again") from error
    text = _content(part)
    if kind == "text/html":
        write_html(text, outline)
        return
    parsed = read_text(text)
    for block in parsed.blocks:
        outline.add("paragraph", parsed.text[block.start : block.end])


def _content(part: MIMEPart) -> str:
    try:
        return str(part.get_content())
    except _BROKEN:
        payload = part.get_payload(decode=True)
        return decode(payload) if isinstance(payload, bytes) else str(payload or "")


def _attachments(message: EmailMessage) -> list[str]:
    names = []
    try:
        for part in message.iter_attachments():
            names.append(one_line(part.get_filename() or part.get_content_type()))
    except _BROKEN:
        pass  # a body that is no multipart, whatever its header says
    return names
