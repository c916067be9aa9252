"""A PDF as a whole: it is opened, its pages are read one by one, and what is missing is told."""

import re
import threading
from collections.abc import Iterator

import pypdfium2
from pypdfium2 import raw

from rag_service.documents import ParsedDocument
from rag_service.errors import Unreadable
from rag_service.readers.layout import PageLine, read_pages
from rag_service.readers.outline import Outline, one_line
from rag_service.readers.page_pictures import INSTALL, Recogniser, tell_uncertain
from rag_service.readers.pdf.form import Form
from rag_service.readers.pdf.page import Page, picture_of, read_page
from rag_service.readers.pdf.placed_text import below

MOST_PAGES = 10_000
MOST_CHARACTERS = 20_000_000

_FILE_NAME = re.compile(r"^(?:microsoft \w+ - |untitled)|\.\w{2,5}$|^\S+$", re.I)

_one_at_a_time = threading.Lock()  # PDFium may not be called by two threads, on any document


def read_pdf(data: bytes, recognise: Recogniser | None = None) -> ParsedDocument:
    """Each block has its page. A page without readable text is given to `recognise`, outside of
    PDFium's lock. Raises Unreadable: encrypted, damaged, or without any text."""
    document = _open(data)
    try:
        pages = _read(document)
        outline = Outline()
        lines = [_lines(document, page, recognise, outline) for page in pages]
        with _one_at_a_time:
            if document.get_formtype() == raw.FORMTYPE_XFA_FULL:
                outline.leave_out("form in XFA", "forms in XFA")
            title = one_line(document.get_metadata_value("Title"))
            attached = raw.FPDFDoc_GetAttachmentCount(document.raw)
    finally:
        with _one_at_a_time:
            document.close()
    if not any(any(c.isalnum() for c in line.text) for page in lines for line in page):
        raise Unreadable(_without_text(pages, recognise))
    if attached > 0:
        outline.leave_out("attached file", "attached files", count=attached)
    return read_pages(lines, "" if _FILE_NAME.search(title) else title, outline)


def _open(data: bytes) -> pypdfium2.PdfDocument:
    try:
        with _one_at_a_time:
            return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if raw.FPDF_GetLastError() == raw.FPDF_ERR_PASSWORD or "password" in str(error):
            raise Unreadable("is an encrypted PDF: save it without a password") from error
        raise Unreadable("is a damaged PDF: open it in a viewer and save it again") from error


def _read(document: pypdfium2.PdfDocument) -> list[Page]:
    with _one_at_a_time:
        if len(document) > MOST_PAGES:
            raise Unreadable(f"is a PDF of more than {MOST_PAGES:,} pages: split it")
        form = Form(document)
        try:
            return list(_pages(document, form))
        finally:
            form.close()


def _pages(document: pypdfium2.PdfDocument, form: Form) -> Iterator[Page]:
    left = MOST_CHARACTERS
    for number in range(1, len(document) + 1):
        page = read_page(document, number, form)
        left -= sum(len(line.text) for line in page.lines)
        if left < 0:
            raise Unreadable(f"has more than {MOST_CHARACTERS:,} characters: split it")
        yield page


def _lines(
    document: pypdfium2.PdfDocument, page: Page, recognise: Recogniser | None, outline: Outline
) -> list[PageLine]:
    """Those of the page, or what is recognised in its place."""
    where = f"page {page.number}"
    for one, many in page.left_out:
        outline.leave_out(one, many, where=where)
    if page.pictures and not page.unread:
        outline.leave_out("picture", "pictures", count=page.pictures, where=where)
    if not page.unread:
        return page.lines
    if recognise is not None:
        with _one_at_a_time:
            picture = picture_of(document, page.number)
        if lines := recognise(picture):
            outline.leave_out(
                f"{page.unread[0]}: read by text recognition",
                f"{page.unread[1]}: read by text recognition",
                where=where,
            )
            tell_uncertain(lines, outline, where)
            return below(lines, page.placed)
    outline.leave_out(*page.unread, where=where)
    return page.lines


def _without_text(pages: list[Page], recognise: Recogniser | None) -> str:
    if any(page.unread and "character map" in page.unread[0] for page in pages):
        what = "is a PDF whose fonts have no character map, so that its text is unreadable"
    else:
        what = "is a PDF without text, which scans are"
    if recognise is None:
        return f"{what}: run text recognition on it first, with {INSTALL} or with ocrmypdf"
    return f"{what}, and text recognition found none in its pages: scan it again, upright and sharp"
