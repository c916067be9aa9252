"""The readers of files that may be pictures of text, with the recogniser that is installed."""

from rag_service.documents import ParsedDocument
from rag_service.errors import Unreadable
from rag_service.readers import pdf
from rag_service.readers.page_pictures import INSTALL
from rag_service.readers.recognition import recogniser


def read_pdf(data: bytes) -> ParsedDocument:
    """As `pdf.read_pdf`; scanned pages are recognised where the extra [ocr] is installed."""
    return pdf.read_pdf(data, recogniser())


def read_picture(data: bytes) -> ParsedDocument:
    """As `picture.read_picture`. Raises Unreadable, and names the extra, where it is missing."""
    recognise = recogniser()
    if recognise is None:
        raise Unreadable(f"is a picture: run text recognition on it first, with {INSTALL}")
    from rag_service.readers import picture  # noqa: PLC0415

    return picture.read_picture(data, recognise)
