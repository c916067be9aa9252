"""Office files and books are zip archives of XML: they are measured before anything parses them."""

import io
import re
import zipfile
import zlib
from collections.abc import Callable
from typing import TypeVar

from lxml.etree import LxmlError

from rag_service.errors import Unreadable

MOST_BYTES = 256 * 1024 * 1024
"""All parts together, unpacked."""
MOST_XML_BYTES = 64 * 1024 * 1024
"""A tree takes about ten times as much memory."""
MOST_PARTS = 10_000

_DECLARES = re.compile(rb"<!\s*(?:DOCTYPE[^>\[]*+\[|ENTITY)", re.I)
"""A bare document type, as HTML and the first OpenOffice have, does no harm."""
_HEAD_BYTES = 256
_BEFORE_XML = b"\xef\xbb\xbf\xfe\xff\0 \t\r\n"
_ENCRYPTED = 0x1
_PICTURE = ".svg"

DAMAGED_PART = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError)
"""What reading a part raises."""

T = TypeVar("T")


def read_package(data: bytes, read: Callable[[io.BytesIO], T], *, kind: str = "office file") -> T:
    """What `read` makes of a file that can do no harm, which people call a `kind`.

    Whoever parses a part calls `refuse_entities` before. Raises Unreadable.
    """
    try:
        _check(data)
        return read(io.BytesIO(data))
    except (Unreadable, MemoryError):
        raise
    except RecursionError as error:
        raise Unreadable("is nested too deeply: send its text") from error
    except (zipfile.BadZipFile, zlib.error, LxmlError, OSError, NotImplementedError) as error:
        raise Unreadable(f"is a damaged {kind}: open it and save it again") from error
    except Exception as error:  # the libraries trust the parts to fit together
        raise Unreadable(f"is an {kind} that lacks parts: open it and save it again") from error


def read_office_file(data: bytes, read: Callable[[io.BytesIO], T]) -> T:
    """As `read_package`. A part that declares entities makes the file suspect, whether it is read
    or not; drawing programs declare them in the pictures (SVG) that they write."""

    def read_checked(file: io.BytesIO) -> T:
        with zipfile.ZipFile(file) as package:
            for part in package.infolist():
                if not part.filename.lower().endswith(_PICTURE) and _is_xml(package, part):
                    refuse_entities(package.read(part))
        return read(file)

    return read_package(data, read_checked)


def refuse_entities(xml: bytes) -> None:
    """Raises Unreadable where it declares some. Without zeros, UTF-16 reads the same."""
    if _DECLARES.search(xml.replace(b"\0", b"")):
        raise Unreadable("declares XML entities, which can do harm: save it without them")


def _check(data: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        parts = package.infolist()
        if any(part.flag_bits & _ENCRYPTED for part in parts):
            raise Unreadable("is protected by a password: save it without one")
        too_large = len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_BYTES
        xml = [] if too_large else [part for part in parts if _is_xml(package, part)]
        if too_large or sum(part.file_size for part in xml) > MOST_XML_BYTES:
            raise Unreadable(
                f"unpacks to more than {MOST_XML_BYTES >> 20} MiB of XML or {MOST_BYTES >> 20} MiB "
                "in all: split it"
            )


def _is_xml(package: zipfile.ZipFile, part: zipfile.ZipInfo) -> bool:
    """Whatever it is called: only the relationships of a file say what a part is. One that is
    damaged matters to whoever reads it."""
    try:
        with package.open(part) as data:
            head = data.read(_HEAD_BYTES).lstrip(_BEFORE_XML)
    except DAMAGED_PART:
        return False
    return not head or head.startswith(b"<")
