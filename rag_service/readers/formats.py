"""The formats that can be read: one table for recognition, readers, upload, command line and docs.

A new format is a row here, its name in `documents.Format`, and a reader.
"""

import re
from collections.abc import Callable
from importlib import import_module
from typing import Any, Literal

from msgspec import Struct

from rag_service.documents import Format, ParsedDocument

_CONTENT_TYPES = "[Content_Types].xml"
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument."


class FileFormat(Struct, frozen=True, kw_only=True):
    """What a file of a format is called, how it is recognised, and who reads it."""

    name: Format
    label: str
    """What people call it."""
    extensions: tuple[str, ...]
    """Lower case, the usual one first."""
    reader: str
    """`module:function` below this package, imported when the first file of the format comes."""
    takes: Literal["text", "bytes"] = "text"
    """What its reader is given."""
    is_binary: bool = False
    """It cannot be pushed as text."""
    magic: re.Pattern[bytes] | None = None
    """Matches the beginning of the file, where that tells."""
    parts: tuple[str, ...] = ()
    """What names of parts of the zip archive begin with: one with each tells the format."""
    media_type: str = ""
    """What the archive's part `mimetype` begins with."""
    may_be_silent: bool = False
    """A file without text is whole: it is read as an empty document."""

    def read(self, content: Any) -> ParsedDocument:
        """Of text or bytes, as it `takes`. Raises Unreadable."""
        module, _, function = self.reader.partition(":")
        reader: Callable[[Any], ParsedDocument] = getattr(
            import_module(f"rag_service.readers.{module}"), function
        )
        return reader(content)


FORMATS = (
    FileFormat(
        name="markdown",
        label="Markdown",
        extensions=(".md", ".markdown"),
        reader="markdown:read_markdown",
    ),
    FileFormat(name="text", label="text", extensions=(".txt",), reader="text:read_text"),
    FileFormat(
        name="html", label="HTML", extensions=(".html", ".htm", ".xhtml"), reader="html:read_html"
    ),
    FileFormat(
        name="pdf",
        label="PDF",
        extensions=(".pdf",),
        reader="scans:read_pdf",
        takes="bytes",
        is_binary=True,
    ),
    FileFormat(
        name="docx",
        label="DOCX",
        extensions=(".docx", ".docm", ".dotx", ".dotm"),
        reader="docx:read_docx",
        takes="bytes",
        is_binary=True,
        parts=(_CONTENT_TYPES, "word/"),
    ),
    FileFormat(
        name="pptx",
        label="PPTX",
        extensions=(".pptx", ".pptm", ".ppsx", ".ppsm", ".potx", ".potm"),
        reader="pptx:read_pptx",
        takes="bytes",
        is_binary=True,
        parts=(_CONTENT_TYPES, "ppt/"),
    ),
    FileFormat(
        name="xlsx",
        label="XLSX",
        extensions=(".xlsx", ".xlsm", ".xltx"),
        reader="xlsx:read_xlsx",
        takes="bytes",
        is_binary=True,
        parts=(_CONTENT_TYPES, "xl/"),
    ),
    FileFormat(
        name="ods",
        label="ODS",
        extensions=(".ods", ".ots"),
        reader="ods:read_ods",
        takes="bytes",
        is_binary=True,
        media_type=f"{_OPEN_DOCUMENT}spreadsheet",
    ),
    FileFormat(
        name="odt",
        label="ODT",
        extensions=(".odt", ".ott"),
        reader="odt:read_odt",
        takes="bytes",
        is_binary=True,
        media_type=f"{_OPEN_DOCUMENT}text",
    ),
    FileFormat(
        name="odp",
        label="ODP",
        extensions=(".odp", ".otp"),
        reader="odp:read_odp",
        takes="bytes",
        is_binary=True,
        media_type=f"{_OPEN_DOCUMENT}presentation",
    ),
    FileFormat(name="csv", label="CSV", extensions=(".csv", ".tsv"), reader="csv:read_csv"),
    FileFormat(
        name="json", label="JSON", extensions=(".json", ".geojson"), reader="json:read_json"
    ),
    FileFormat(
        name="eml", label="EML", extensions=(".eml",), reader="email:read_email", takes="bytes"
    ),
    FileFormat(
        name="rtf",
        label="RTF",
        extensions=(".rtf",),
        reader="rtf:read_rtf",
        takes="bytes",
        magic=re.compile(rb"\{\\rtf"),
    ),
    FileFormat(
        name="epub",
        label="EPUB",
        extensions=(".epub",),
        reader="epub:read_epub",
        takes="bytes",
        is_binary=True,
        parts=("META-INF/container.xml",),
        media_type="application/epub",
    ),
    FileFormat(
        name="picture",
        label="pictures (PNG, JPEG, TIFF, WebP, BMP, GIF)",
        extensions=(".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".gif"),
        reader="scans:read_picture",
        takes="bytes",
        is_binary=True,
        magic=re.compile(
            rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|GIF8[79]a|II[*+]\0|MM\0[*+]|RIFF.{4}WEBP"
            rb"|BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0",  # a bitmap's header has these lengths
            re.S,
        ),
        may_be_silent=True,
    ),
)
WORDPRESS = ".xml"
"""A WordPress export, of which each entry is a document of its own."""
MAILBOX = ".mbox"
"""A mailbox, of which each mail is one."""

BY_NAME = {one.name: one for one in FORMATS}
BY_EXTENSION = {extension: one for one in FORMATS for extension in one.extensions}
EXTENSIONS = (*BY_EXTENSION, WORDPRESS, MAILBOX)
PICTURES = BY_NAME["picture"].extensions
BINARY = frozenset(one.name for one in FORMATS if one.is_binary)
LABELS = ", ".join(one.label for one in FORMATS)
