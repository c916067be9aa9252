"""PDF -> the text of its pages in reading order, by PDFium.

In comes a file; out comes a `ParsedDocument`, each block with its page. A page without readable
text, which a scan is, is told; with a recogniser it is read as a picture.
"""

from rag_service.readers.pdf.document import MOST_CHARACTERS, MOST_PAGES, read_pdf

__all__ = ["MOST_CHARACTERS", "MOST_PAGES", "read_pdf"]
