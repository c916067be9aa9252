"""A line of a batch: one push, read or refused."""

from msgspec import Struct

from rag_service.access.scope import Scope
from rag_service.documents import Document
from rag_service.errors import Forbidden, Invalid
from rag_service.fields import read_body
from rag_service.knowledge.pushes import read_push, read_strict

_AROUND_A_FILE = 65_536
"""Bytes of a line beside the file."""


class Line(Struct, frozen=True, kw_only=True):
    """One push of a stream, or the reason why it is none."""

    number: int
    """Counts from 1."""
    end: int = 0
    """Where the next line begins in its source, in bytes."""
    source_url: str | None = None
    file: str | None = None
    """The name of the uploaded file that it is of."""
    document: Document | None = None
    strict: bool = False
    """It fails where something of the document is left out."""
    error: str | None = None

    @property
    def key(self) -> tuple[str, str] | None:
        document = self.document
        return (document.bot_id, document.source_url) if document else None


def read_line(
    raw: bytes,
    *,
    number: int,
    end: int = 0,
    scope: Scope,
    default_bot: str | None = None,
    default_type: str | None = None,
    strict: bool = False,
) -> Line:
    """A POST /knowledge body. A bot outside the scope is refused.

    `file` in the body names the uploaded file that it is of, `refused` tells why that is none.
    """
    source_url = file = None
    try:
        body = read_body(raw)
        if isinstance(body.get("file"), str):
            file = body["file"]
        if isinstance(body.get("source_url"), str):
            source_url = body["source_url"].strip()
        for name, default in (
            ("bot_id", default_bot or scope.default_bot),
            ("content_type", default_type),
        ):
            if body.get(name) is None:
                body[name] = default
        if isinstance(body.get("refused"), str):
            raise Invalid(body["refused"])
        document = read_push(body)
        scope.need(document.bot_id)
        strict = read_strict(body, strict)
    except (Invalid, Forbidden) as error:
        reason = error.told() if isinstance(error, Invalid) else str(error)
        return Line(number=number, end=end, source_url=source_url, file=file, error=reason)
    return Line(
        number=number,
        end=end,
        source_url=document.source_url,
        file=file,
        document=document,
        strict=strict,
    )


def longest_line(longest: int) -> int:
    """In bytes, where `longest` is the limit of a body: a file may reach that before base64."""
    return longest * 4 // 3 + _AROUND_A_FILE


def is_within(raw: bytes, longest: int) -> bool:
    """Whether a line keeps to the limit of a body; base64 counts as the bytes it stands for."""
    return len(raw) <= longest or (b'"content_base64"' in raw and len(raw) <= longest_line(longest))
