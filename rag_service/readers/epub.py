"""EPUB books -> the text of their chapters, in reading order.

The package document names every file of the book, and the spine their order. Lists of contents that
it names are not read, since the chapters say the same.
"""

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator
from html import escape
from typing import Any
from urllib.parse import unquote, urldefrag

from msgspec import Struct
from selectolax.lexbor import LexborHTMLParser, LexborNode

from rag_service.documents import ParsedDocument
from rag_service.errors import Unreadable
from rag_service.readers.encodings import decode
from rag_service.readers.html import write_html
from rag_service.readers.opc import name_of, parse_xml
from rag_service.readers.outline import Outline, one_line
from rag_service.readers.packages import DAMAGED_PART, read_package, refuse_entities
from rag_service.readers.tags import VOID_TAGS, is_hostile

_PACKAGE = "application/oebps-package+xml"
_CHAPTER = re.compile(r"(?:application|text|image)/(?:[\w.-]+\+xml|html|x-oeb1-document)", re.I)
_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_LISTS = ("toc", "landmarks", "page-list", "lot", "loi")
_LONGEST_FALLBACK = 10
_LEADS_OUT = re.compile(r"[a-z][a-z0-9+.-]*:", re.I)
_SELF_CLOSED = re.compile(r"<([A-Za-z][\w.:-]*+)((?:[^<>/]|/(?!>))*+)/>")


def read_epub(data: bytes) -> ParsedDocument:
    """The title is that of the book, or else its first main heading.

    Raises Unreadable: damaged, without text, or protected against copying.
    """
    return read_package(data, _read, kind="EPUB book")


def _read(file: io.BytesIO) -> ParsedDocument:
    book = _Book(file)
    outline = Outline()
    is_locked = False
    for item in book.chapters(outline):
        if item.path in book.encrypted:
            is_locked = True
            outline.leave_out("encrypted chapter", "encrypted chapters", where=item.link)
        elif not _add(book, item, outline):
            outline.leave_out("damaged chapter", "damaged chapters", where=item.link)
    parsed = outline.parsed(book.title or outline.top_heading)
    if is_locked and not parsed.blocks:
        raise Unreadable("is protected against copying (DRM): get a copy without it")
    return parsed


def _add(book: "_Book", item: "_Item", outline: Outline) -> bool:
    """Whether the chapter is whole. Raises Unreadable where it declares entities."""
    try:
        data = book.data(item.path)
    except DAMAGED_PART:
        return False
    refuse_entities(data)
    try:
        _write_chapter(data, outline, is_list=item.is_list)
    except Unreadable:
        return False
    return True


class _Item(Struct, frozen=True, kw_only=True):
    """A file of the book, as its manifest names it."""

    path: str
    """In the archive; empty where it is not there."""
    link: str
    media_type: str
    fallback: str
    is_list: bool
    """Of contents: what it links to is read by itself."""

    @property
    def is_chapter(self) -> bool:
        return _CHAPTER.fullmatch(self.media_type) is not None


