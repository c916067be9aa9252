"""What a file's bytes say it is, whatever its name says. Looks at a few of them only."""

import io
import re
import zipfile
import zlib

from rag_service.documents import Format
from rag_service.errors import Unreadable
from rag_service.readers.formats import BINARY, FORMATS
from rag_service.readers.mbox import has_mails

_HEAD = 1024
_TAIL = 64
_PDF = re.compile(rb"%PDF-\d")
_BINARY = {
    b"\x1f\x8b": "a gzip archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ\0": "an xz archive",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive",
    b"Rar!": "a RAR archive",
    b"MZ": "a program",
    b"\x7fELF": "a program",
    b"\xca\xfe\xba\xbe": "a program",
    b"SQLite format 3\0": "an SQLite database",
    b"OggS": "a sound",
    b"ID3": "a sound",
    b"fLaC": "a sound",
    b"wOFF": "a font",
    b"wOF2": "a font",
}
_MEDIA_TYPE = "mimetype"
_LONGEST_MEDIA_TYPE = 200


def check_kind(data: bytes, said: Format) -> Format:
    """The format to read a file in: `said`, or with `auto` what the bytes tell; `auto` for text.

    Raises Unreadable when the file is empty, of a kind that cannot be read, or not what is said.
    """
    if not data.strip(b"\0 \t\r\n\v\f"):
        raise Unreadable("is empty")
    found = _found(data, said)
    if said == "auto" or found == said:
        return found
    if found == "auto" and said not in BINARY:
        return said
    is_what = "plain text" if found == "auto" else f"a {found} file"
    raise Unreadable(f"is no {said} file but {is_what}: give it its right name or `format`")


def _found(data: bytes, said: Format) -> Format:
    if _PDF.search(data, 0, _HEAD) and not _starts_as_text(data, said):
        return "pdf"
    if data.startswith((b"PK\3\4", b"PK\5\6")):
        return _package(data)
    if data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        raise Unreadable(_old_office(data))
    if told := next((one.name for one in FORMATS if one.magic and one.magic.match(data)), None):
        return told
    if said in ("auto", "eml") and has_mails(data):
        raise Unreadable("is a mailbox of several mails: upload it as a file that is called .mbox")
    if name := _other(data):
        raise Unreadable(f"is {name}, which cannot be read")
    if said in BINARY and not _is_printable(data):
        raise Unreadable(f"is no {said} file, or a damaged one: save it again")
    return "auto"


def _other(data: bytes) -> str | None:
    if data[4:8] == b"ftyp" or (data[:4] == b"RIFF" and data[8:12] in (b"WAVE", b"AVI ")):
        return "a picture, a sound or a film"
    for start, name in _BINARY.items():
        if data.startswith(start) and not (len(start) < 4 and _is_printable(data)):
            return name
    return None


def _starts_as_text(data: bytes, said: Format) -> bool:
    """A text that speaks of `%PDF-1.4` is none."""
    return said != "pdf" and not data.lstrip(b"\0 \t\r\n\xef\xbb\xbf").startswith(b"%PDF-")


def _is_printable(data: bytes) -> bool:
    return re.search(rb"[^\x09-\x0d\x20-\x7e]", data[:_HEAD]) is None


def _package(data: bytes) -> Format:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            names = package.namelist()
            media_type = _media_type(package) if _MEDIA_TYPE in names else ""
    except _DAMAGED as error:
        raise Unreadable(
            "is a damaged or truncated zip archive or office file: save it again"
        ) from error
    for one in FORMATS:
        if one.media_type and media_type.startswith(one.media_type):
            return one.name
    for one in FORMATS:
        if one.parts and all(_has(names, part) for part in one.parts):
            return one.name
    raise Unreadable("is a zip archive, which cannot be read: send the files in it")


_DAMAGED = (zipfile.BadZipFile, zlib.error, ValueError, OSError, NotImplementedError, EOFError)


def _has(names: list[str], part: str) -> bool:
    return any(name.startswith(part) for name in names)


def _media_type(package: zipfile.ZipFile) -> str:
    with package.open(_MEDIA_TYPE) as part:
        return part.read(_LONGEST_MEDIA_TYPE).decode("ascii", "replace").strip()


def _old_office(data: bytes) -> str:
    utf16 = "EncryptedPackage".encode("utf-16-le")
    if utf16 in data or "EncryptionInfo".encode("utf-16-le") in data:
        return "is an office file protected by a password: save it without one"
    return (
        "is a file of an old office program (doc, xls, ppt, msg): save it as docx, xlsx, pptx "
        "or eml"
    )
