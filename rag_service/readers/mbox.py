"""A mailbox (mbox) -> its mails, each as the file that it would be by itself.

A mail begins after a line such as `From a@b.example Mon Jan  1 10:00:00 2024`. A line of a mail
that looks like one is quoted with ">". One ">" is taken off, as mboxrd wants it; mboxo, which does
not say how often it quoted, is read as well as it can be.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator

from msgspec import Struct

from rag_service.documents import LeftOut
from rag_service.errors import Unreadable

_BLANK = re.compile(rb"(?:\xef\xbb\xbf)?\s*")
_SEPARATOR = re.compile(rb"^From ([^\r\n]*+)\r?\n(?=>From |[!-9;-~]++[ \t]*+:)", re.M)
"""Before a header, which no sentence is."""
_TIME = re.compile(rb"\d:\d\d")
_QUOTED = re.compile(rb"^>(>*From )", re.M)
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_ID = re.compile(rb"^message-id:\s*+<?([^\s<>]++)", re.I | re.M)
_MOZILLA = re.compile(rb"^x-mozilla-status:[ \t]*([0-9a-f]{4})", re.I | re.M)
_EXPUNGED = 0x8
_INTERNAL = re.compile(rb"^subject:[^\n]*FOLDER INTERNAL DATA", re.I | re.M)
_LONGEST_ID = 200


class Mail(Struct, frozen=True, kw_only=True):
    """`key` is its Message-ID, or else a digest of it: no other mail of the mailbox has it."""

    key: str
    data: bytes


def is_mailbox(data: bytes) -> bool:
    """By how it begins."""
    return next(_separators(data), None) is not None


def has_mails(data: bytes) -> bool:
    """Whether it is a mailbox of two mails at least. One alone is a mail that was taken out."""
    separators = _separators(data)
    return next(separators, None) is not None and next(separators, None) is not None


class Mailbox:
    """Holds no more than one mail beside the bytes of the file."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._left_out: Counter[tuple[str, str, bool]] = Counter()

    @property
    def left_out(self) -> list[LeftOut]:
        """What `mails` has not given, as far as it has been read."""
        return [
            LeftOut(one=one, many=many, count=count, is_loss=is_loss)
            for (one, many, is_loss), count in self._left_out.items()
        ]

    def mails(self) -> Iterator[Mail]:
        """In order, without those that were deleted. Raises Unreadable when it is no mailbox."""
        if not is_mailbox(self._data):
            raise Unreadable("is no mailbox: none of the mbox format begins like this")
        keys: set[str] = set()
        digests: set[bytes] = set()
        for data in self._parts():
            digest = hashlib.sha256(data).digest()
            if digest in digests:
                self._left_out["copy of another mail", "copies of other mails", False] += 1
                continue
            digests.add(digest)
            head = _head(data)
            if _is_deleted(head):
                self._left_out["deleted mail", "deleted mails", True] += 1
            elif not _INTERNAL.search(head):
                key = _key(head, digest, keys)
                keys.add(key)
                yield Mail(key=key, data=data)

    def _parts(self) -> Iterator[bytes]:
        start = None
        for separator in _separators(self._data):
            if start is not None:
                yield self._part(start, separator.start())
            start = separator.end()
        if start is not None:
            yield self._part(start, len(self._data))

    def _part(self, start: int, end: int) -> bytes:
        return _QUOTED.sub(rb"\1", self._data[start:end].rstrip(b"\r\n") + b"\n")


def _separators(data: bytes) -> Iterator[re.Match[bytes]]:
    """None where the first of them does not stand at the beginning."""
    blank = _BLANK.match(data)
    start = blank.end() if blank else 0
    if not data.startswith(b"From ", start):
        return
    for found in _SEPARATOR.finditer(data, start):
        if _TIME.search(found[1]) or (
            len(found[1].split()) <= 1 and _follows_blank(data, start, found.start())
        ):
            yield found


def _follows_blank(data: bytes, start: int, at: int) -> bool:
    """A line without a time begins a mail only there; some programs write no blank line."""
    return at == start or data[max(at - 3, 0) : at].replace(b"\r", b"").endswith(b"\n\n")


def _head(data: bytes) -> bytes:
    end = _HEAD_END.search(data)
    return data[: end.start()] if end else data


def _is_deleted(head: bytes) -> bool:
    """Thunderbird marks a mail as deleted, and takes it out when it compacts the folder."""
    status = _MOZILLA.search(head)
    return status is not None and int(status[1], 16) & _EXPUNGED != 0


def _key(head: bytes, digest: bytes, keys: set[str]) -> str:
    name = digest.hex()[:32]
    found = _ID.search(head)
    if found is None or len(found[1]) > _LONGEST_ID:
        return name
    key = found[1].decode(errors="replace")
    return f"{key}-{name}" if key in keys else key
