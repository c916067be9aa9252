"""A WordPress export (WXR) -> its published entries, each as its HTML with its link."""

import io
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from lxml import etree
from msgspec import Struct

from rag_service.documents import LeftOut
from rag_service.errors import Unreadable
from rag_service.readers.editor_blocks import dynamic_blocks, with_reused
from rag_service.readers.outline import one_line
from rag_service.readers.shortcodes import without_shortcodes
from rag_service.readers.tags import BLOCK_TAGS

_HEAD = 4096
_WXR = re.compile(rb"<rss\b[^>]*xmlns:wp\s*=|wordpress\.org/export/\d|<wp:wxr_version>", re.I)
_DECLARES = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.I)
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r"))
"""XML may not have them; WordPress does not mind."""
_EXPORT = re.compile(r"\{https?://wordpress\.org/export/[\d.]+/?\}")
_CONTENT = re.compile(r"\{https?://purl\.org/rss/1\.0/modules/content/?\}")
_EXCERPT = re.compile(r"\{https?://wordpress\.org/export/[\d.]+/excerpt/?\}")
_CREATOR = re.compile(r"\{https?://purl\.org/dc/elements/1\.1/?\}")
_INTERNAL = frozenset(
    """revision nav_menu_item custom_css customize_changeset oembed_cache user_request wp_block
    wp_template wp_template_part wp_global_styles wp_navigation wp_font_family wp_font_face
    acf-field acf-field-group acf-post-type acf-taxonomy wpcf7_contact_form elementor_library
    et_pb_layout wp-types-group""".split()  # noqa: SIM905
)
"""Types that WordPress and its builders keep for themselves: no visitor sees such an entry."""

_CODE_BEGIN = re.compile(r"\[(?:sourcecode|code)(?:\s[^\[\]]{0,500})?\]", re.I)
_CODE_END = re.compile(r"\[/(?:sourcecode|code)\]", re.I)
_PRE_BEGIN = re.compile(r"<pre\b", re.I)
_PRE_END = re.compile(r"</pre\s*+>", re.I)
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n\s*")
_BLOCK_TAG = re.compile(rf"\s*(?:<!--[^>]*-->\s*)*</?(?:{'|'.join(sorted(BLOCK_TAGS))})\b", re.I)


class Post(Struct, frozen=True, kw_only=True):
    """A published entry; `metadata` has its type, date, author, categories and tags."""

    link: str
    title: str
    html: str
    metadata: dict[str, Any]


def is_wordpress_export(data: bytes) -> bool:
    """Looks at its beginning only."""
    head = data[:_HEAD].replace(b"\0", b"")
    return b"<" in head[:100] and _WXR.search(head) is not None


class Export:
    """The entries of an export, of all types that visitors see, or of these `types` alone."""

    def __init__(self, data: bytes, types: Collection[str] | None = None) -> None:
        self._data = data
        self._types = types
        self._left_out: Counter[tuple[str, str]] = Counter()

    @property
    def left_out(self) -> list[LeftOut]:
        """What `posts` has not given, as far as it has been read."""
        return [
            LeftOut(one=one, many=many, count=count)
            for (one, many), count in self._left_out.items()
        ]

    def posts(self) -> Iterator[Post]:
        """In order. Drafts, private and locked entries, and media files are left out.

        Raises Unreadable: damaged, cut off, or with declarations of entities, which exports have
        not.
        """
        plain = self._data.replace(b"\0", b"")
        if _DECLARES.search(plain, 0, max(plain.find(b"<rss"), 0) or len(plain)):
            raise Unreadable("declares XML entities, which no WordPress export does")
        kept = _kept(self._data) if b"wp:block" in plain or b"[gallery" in plain else _Kept()
        for entry in _entries(self._data):
            if self._is_wanted(entry):
                yield _post(entry, kept)

    def _is_wanted(self, entry: "_Entry") -> bool:
        if entry.type in _INTERNAL:
            return False
        told = self._why_not(entry)
        if told is not None:
            self._left_out[told] += 1
        return told is None

    def _why_not(self, entry: "_Entry") -> tuple[str, str] | None:
        """What to tell of an entry that is not given, in the singular and the plural."""
        kind = entry.type or "unknown"
        if kind == "attachment":
            return "media file", "media files"
        if self._types is not None and kind not in self._types:
            return f"entry of type {kind}", f"entries of type {kind}"
        if entry.status != "publish":
            status = entry.status or "no"
            return f"{kind} with status {status}", f"entries of type {kind} with status {status}"
        if entry.locked:
            return f"{kind} with a password", f"entries of type {kind} with a password"
        if not entry.link or not entry.content.strip():
            return f"{kind} without content", f"entries of type {kind} without content"
        return None


