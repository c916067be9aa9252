"""Documents of another format inside a Word document (`w:altChunk`) -> part of its text."""

import email
import email.policy

from rag_service.readers.encodings import decode
from rag_service.readers.html import write_html
from rag_service.readers.outline import Outline
from rag_service.readers.rtf import write_rtf


def write_embedded(data: bytes, content_type: str, name: str, outline: Outline) -> None:
    """Adds HTML, RTF, web archives and plain text; tells what it cannot read.

    `name` stands in where the file does not say the content type.
    """
    kind = f"{content_type.partition(';')[0].lower()} {name.lower()}"
    start = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(b"{\\rtf"):
        write_rtf(data, outline)
    elif start.startswith((b"mime-version:", b"from:", b"content-type:")) or "rfc822" in kind:
        _write_archive(data, outline)
    elif "html" in kind or ".htm" in kind or start.startswith((b"<!doctype html", b"<html")):
        write_html(decode(data), outline)
    elif "text/plain" in kind or name.lower().endswith(".txt"):
        for paragraph in decode(data).replace("\r\n", "\n").split("\n\n"):
            outline.add("paragraph", paragraph)
    else:
        outline.leave_out("embedded document", "embedded documents")


def _write_archive(data: bytes, outline: Outline) -> None:
    message = email.message_from_bytes(data, policy=email.policy.default)
    for part in message.walk():
        if part.get_content_type() in ("text/html", "text/plain"):
            body = part.get_payload(decode=True)
            if isinstance(body, bytes):
                write_html(decode(body), outline)
            return
    outline.leave_out("embedded document", "embedded documents")
