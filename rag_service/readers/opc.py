"""The parts of an Office file (Open Packaging Conventions), found by their relationships.

A part may have any name: only the relationships say what it is. Strict files (ISO 29500) use other
namespaces for the same elements; they are read as if they were transitional ones.
"""

import io
import posixpath
import re
import zipfile
from typing import Any
from urllib.parse import unquote

from lxml import etree

from rag_service.errors import Unreadable
from rag_service.readers.outline import one_line
from rag_service.readers.packages import refuse_entities

_FORMATS = "http://schemas.openxmlformats.org"
W = f"{{{_FORMATS}/wordprocessingml/2006/main}}"
A = f"{{{_FORMATS}/drawingml/2006/main}}"
P = f"{{{_FORMATS}/presentationml/2006/main}}"
C = f"{{{_FORMATS}/drawingml/2006/chart}}"
DGM = f"{{{_FORMATS}/drawingml/2006/diagram}}"
R = f"{{{_FORMATS}/officeDocument/2006/relationships}}"
M = f"{{{_FORMATS}/officeDocument/2006/math}}"
MC = f"{{{_FORMATS}/markup-compatibility/2006}}"
W14 = "{http://schemas.microsoft.com/office/word/2010/wordml}"
CX = "{http://schemas.microsoft.com/office/drawing/2014/chartex}"

_RELATIONSHIPS = f"{{{_FORMATS}/package/2006/relationships}}"
_TYPES = f"{{{_FORMATS}/package/2006/content-types}}"
_TITLE = "{http://purl.org/dc/elements/1.1/}title"

_STRICT = re.compile(rb"http://purl\.oclc\.org/ooxml/([A-Za-z]+)/([A-Za-z]+)")
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")


def parse_xml(data: bytes) -> Any:
    """The root element. Nothing is fetched. Raises LxmlError, and Unreadable where it declares
    entities."""
    refuse_entities(data)
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = _DECLARATION.sub("", data.decode("utf-16")).encode()
    if b"purl.oclc.org/ooxml" in data:
        data = _STRICT.sub(rb"http://schemas.openxmlformats.org/\1/2006/\2", data)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=False, remove_comments=True,
        remove_pis=True,
    )  # fmt: skip
    return etree.fromstring(data, parser)


class OfficePackage:
    """Reads parts by name; the name of the package itself is the empty string."""

    def __init__(self, file: io.BytesIO) -> None:
        self._zip = zipfile.ZipFile(file)
        self._names = {name.lower(): name for name in self._zip.namelist()}
        self._relations: dict[str, dict[str, tuple[str, str]]] = {}
        main = self.related("", "officeDocument")
        if not main:
            raise Unreadable("is an office file that lacks parts: open it and save it again")
        self.main = main[0]
        """The name of the document, the presentation or the workbook."""

    def related(self, part: str, kind: str) -> list[str]:
        """Names of the parts that `part` has a relationship of this kind with, in their order."""
        return [name for type, name in self._related(part).values() if type == kind]

    def target(self, part: str, relation_id: str | None) -> str | None:
        """The name of the part that a relationship leads to; None when there is none in here."""
        found = self._related(part).get(relation_id or "")
        return found[1] if found else None

    def kind(self, part: str, relation_id: str) -> str:
        """What a relationship is, such as `worksheet`; empty when there is none in here."""
        return self._related(part).get(relation_id, ("", ""))[0]

    def xml(self, part: str) -> Any:
        """Raises LxmlError when the part is no XML."""
        return parse_xml(self.data(part))

    def data(self, part: str) -> bytes:
        return self._zip.read(self._names[part.lower()])

    def content_type(self, part: str) -> str:
        """What the file says that the part is; empty when it does not say."""
        if "[content_types].xml" not in self._names:
            return ""
        types = self.xml("[Content_Types].xml")
        for override in types.iter(f"{_TYPES}Override"):
            if override.get("PartName", "").lstrip("/").lower() == part.lower():
                return str(override.get("ContentType", ""))
        extension = posixpath.splitext(part)[1].lstrip(".").lower()
        for default in types.iter(f"{_TYPES}Default"):
            if default.get("Extension", "").lower() == extension:
                return str(default.get("ContentType", ""))
        return ""

    @property
    def title(self) -> str:
        """The title among the properties of the file; empty when it has none."""
        for part in self.related("", "core-properties"):
            return one_line(self.xml(part).findtext(_TITLE) or "")
        return ""

    def _related(self, part: str) -> dict[str, tuple[str, str]]:
        if part not in self._relations:
            self._relations[part] = dict(self._read_relations(part))
        return self._relations[part]

    def _read_relations(self, part: str) -> list[tuple[str, tuple[str, str]]]:
        folder, name = posixpath.split(part)
        source = self._names.get(posixpath.join(folder, "_rels", f"{name}.rels").lower())
        if source is None:
            return []
        found = []
        for relation in self.xml(source).iter(f"{_RELATIONSHIPS}Relationship"):
            if relation.get("TargetMode") == "External":
                continue
            path = unquote(relation.get("Target", "")).replace("\\", "/")
            target = posixpath.normpath(posixpath.join("/", folder, path)).lstrip("/")
            if target.lower() in self._names:
                kind = relation.get("Type", "").rpartition("/")[2]
                found.append((relation.get("Id", ""), (kind, target)))
        return found


def name_of(element: Any) -> str:
    """Without its namespace; of a comment, nothing."""
    tag = element.tag
    return tag[tag.rfind("}") + 1 :] if isinstance(tag, str) else ""


def visible_branch(alternate: Any) -> Any:
    """The branch of `mc:AlternateContent` that today's Office shows; None when it has none."""
    choice = alternate.find(f"{MC}Choice")
    return choice if choice is not None else alternate.find(f"{MC}Fallback")


def is_on(element: Any, attribute: str) -> bool:
    """Whether a switch is there and not switched off."""
    return element is not None and element.get(attribute, "1") not in ("0", "false", "off", "none")
