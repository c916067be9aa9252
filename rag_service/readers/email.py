"""A mail as a file -> who wrote what to whom and when, with mails that are forwarded in it.

Of parts that say the same in two ways the richer one is read; all others that are text stand in
their order. What is attached is named, and can be read by itself (`attachments_of`).
"""

import email.policy
import re
from collections.abc import Iterator
from email import message_from_bytes
from email.errors import MessageError
from email.message import EmailMessage, Message

from rag_service.documents import ParsedDocument
from rag_service.errors import Unreadable
from rag_service.readers.encodings import decode
from rag_service.readers.html import read_html, write_html
from rag_service.readers.outline import Outline, one_line
from rag_service.readers.text import clean, read_text

MOST_PARTS = 1_000
LONGEST_HEADER = 50_000
"""Characters: the standard library takes the square of their number."""
_DEEPEST = 8
"""Mails within mails."""
MOST_NESTED = 30
"""Parts within parts. Programs write three or four."""

_POLICY = email.policy.default
_HEADERS = ("From", "To", "Cc", "Date")
_EVENT = re.compile(
    r"^(SUMMARY|DESCRIPTION|LOCATION|DTSTART|DTEND|ORGANIZER|ATTENDEE)(?:;[^:\n]*)?:(.*)$", re.M
)
_FOLD = re.compile(r"\r?\n[ \t]")
_FLOWS = re.compile(r"(?<!\n--) \r?\n(?!\r?\n|>)")
"""The end of a line that goes on (RFC 3676); "-- " begins a signature."""
_PKCS7 = ("application/pkcs7-mime", "application/x-pkcs7-mime")
_SIGNED = bytes.fromhex("2a864886f70d010702")
"""The object identifier of signed data (RFC 5652), with which its content begins."""
_CMS_HEAD = 32
_WORD = re.compile(r"\w+")
_BROKEN = (
    *(MessageError, LookupError, ValueError, TypeError, AttributeError),
    *(ArithmeticError, RecursionError),
)
"""What the standard library raises on headers and bodies that break the rules."""


def read_email(data: bytes) -> ParsedDocument:
    """The subject is the title. Raises Unreadable."""
    message = _parsed(data)
    headers = {name: _header(message, name) for name in ("Subject", *_HEADERS)}
    if not any(headers.values()):
        raise Unreadable("is no email: it has no subject, sender or date")
    outline = Outline()
    reader = _Reader(outline)
    reader.mail(message, 0)
    if reader.encrypted and not reader.wrote:
        raise Unreadable("is an encrypted mail: save it decrypted")
    return outline.parsed(headers["Subject"])


