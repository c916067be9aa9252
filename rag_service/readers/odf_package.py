"""The parts of an OpenDocument file, and the namespaces of its elements."""

import io
import posixpath
import zipfile
from typing import Any

from rag_service.errors import Unreadable
from rag_service.readers.opc import parse_xml
from rag_service.readers.outline import one_line

_ODF = "urn:oasis:names:tc:opendocument:xmlns"
OFFICE = f"{{{_ODF}:office:1.0}}"
TEXT = f"{{{_ODF}:text:1.0}}"
TABLE = f"{{{_ODF}:table:1.0}}"
DRAW = f"{{{_ODF}:drawing:1.0}}"
STYLE = f"{{{_ODF}:style:1.0}}"
SVG = f"{{{_ODF}:svg-compatible:1.0}}"
CHART = f"{{{_ODF}:chart:1.0}}"
PRESENTATION = f"{{{_ODF}:presentation:1.0}}"
XLINK = "{http://www.w3.org/1999/xlink}"
LO = "{urn:org:documentfoundation:names:experimental:office:xmlns:loext:1.0}"

_TITLE = ".//{http://purl.org/dc/elements/1.1/}title"
_ENCRYPTION = f".//{{{_ODF}:manifest:1.0}}encryption-data"


class OdfPackage:
    """Raises Unreadable when the file is protected by a password."""

    def __init__(self, file: io.BytesIO) -> None:
        self._zip = zipfile.ZipFile(file)
        self._names = frozenset(self._zip.namelist())
        manifest = self.xml("META-INF/manifest.xml")
        if manifest is not None and manifest.find(_ENCRYPTION) is not None:
            raise Unreadable("is protected by a password: save it without one")

    def xml(self, name: str) -> Any:
        """The root of a part; None when there is no such part. Raises LxmlError."""
        return parse_xml(self._zip.read(name)) if name in self._names else None

    def content_of(self, link: str) -> Any:
        """The root of an embedded object's content, by the link to its folder."""
        return self.xml(posixpath.normpath(posixpath.join(link, "content.xml")))

    @property
    def title(self) -> str:
        meta = self.xml("meta.xml")
        return one_line(meta.findtext(_TITLE) or "") if meta is not None else ""
