"""Lines as they stand on pages -> what their author wrote.

In come the lines of each page with their places (`PageLine`), in any order; out comes a document
of headings, paragraphs, lists and tables (`read_pages`). What a page shows by size, weight,
indents and gaps is turned back into structure. Nothing here knows PDF: a recogniser of text gives
such lines too.
"""

from rag_service.readers.layout.page_line import PageLine
from rag_service.readers.layout.pages import read_pages

__all__ = ["PageLine", "read_pages"]