class _Entry(Struct, frozen=True, kw_only=True):
    id: str
    type: str
    status: str
    locked: bool
    link: str
    title: str
    content: str
    excerpt: str
    date: str
    author: str
    categories: list[str]
    tags: list[str]


class _Kept(Struct, frozen=True, kw_only=True):
    """What entries refer to by the ids of others."""

    blocks: dict[str, str] = {}
    captions: dict[str, str] = {}


def _kept(data: bytes) -> _Kept:
    kept = _Kept()
    for entry in _entries(data):
        if entry.type == "wp_block":
            kept.blocks[entry.id] = entry.content
        elif entry.type == "attachment" and entry.excerpt.strip():
            kept.captions[entry.id] = one_line(entry.excerpt)
    return kept


def _entries(data: bytes) -> Iterator[_Entry]:
    found = _open(data)
    try:
        for _, item in found:
            yield _entry(item)
            item.clear()
            while item.getprevious() is not None:  # what has been read takes no memory
                del item.getparent()[0]
    except etree.XMLSyntaxError as error:
        raise Unreadable(f"is a damaged WordPress export: {error}") from error
    for fault in found.error_log:
        if fault.domain != etree.ErrorDomains.NAMESPACE:  # plugins forget to declare theirs
            raise Unreadable(f"is a damaged or truncated WordPress export: {fault.message}")


def _open(data: bytes) -> Any:
    if b"\0" not in data:  # which UTF-16 has
        data = data.translate(None, _CONTROLS)
    return etree.iterparse(
        io.BytesIO(data),
        events=("end",),
        tag="item",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=True,
        recover=True,
    )


def _entry(item: Any) -> _Entry:
    values: dict[str, str] = {}
    terms: dict[str, list[str]] = {"category": [], "post_tag": []}
    for child in item:
        if not isinstance(child.tag, str):
            continue
        text = "".join(child.itertext())
        values[_named(child.tag)] = text
        if child.tag == "category":
            terms.setdefault(child.get("domain", ""), []).append(one_line(text))
    return _Entry(
        id=values.get("wp:post_id", "").strip(),
        type=values.get("wp:post_type", "").strip(),
        status=values.get("wp:status", "").strip(),
        locked=bool(values.get("wp:post_password", "").strip()),
        link=values.get("link", "").strip(),
        title=one_line(values.get("title", "")),
        content=values.get("content:encoded", ""),
        excerpt=values.get("excerpt:encoded", ""),
        date=values.get("wp:post_date_gmt") or values.get("wp:post_date") or "",
        author=one_line(values.get("dc:creator", "")),
        categories=terms["category"],
        tags=terms["post_tag"],
    )


def _named(tag: str) -> str:
    """By the usual prefix, whatever version of a namespace it is of."""
    for pattern, prefix in (
        (_EXCERPT, "excerpt:"),
        (_EXPORT, "wp:"),
        (_CONTENT, "content:"),
        (_CREATOR, "dc:"),
    ):
        if found := pattern.match(tag):
            return prefix + tag[found.end() :]
    return tag


def _post(entry: _Entry, kept: _Kept) -> Post:
    metadata = {
        "type": entry.type,
        "date": entry.date,
        "author": entry.author,
        "categories": entry.categories,
        "tags": entry.tags,
    }
    return Post(
        link=entry.link,
        title=entry.title,
        html=_html(with_reused(entry.content, kept.blocks), kept.captions),
        metadata={name: value for name, value in metadata.items() if value},
    )


def _html(content: str, captions: Mapping[str, str]) -> str:
    """As WordPress would show it: paragraphs where lines are blank, no shortcodes."""
    content = content.replace("\r\n", "\n").replace("\r", "\n")
    content = _CODE_END.sub("</pre>", _CODE_BEGIN.sub("<pre>", content))
    content = without_shortcodes(dynamic_blocks(content), captions)
    if "<!-- wp:" in content:  # made of blocks, which have their paragraphs
        return content
    parts: list[str] = []
    at = 0
    while at < len(content):
        begin = _PRE_BEGIN.search(content, at)
        start = begin.start() if begin else len(content)
        parts += map(_paragraph, _BLANK_LINE.split(content[at:start]))
        ended = _PRE_END.search(content, start)
        at = ended.end() if ended else len(content)
        parts.append(content[start:at])
    return "\n".join(filter(None, parts))


def _paragraph(text: str) -> str:
    if not text.strip() or _BLOCK_TAG.match(text):
        return text
    return f"<p>{text.strip().replace(chr(10), '<br>')}</p>"