class _Book:
    """Raises Unreadable where the package document is missing."""

    def __init__(self, file: io.BytesIO) -> None:
        self._zip = zipfile.ZipFile(file)
        names = self._zip.namelist()
        self._names = {name.lower(): name for name in names} | {name: name for name in names}
        self._path, self.renditions = self._package_path()
        self._package = parse_xml(self.data(self._path))
        self._items = dict(self._manifest())
        self.encrypted = self._encrypted()
        """Paths of files that only a licence opens."""

    def data(self, path: str) -> bytes:
        return self._zip.read(path)

    @property
    def title(self) -> str:
        """Empty when it has none."""
        titles = (one_line("".join(node.itertext())) for node in self._all("title"))
        return next(filter(None, titles), "")

    def chapters(self, outline: Outline) -> Iterator[_Item]:
        """Each once, in reading order; tells what of the book is none."""
        if self.renditions > 1:
            outline.leave_out(
                "other version of the book", "other versions of the book", count=self.renditions - 1
            )
        chapters: dict[str, _Item] = {}
        for link in self._all("itemref"):
            item = self._readable(self._items.get(link.get("idref", "")))
            if item is None or not item.path:
                where = item.link if item else link.get("idref", "")
                outline.leave_out("missing chapter", "missing chapters", where=where)
            elif not item.is_chapter:
                kind = f"of type {item.media_type or 'unknown'}"
                outline.leave_out(f"chapter {kind}", f"chapters {kind}", where=item.link)
            else:
                chapters.setdefault(item.path, item)
        for item in self._items.values():
            is_page = item.is_chapter and not item.media_type.startswith("image/")
            if is_page and item.path and not item.is_list and item.path not in chapters:
                outline.leave_out(
                    "page outside the reading order",
                    "pages outside the reading order",
                    where=item.link,
                )
        yield from chapters.values()

    def _package_path(self) -> tuple[str, int]:
        """Of the first version of the book, and how many there are."""
        found: list[str] = []
        if container := self._names.get(_CONTAINER.lower()):
            found = [
                path
                for root in _named(parse_xml(self.data(container)), "rootfile")
                if root.get("media-type", _PACKAGE) == _PACKAGE
                and (path := self._inside("", root.get("full-path", "")))
            ]
        found = found or [name for name in self._zip.namelist() if name.lower().endswith(".opf")]
        if not found:
            raise Unreadable("is an EPUB book that lacks its package document: save it again")
        return found[0], len(found)

    def _manifest(self) -> Iterator[tuple[str, _Item]]:
        lists = {
            self._inside(self._path, reference.get("href", ""))
            for reference in self._all("reference")
            if reference.get("type", "").lower() in _LISTS and "#" not in reference.get("href", "")
        }
        for node in self._all("item"):
            link = node.get("href", "")
            path = self._inside(self._path, link)
            item = _Item(
                path=path,
                link=link,
                media_type=node.get("media-type", "").strip().lower(),
                fallback=node.get("fallback", ""),
                is_list="nav" in node.get("properties", "").split()
                or (path != "" and path in lists),
            )
            yield node.get("id", ""), item

    def _readable(self, item: _Item | None) -> _Item | None:
        """Itself, or the first of what stands in for it that is text."""
        found = item
        for _ in range(_LONGEST_FALLBACK):
            if found is None or (found.is_chapter and found.path):
                break
            found = self._items.get(found.fallback)
        return found or item

    def _encrypted(self) -> frozenset[str]:
        name = self._names.get(_ENCRYPTION.lower())
        if name is None:
            return frozenset()
        links = _named(parse_xml(self.data(name)), "CipherReference")
        return frozenset(self._inside("", link.get("URI", "")) for link in links)

    def _all(self, name: str) -> Iterator[Any]:
        return _named(self._package, name)

    def _inside(self, base: str, link: str) -> str:
        """The name of the file that a link in `base` leads to; empty where it is not there."""
        path = unquote(urldefrag(link)[0])
        target = posixpath.normpath(posixpath.join("/", posixpath.dirname(base), path)).lstrip("/")
        return self._names.get(target) or self._names.get(target.lower(), "")


def _named(root: Any, name: str) -> Iterator[Any]:
    """Whatever its namespace: the versions of the format have several."""
    return (node for node in root.iter() if name_of(node) == name)


def _write_chapter(data: bytes, outline: Outline, *, is_list: bool) -> None:
    source = _as_html(decode(data)) if data.strip() else ""
    root = None if is_hostile(source) else LexborHTMLParser(source).root
    if root is None:
        write_html(source, outline)
        return
    for navigation in reversed(root.css("nav")):  # what is in another one is let go first
        kinds = (navigation.attributes.get("epub:type") or "").split()
        if any(kind in _LISTS for kind in kinds):
            _leave_list(navigation, outline)
    if is_list:
        for link in reversed(root.css("a[href]")):
            if not _LEADS_OUT.match(link.attributes.get("href") or ""):
                _leave_list(link, outline)
    pictures = sum(map(_is_silent, root.css("img, image")))
    if pictures:
        outline.leave_out("picture", "pictures", count=pictures)
    write_html(root.html or "", outline)


def _leave_list(node: LexborNode, outline: Outline) -> None:
    """Its words are those of the headings that it leads to."""
    words = len(node.text(separator=" ").split())
    node.decompose()
    if words:
        name = "of the list of contents"
        outline.leave_out(f"word {name}", f"words {name}", count=words, is_loss=False)


def _is_silent(picture: LexborNode) -> bool:
    return not (picture.attributes.get("alt") or "").strip()


def _as_html(source: str) -> str:
    """XHTML as a reader of HTML takes it: `<title/>` would have all that follows in it."""
    return _SELF_CLOSED.sub(_opened_and_closed, _without_cdata(source))


def _opened_and_closed(tag: re.Match[str]) -> str:
    name, attributes = tag.groups()
    return tag[0] if name.lower() in VOID_TAGS else f"<{name}{attributes}></{name}>"


def _without_cdata(source: str) -> str:
    begin, *rest = source.split("<![CDATA[")
    parts = [begin]
    for piece in rest:
        text, end, after = piece.partition("]]>")
        parts.append(escape(text) + after if end else text)
    return "".join(parts)