def attachments_of(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Their names and contents, in order. Raises Unreadable."""
    for part in _parsed(data).walk():
        if _is_attached(part) and part.get_content_maintype() != "message":
            yield _name(part) or "attachment", _payload(part)


def _parsed(data: bytes) -> EmailMessage:
    if data.count(b"\n--") > MOST_PARTS:
        raise Unreadable(f"is an email of more than {MOST_PARTS:,} parts")
    try:
        message = message_from_bytes(data, policy=_POLICY)
        headers = (value for part in message.walk() for _, value in part.raw_items())
        too_long = any(len(value) > LONGEST_HEADER for value in headers)
    except _BROKEN as error:
        raise Unreadable("is a damaged email: save it again") from error
    if _nesting(message) > MOST_NESTED:
        raise Unreadable(f"is an email of parts within parts, more than {MOST_NESTED} deep")
    if too_long:
        raise Unreadable(f"is an email with a header of more than {LONGEST_HEADER:,} characters")
    assert isinstance(message, EmailMessage)
    return message


def _nesting(message: Message) -> int:
    depth, level = 0, [message]
    while level:
        depth += 1
        level = [
            child
            for part in level
            if part.is_multipart()
            for child in part.get_payload()
            if isinstance(child, Message)
        ]
    return depth


class _Reader:
    """Puts mails into an outline."""

    def __init__(self, outline: Outline) -> None:
        self._outline = outline
        self.wrote = False
        """Some text of a body."""
        self.encrypted = False
        self._words: dict[int, set[str]] = {}
        """Of each part that has been looked at, by its identity."""

    def mail(self, message: Message, depth: int) -> None:
        if depth > _DEEPEST:
            self._outline.leave_out("mail within mails", "mails within mails")
            return
        subject = _header(message, "Subject")
        if depth and subject:
            self._outline.heading(depth, subject)
        lines = [f"{name}: {value}" for name in _HEADERS if (value := _header(message, name))]
        self._outline.add("paragraph", "\n".join(lines))
        attached: list[str] = []
        self._part(message, depth, attached, is_body=True)
        if attached:
            self._outline.add("paragraph", f"Attachments: {', '.join(attached)}")

    def _part(
        self, part: Message, depth: int, attached: list[str], *, is_body: bool = False
    ) -> None:
        kind = part.get_content_type()
        if part.is_multipart():
            self._parts(part, kind, depth, attached)
        elif _is_enveloped(part):
            self._leave_encrypted()
        elif kind in _PKCS7:
            what = "within a signature (opaque S/MIME), which is not opened: save it unsigned"
            self._outline.leave_out(f"mail {what}", f"mails {what}")
        elif kind == "application/ms-tnef":
            self._outline.leave_out("winmail.dat of Outlook", "winmail.dat files of Outlook")
        elif part.get_content_maintype() == "text" and (is_body or not _is_attached(part)):
            self._text(part, kind)
        elif not _is_of_the_mail(part, kind):
            attached.append(_name(part) or kind)

    def _parts(self, part: Message, kind: str, depth: int, attached: list[str]) -> None:
        children = [child for child in part.get_payload() if isinstance(child, Message)]
        if kind == "multipart/encrypted":
            self._leave_encrypted()
        elif kind == "multipart/alternative":
            chosen, lost = _richest(children, self._words)
            for child in chosen:
                self._part(child, depth, attached, is_body=True)
            if lost:
                words = "of a mail's other version, which says more or less the same"
                self._outline.leave_out(f"word {words}", f"words {words}", count=lost)
        else:
            for child in children:
                if kind == "message/rfc822":
                    self.mail(_unpacked(part, child), depth + 1)
                else:
                    self._part(child, depth, attached)

    def _leave_encrypted(self) -> None:
        self.encrypted = True
        self._outline.leave_out("encrypted part of a mail", "encrypted parts of mails")

    def _text(self, part: Message, kind: str) -> None:
        text = _text_of(part)
        self.wrote = self.wrote or bool(text.strip())
        if kind == "text/html":
            write_html(text, self._outline)
        elif kind == "text/calendar":
            self._outline.add("paragraph", _event(text))
        else:
            parsed = read_text(text)
            for block in parsed.blocks:
                self._outline.add("paragraph", parsed.text[block.start : block.end])


def _richest(ways: list[Message], known: dict[int, set[str]]) -> tuple[list[Message], int]:
    """Of parts that say the same, the one that lacks the fewest words of the others, plain text
    where that is as good; and how many words it lacks. An invitation stands beside it."""
    calendars = [way for way in ways if way.get_content_type() == "text/calendar"]
    texts = [way for way in ways if way not in calendars]
    if not texts:
        return calendars, 0
    words = [_words(way, known) for way in texts]
    everything = len(set().union(*words))
    lacks = [everything - len(found) for found in words]
    best = min(
        range(len(texts)),
        key=lambda at: (lacks[at], texts[at].get_content_type() != "text/plain"),
    )
    return [texts[best], *calendars], lacks[best]


def _words(part: Message, known: dict[int, set[str]]) -> set[str]:
    """That a reader sees. Each part is read once, however many others are around it."""
    found: set[str] = set()
    for child in part.walk():
        if child.is_multipart():
            continue
        if id(child) not in known:
            known[id(child)] = _own_words(child)
        found |= known[id(child)]
    return found


def _own_words(part: Message) -> set[str]:
    kind = part.get_content_type()
    if kind == "text/html":
        return set(_WORD.findall(read_html(clean(_text_of(part))).text.lower()))
    return set(_WORD.findall(_text_of(part).lower())) if kind == "text/plain" else set()


def _unpacked(part: Message, inner: Message) -> Message:
    """A mail within a mail, which some programs encode though they must not."""
    coding = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
    if coding not in ("base64", "quoted-printable"):
        return inner
    holder = Message()
    holder["Content-Transfer-Encoding"] = coding
    holder.set_payload(inner.as_string())
    try:
        payload = holder.get_payload(decode=True)
        found = message_from_bytes(payload if isinstance(payload, bytes) else b"", policy=_POLICY)
    except _BROKEN:
        return inner
    return found if any(_header(found, name) for name in ("Subject", *_HEADERS)) else inner


def _is_attached(part: Message) -> bool:
    if part.is_multipart():
        return False
    named = part.get_content_maintype() != "text" and _name(part) != ""
    return part.get_content_disposition() == "attachment" or named


def _is_of_the_mail(part: Message, kind: str) -> bool:
    """Nothing that anybody attached: a picture within the HTML, or a signature."""
    within = kind.startswith("image/") and part.get("Content-ID") is not None
    return within or kind in ("application/pkcs7-signature", "application/pgp-signature")


def _is_enveloped(part: Message) -> bool:
    """Encrypted, by its label, or else by its content: some programs give no label."""
    if part.get_content_type() not in _PKCS7:
        return False
    label = str(part.get_param("smime-type", "")).lower()
    return label != "signed-data" and (label != "" or _SIGNED not in _payload(part)[:_CMS_HEAD])


def _name(part: Message) -> str:
    try:
        return one_line(part.get_filename() or "")
    except _BROKEN:
        return ""


def _header(message: Message, name: str) -> str:
    """Decoded; where it has raw bytes beyond ASCII, which it must not, as they are read best."""
    raw = next((value for key, value in message.raw_items() if key.lower() == name.lower()), "")
    try:
        if not str(raw).isascii():
            return one_line(decode(str(raw).encode("utf-8", "surrogateescape")))
        return one_line(str(message.get(name, "")))
    except (*_BROKEN, Unreadable):
        return ""


def _payload(part: Message) -> bytes:
    try:
        payload = part.get_payload(decode=True)
    except _BROKEN as error:
        raise Unreadable("is a damaged email: save it again") from error
    return payload if isinstance(payload, bytes) else b""


def _text_of(part: Message) -> str:
    data = _payload(part)
    try:
        label = part.get_content_charset()
    except _BROKEN:
        label = None
    try:
        text = decode(data, label) if data.strip() else ""
    except Unreadable:
        text = data.decode(errors="replace")
    if str(part.get_param("format", "")).lower() == "flowed":
        is_blank_extra = str(part.get_param("delsp", "")).lower() == "yes"
        text = _FLOWS.sub("" if is_blank_extra else " ", text)
    return text


def _event(text: str) -> str:
    """An invitation: what, when and where."""
    found = _EVENT.findall(_FOLD.sub("", text.replace("\r\n", "\n")))
    lines = (f"{name.title()}: {value}" for name, value in found)
    return "\n".join(line.replace("\\n", " ").replace("\\,", ",") for line in lines)
