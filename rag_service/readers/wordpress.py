"""A WordPress export (WXR) -> its published posts and pages, each as its HTML with its link."""

import io
import re
from collections.abc import Iterator
from typing import Any

from lxml import etree
from msgspec import Struct

from rag_service.errors import Unreadable
from rag_service.readers.outline import one_line
from rag_service.readers.tags import BLOCK_TAGS

_HEAD = 4096
_WXR = re.compile(rb"<rss\b[^>]*xmlns:wp\s*=|wordpress\.org/export/\d|<wp:wxr_version>", re.I)
_DECLARES = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.I)
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r"))
"""XML may not have them; WordPress does not mind."""
_NAMESPACE = re.compile(r"\{http://wordpress\.org/export/[\d.]+/\}")
_CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
_CREATOR = "{http://purl.org/dc/elements/1.1/}creator"
_KINDS = ("post", "page")

_SHORTCODE = re.compile(
    r"\[/?(?:caption|wp_caption|gallery|audio|video|playlist|embed|contact-form-7|sourcecode|code"
    r"|vc_\w+|et_pb_\w+|fusion_\w+)(?:\s[^\[\]]{0,2000})?/?\]"
    r"|\[/?[a-z][a-z0-9_-]{1,40}(?:\s+[a-z][\w-]{0,40}="
    r"(?:\"[^\"\[\]]{0,500}\"|'[^'\[\]]{0,500}'|[^\s\[\]\"']{1,200})){1,40}\s*/?\]",
    re.I,
)
_ESCAPED = re.compile(r"\[(\[[a-z][^\[\]]{0,500}\])\]", re.I)
_CODE_BEGIN = re.compile(r"\[(?:sourcecode|code)(?:\s[^\[\]]{0,500})?\]", re.I)
_CODE_END = re.compile(r"\[/(?:sourcecode|code)\]", re.I)
_PRE_BEGIN = re.compile(r"<pre\b", re.I)
_PRE_END = re.compile(r"</pre\s*+>", re.I)
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n\s*")
_BLOCK_TAG = re.compile(rf"\s*(?:<!--[^>]*-->\s*)*</?(?:{'|'.join(sorted(BLOCK_TAGS))})\b", re.I)


class Post(Struct, frozen=True, kw_only=True):
    """A published post or page; `metadata` has its type, date, author, categories and tags."""

    link: str
    title: str
    html: str
    metadata: dict[str, Any]


def is_wordpress_export(data: bytes) -> bool:
    """Looks at its beginning only."""
    head = data[:_HEAD].replace(b"\0", b"")
    return b"<" in head[:100] and _WXR.search(head) is not None


def read_posts(data: bytes) -> Iterator[Post]:
    """In order. Drafts, private and locked posts, attachments and menus are left out.

    Raises Unreadable: damaged, cut off, or with declarations of entities, which exports have not.
    """
    plain = data.replace(b"\0", b"")
    if _DECLARES.search(plain, 0, max(plain.find(b"<rss"), 0) or len(plain)):
        raise Unreadable("declares XML entities, which no WordPress export does")
    found = _open(data)
    try:
        for _, item in found:
            post = _post(item)
            item.clear()
            while item.getprevious() is not None:  # what has been read takes no memory
                del item.getparent()[0]
            if post is not None:
                yield post
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


def _post(item: Any) -> Post | None:
    values: dict[str, str] = {}
    terms: dict[str, list[str]] = {"category": [], "post_tag": []}
    for child in item:
        if not isinstance(child.tag, str):
            continue
        text = "".join(child.itertext())
        values[_NAMESPACE.sub("wp:", child.tag)] = text
        if child.tag == "category":
            terms.setdefault(child.get("domain", ""), []).append(one_line(text))
    link, content = values.get("link", "").strip(), values.get(_CONTENT, "")
    is_wanted = values.get("wp:post_type") in _KINDS and values.get("wp:status") == "publish"
    if not is_wanted or not link or not content.strip() or values.get("wp:post_password"):
        return None
    metadata = {
        "type": values["wp:post_type"],
        "date": values.get("wp:post_date_gmt") or values.get("wp:post_date"),
        "author": one_line(values.get(_CREATOR, "")),
        "categories": terms["category"],
        "tags": terms["post_tag"],
    }
    return Post(
        link=link,
        title=one_line(values.get("title", "")),
        html=_html(content),
        metadata={name: value for name, value in metadata.items() if value},
    )


def _html(content: str) -> str:
    """As WordPress would show it: paragraphs where lines are blank, no shortcodes."""
    content = content.replace("\r\n", "\n").replace("\r", "\n")
    content = _CODE_END.sub("</pre>", _CODE_BEGIN.sub("<pre>", content))
    content = _ESCAPED.sub(r"\1", _SHORTCODE.sub("", content))
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
