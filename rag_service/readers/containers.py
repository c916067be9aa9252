"""A file's name and bytes -> the bodies of the pushes in it. The same for folders and uploads.

Most files are one document. An export of WordPress has one for each entry, a mailbox one for each
mail, and a mail, where that is wanted, one for each of its attachments as well.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import Struct

from rag_service.documents import LeftOut
from rag_service.errors import Unreadable
from rag_service.fields import takes
from rag_service.readers.formats import BY_EXTENSION, EXTENSIONS, MAILBOX, WORDPRESS
from rag_service.readers.mbox import Mailbox, has_mails
from rag_service.readers.wordpress import Export, is_wordpress_export

Push = dict[str, Any]


class Within(Struct, frozen=True, kw_only=True):
    """What is wanted of the documents within a file."""

    attachments: bool = False
    """Of mails."""
    types: tuple[str, ...] | None = None
    """Of the entries of a WordPress export; all that are published where it is None."""


ALL = Within()


@takes(type="string", examples=["post,page"])
def read_types(value: Any) -> tuple[str, ...]:
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError("must be names of types apart by commas")
    return tuple(name.strip() for name in names if name.strip())


def suffix(name: str) -> str:
    return PurePath(name).suffix.lower()


def can_be_read(name: str) -> bool:
    """By its name."""
    return suffix(name) in EXTENSIONS


def check_name(name: str) -> None:
    """Raises Unreadable."""
    if not can_be_read(name):
        raise Unreadable(f"is of a kind that cannot be read: use {', '.join(EXTENSIONS)}")


def has_documents(name: str, data: bytes, within: Within) -> bool:
    """Whether a file has to be opened to tell which documents are in it."""
    if suffix(name) == WORDPRESS or _is_mailbox(name, data):
        return True
    return within.attachments and can_be_read(name) and BY_EXTENSION[suffix(name)].name == "eml"


def _is_mailbox(name: str, data: bytes) -> bool:
    """Archives of mailing lists are called texts, and mails that were saved together one mail."""
    found = BY_EXTENSION.get(suffix(name))
    is_like = found is not None and found.name in ("text", "eml")
    return suffix(name) == MAILBOX or (is_like and has_mails(data))


def pushes_of(name: str, data: bytes, source_url: str, within: Within = ALL) -> Iterator[Push]:
    """One for a file, whose bytes nobody has looked at; one for each entry of a WordPress export,
    and for each mail of a mailbox.

    Raises Unreadable for a name of another kind, and while an export or a mailbox is read.
    """
    check_name(name)
    if suffix(name) == WORDPRESS:
        yield from _entries(data, within)
        return
    if _is_mailbox(name, data):
        yield from _mails(data, source_url, within)
        return
    yield _push(name, data, source_url)
    if has_documents(name, data, within):
        yield from _attachments(data, source_url)


def _push(name: str, data: bytes, source_url: str) -> Push:
    return {"source_url": source_url, "content": data, "format": BY_EXTENSION[suffix(name)].name}


def _entries(data: bytes, within: Within) -> Iterator[Push]:
    """The last one tells what of the export is in none."""
    if not is_wordpress_export(data):
        raise Unreadable("is no WordPress export, which is the only XML that can be read")
    export = Export(data, within.types)
    held: Push | None = None
    for post in export.posts():
        if held is not None:
            yield held
        held = {
            "source_url": post.link,
            "content": post.html,
            "format": "html",
            "title": post.title,
            "metadata": post.metadata,
        }
    if held is None:
        left_out = _told(export.left_out)
        raise Unreadable(f"is a WordPress export without published entries{left_out}")
    yield {**held, "left_out": msgspec.to_builtins(export.left_out)}


def _told(left_out: list[LeftOut]) -> str:
    return f": left out were {'; '.join(kind.sentence for kind in left_out)}" if left_out else ""


def _mails(data: bytes, source_url: str, within: Within) -> Iterator[Push]:
    """Each under its key below the address of the mailbox. The last one tells what is in none."""
    mailbox = Mailbox(data)
    held: list[Push] = []
    for mail in mailbox.mails():
        yield from held
        url = f"{source_url}#message-{quote(mail.key, safe='@')}"
        held = [{"source_url": url, "content": mail.data, "format": "eml"}]
        if within.attachments:
            with suppress(Unreadable):  # which is said of the mail itself
                held.extend(_attachments(mail.data, url))
    if not held:
        raise Unreadable(f"is a mailbox without mails{_told(mailbox.left_out)}")
    last, *attachments = held
    yield {**last, "left_out": msgspec.to_builtins(mailbox.left_out)}
    yield from attachments


def _attachments(data: bytes, source_url: str) -> Iterator[Push]:
    """Each below the address of its mail. One that cannot be read is refused by itself."""
    from rag_service.readers.email import attachments_of  # noqa: PLC0415

    for number, (name, content) in enumerate(attachments_of(data), 1):
        url = f"{source_url}#attachment-{number}-{quote(name, safe='')}"
        if suffix(name) in BY_EXTENSION:
            yield _push(name, content, url)
        else:
            yield {"source_url": url, "refused": f"{name} is of a kind that cannot be read"}
