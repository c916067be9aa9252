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

T = TypeVar("T")


def read_package(data: bytes, read: Callable[[io.BytesIO], T], *, kind: str = "office file") -> T:
    """What `read` makes of a file that can do no harm, which people call a `kind`.

    Raises Unreadable.
    """
    try:
        _check(data, kind)
        return read(io.BytesIO(data))
    except (Unreadable, MemoryError):
        raise
    except RecursionError as error:
        raise Unreadable("is nested too deeply: send its text") from error
    except (zipfile.BadZipFile, zlib.error, LxmlError, OSError, NotImplementedError) as error:
        raise Unreadable(f"is a damaged {kind}: open it and save it again") from error
    except Exception as error:  # the libraries trust the parts to fit together
        raise Unreadable(f"is an {kind} that lacks parts: open it and save it again") from error


def _check(data: bytes, kind: str) -> None:
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
        for part in xml:
            # without the zeros, UTF-16 reads the same
            if _DECLARES.search(package.read(part).replace(b"\0", b"")):
                raise Unreadable(f"declares XML entities in {part.filename!r}: no {kind} does")


def _is_xml(package: zipfile.ZipFile, part: zipfile.ZipInfo) -> bool:
    """Whatever it is called: only the relationships of a file say what a part is."""
    with package.open(part) as data:
        head = data.read(_HEAD_BYTES).lstrip(_BEFORE_XML)
    return not head or head.startswith(b"<")
