"""The parts of an Office Open XML package, found by what they are to each other.

Names of parts are free, and so are namespaces: Strict files have others than Transitional ones.
"""

import posixpath
import zipfile
from typing import Any
from urllib.parse import unquote

from lxml import etree
from msgspec import Struct


class Relation(Struct, frozen=True):
    """From a part to another one."""

    kind: str
    """The last piece of its type, such as `worksheet`."""
    part: str


class OfficeParts:
    """Reads a package; `root` is the part that the package is about, such as the workbook."""

    def __init__(self, package: zipfile.ZipFile) -> None:
        self._package = package
        self._names = {name.lower(): name for name in package.namelist()}
        self.root = self.related("", "officeDocument")[0]

    def read(self, part: str) -> bytes:
        """KeyError if the package has no such part."""
        return self._package.read(self._names[part.lower()])

    def tree(self, part: str) -> Any:
        return etree.fromstring(self.read(part), safe_parser())

    def relations(self, part: str) -> dict[str, Relation]:
        """By id; of an external one, or of a part that is not there, nothing."""
        folder, name = posixpath.split(part)
        rels = posixpath.join(folder, "_rels", f"{name}.rels")
        if rels.lower() not in self._names:
            return {}
        found: dict[str, Relation] = {}
        for relation in self.tree(rels).iterfind("{*}Relationship"):
            target = unquote(relation.get("Target", ""))
            path = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
            if relation.get("TargetMode") != "External" and path.lower() in self._names:
                kind = relation.get("Type", "").rpartition("/")[2]
                found[relation.get("Id", "")] = Relation(kind, path)
        return found

    def related(self, part: str, kind: str) -> list[str]:
        """Those of a kind, each once."""
        relations = self.relations(part).values()
        return list(dict.fromkeys(other.part for other in relations if other.kind == kind))


def name_of(element: Any) -> str:
    """Without its namespace; of a comment, nothing."""
    tag = element.tag
    return tag[tag.rfind("}") + 1 :] if isinstance(tag, str) else ""


def relation_id(element: Any, name: str = "id") -> str:
    """What its attribute `r:id` says, in either namespace."""
    for key, value in element.attrib.items():
        if key.endswith(f"/relationships}}{name}"):
            return str(value)
    return ""


def safe_parser() -> etree.XMLParser:
    """Reads what is in the part, and nothing that it refers to."""
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
