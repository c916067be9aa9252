"""The words of a file, found without our readers: what stands in its parts, in passages.

PDFium's raw text of a page, the text nodes of a web page, the elements of a package's XML, the
decoded parts of a mail. Where a reader may leave something out, its passage has a kind.
"""

import csv
import io
import json
import mailbox
import re
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, NamedTuple

import lxml.html
import pypdfium2
from lxml import etree

_EDGE = 0.12
"""Of a page's height, at its top and at its bottom: running heads stand there, bodies seldom."""
_MENUS = frozenset(["nav", "header", "footer", "aside", "menu", "button", "form", "select"])
_BOXES = frozenset(["div", "section", "ul", "ol", "p"])
_INLINE = frozenset(
    [
        "a",
        "abbr",
        "b",
        "bdi",
        "bdo",
        "cite",
        "code",
        "data",
        "del",
        "dfn",
        "em",
        "font",
        "i",
        "ins",
        "kbd",
        "mark",
        "q",
        "s",
        "samp",
        "small",
        "span",
        "strong",
        "sub",
        "sup",
        "time",
        "tt",
        "u",
        "var",
        "wbr",
    ]
)
_NO_TEXT = frozenset(["script", "style", "head", "template", "noscript", "svg", "iframe"])
_MENU_ROLES = frozenset(["navigation", "banner", "contentinfo", "menu", "menubar", "search"])
_SHORTCODE = re.compile(r"\[/?[a-zA-Z][\w-]*(?:\s[^\]]*)?/?\]")
_LINK_TARGET = re.compile(r"\]\([^)]*\)|^\[[^\]]+\]:.*$|<[^>]+>|^```.*$", re.M)
_EMPTY_ITEM = re.compile(r"^\s*\d+[.)][ \t]*$", re.M)
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)


class Passage(NamedTuple):
    """Some text of a file. Of a kind ("page edge", "hidden"), it may be left out and told."""

    text: str
    kind: str = ""
    where: str = ""
    """As `LeftOut.where` names it, such as "page 3"; blank where readers name no place."""
    counts: int = 1
    """How many of the things told it stands for; 0 where a count is of something else."""


def pdf(data: bytes) -> Iterator[Passage]:
    """A word that is broken over two pages is one, on the second of them."""
    broken = ""
    for passage in _pages(data):
        text = f"{broken}{passage.text}"
        broken = text if text.rstrip().endswith("-") else ""
        if not broken:
            yield passage._replace(text=text)
    yield Passage(broken)


def _pages(data: bytes) -> Iterator[Passage]:
    document = pypdfium2.PdfDocument(data)
    try:
        for number, page in enumerate(document, 1):
            text_page = page.get_textpage()
            yield from _page(page, text_page, f"page {number}")
            text_page.close()
            page.close()
    finally:
        document.close()


def _page(page: Any, text_page: Any, where: str) -> Iterator[Passage]:
    """A line at an edge is a passage; the rest of the page is one."""
    left, bottom, right, top = page.get_mediabox()
    sideways = page.get_rotation() in (90, 270)
    width, height = (right - left) * _EDGE, (top - bottom) * _EDGE
    body: list[str] = []
    for line in re.split(r"(?<![-\ufffe\x02\r])(?:\r\n?|\n)", text_page.get_text_range()):
        body.append(line)
    edges = (
        [(left, bottom, left + width, top), (right - width, bottom, right, top)]
        if sideways
        else [(left, bottom, right, bottom + height), (left, top - height, right, top)]
    )
    at_edges = "\n".join(text_page.get_text_bounded(*edge) for edge in edges)
    edge_lines = {line.strip() for line in at_edges.splitlines() if line.strip()}
    for line in body:
        yield Passage(line, "page edge" if line.strip() in edge_lines else "", where)


def html(data: bytes) -> Iterator[Passage]:
    parser = lxml.html.HTMLParser(encoding=_declared(data))
    yield from _html_tree(lxml.html.document_fromstring(data, parser=parser))


def _declared(data: bytes) -> str:
    """As the web reads labels; UTF-8 where the bytes are that."""
    try:
        data.decode()
        return "utf-8"
    except UnicodeDecodeError:
        return "windows-1252"


def _html_text(text: str) -> Iterator[Passage]:
    if text.strip():
        yield from _html_tree(lxml.html.document_fromstring(f"<div>{text}</div>"))


def _html_tree(tree: Any) -> Iterator[Passage]:
    """A passage is what stands between two blocks: `<b>BY</b>-Lizenz` is one word."""
    run: list[str] = []
    kinds = [""]
    walk = etree.iterwalk(tree, events=("start", "end", "comment", "pi"))
    for event, element in walk:
        is_element = isinstance(element.tag, str)
        kind = _html_kind(element) if event == "start" else ""
        parts = is_element and (element.tag not in _INLINE or kind not in ("", kinds[-1]))
        if parts or (event == "end" and len(kinds) > 1 and kinds[-1] != kinds[-2]):
            yield Passage("".join(run), kinds[-1], counts=0)
            run.clear()
        if event == "start":
            kinds.append(kind or kinds[-1])
            if element.tag in _NO_TEXT or _is_hidden(element):
                walk.skip_subtree()
            else:
                run.append(element.text or "")
            continue
        if event == "end":
            kinds.pop()
        run.append((element.tail or "") if element is not tree else "")
    yield Passage("".join(run), kinds[-1], counts=0)


def _html_kind(element: Any) -> str:
    """A menu by its element or its role; or a box of which most is links."""
    if element.tag in _MENUS or element.get("role") in _MENU_ROLES:
        return "boilerplate"
    if element.tag not in _BOXES:
        return ""
    linked = sum(len("".join(link.itertext())) for link in element.iter("a"))
    return "boilerplate" if linked > len("".join(element.itertext())) * 2 / 3 else ""


def _is_hidden(element: Any) -> bool:
    attributes = element.attrib
    style = attributes.get("style", "")
    return "hidden" in attributes or _HIDDEN_STYLE.search(style) is not None


def docx(data: bytes) -> Iterator[Passage]:
    for name, root in _parts(data, r"word/(document|header|footer|footnotes|endnotes|comments)"):
        kind = {"h": "head or foot", "c": "comment"}.get(name.rsplit("/", 1)[1][0], "")
        kind = "head or foot" if "/footer" in name else kind
        for paragraph in root.iter("{*}p"):
            yield Passage("".join(_runs(paragraph)), kind, counts=0)


def _runs(paragraph: Any) -> Iterator[str]:
    """The text of the paragraph itself: a text box within it has paragraphs of its own."""
    pending = [paragraph]
    while pending:
        element = pending.pop()
        name = etree.QName(element).localname if isinstance(element.tag, str) else ""
        if name in ("t", "delText"):
            yield (element.text or "") if name == "t" else ""
        elif name in ("tab", "br", "cr"):
            yield " "
        elif name in ("del", "moveFrom", "Fallback", "rt", "") or _vanishes(element):
            continue
        pending += [c for c in reversed(element) if c.tag != paragraph.tag]


def _vanishes(element: Any) -> bool:
    vanish = element.find("{*}rPr/{*}vanish")
    return vanish is not None and not any(v in ("0", "false") for v in vanish.attrib.values())


def pptx(data: bytes) -> Iterator[Passage]:
    for _, root in _parts(data, r"ppt/(slides/slide|notesSlides/notesSlide|diagrams/data)"):
        if root.get("show") == "0":
            continue
        for paragraph in root.iter("{*}p"):
            if paragraph.find("{*}fld") is None:
                yield Passage("".join(t.text or "" for t in paragraph.iter("{*}t")))
    for _, root in _parts(data, r"ppt/charts/chart"):
        # every series repeats the categories, which the chart shows once
        categories = [tuple(c.itertext("{*}v")) for c in root.iter("{*}cat")]
        for again in [
            c for n, c in enumerate(root.iter("{*}cat")) if categories[n] in categories[:n]
        ]:
            again.getparent().remove(again)
        for value in root.iter("{*}v", "{*}t"):
            yield Passage(value.text or "", "chart", counts=0)


def xlsx(data: bytes) -> Iterator[Passage]:
    """Texts and plain numbers. A number with a format shows as something else."""
    shared = [
        "".join(text.text or "" for text in item.iter("{*}t") if "rPh" not in text.getparent().tag)
        for _, root in _parts(data, "xl/sharedStrings")
        for item in root.iter("{*}si")
    ]
    for _, root in _parts(data, "xl/workbook"):
        for sheet in root.iter("{*}sheet"):
            is_hidden = sheet.get("state", "visible") != "visible"
            yield Passage(sheet.get("name", ""), "hidden" if is_hidden else "")
    for _, root in _parts(data, "xl/worksheets/sheet"):
        hidden = _hidden_columns(root)
        for row in root.iter("{*}row"):
            for cell in row.iter("{*}c"):
                column = re.sub(r"\d", "", cell.get("r", ""))
                out_of_sight = row.get("hidden") in ("1", "true") or column in hidden
                yield Passage(_cell(cell, shared), "hidden" if out_of_sight else "", counts=0)


def _hidden_columns(root: Any) -> set[str]:
    from openpyxl.utils import get_column_letter

    return {
        get_column_letter(number)
        for column in root.iter("{*}col")
        if column.get("hidden") in ("1", "true")
        for number in range(int(column.get("min")), min(int(column.get("max")), 500) + 1)
    }


def _cell(cell: Any, shared: list[str]) -> str:
    value = cell.findtext("{*}v") or ""
    match cell.get("t", "n"):
        case "s":
            return shared[int(value)]
        case "inlineStr":
            return "".join(text.text or "" for text in cell.iter("{*}t"))
        case "str":
            return value
        case "n" if cell.get("s", "0") == "0" and value.isdigit():
            return value
    return ""


def opendocument(data: bytes) -> Iterator[Passage]:
    for _, root in _parts(data, "content"):
        for gone in [*root.iter("{*}tracked-changes"), *root.iter("{*}annotation")]:
            gone.getparent().remove(gone)
        for paragraph in root.iter("{*}p", "{*}h"):
            spaced = " ".join(paragraph.itertext())
            yield Passage("".join(paragraph.itertext()) if len(paragraph) == 0 else spaced)


def epub(data: bytes) -> Iterator[Passage]:
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        for name in package.namelist():
            if (
                name.endswith((".xhtml", ".html", ".htm"))
                and "nav" not in name
                and "toc" not in name
            ):
                yield from html(package.read(name))


def eml(data: bytes) -> Iterator[Passage]:
    message = message_from_bytes(data, policy=policy.default)
    assert isinstance(message, EmailMessage)
    yield Passage(str(message.get("subject", "")))
    yield from _mail_part(message)


def _mail_part(part: Any) -> Iterator[Passage]:
    kind = part.get_content_type()
    if kind == "multipart/alternative":
        versions = [list(_mail_part(version)) for version in part.iter_parts()]
        yield from max(versions, key=lambda found: sum(len(p.text.split()) for p in found))
    elif part.is_multipart():
        for inner in part.iter_parts() if hasattr(part, "iter_parts") else part.get_payload():
            yield from _mail_part(inner)
    elif part.get_content_disposition() == "attachment":
        yield Passage(part.get_filename() or "")
    elif kind == "text/html":
        yield from html(_decoded(part).encode())
    elif part.get_content_maintype() == "text":
        yield Passage(_decoded(part))


def _decoded(part: Any) -> str:
    data = part.get_payload(decode=True) or b""
    return data.decode("utf-8" if _declared(data) == "utf-8" else "windows-1252", "ignore")


def mbox(data: bytes) -> Iterator[Passage]:
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        for message in mailbox.mbox(file.name):
            yield from eml(message.as_bytes())


def wordpress(data: bytes) -> Iterator[Passage]:
    for item in etree.fromstring(data, etree.XMLParser(recover=True)).iter("item"):
        if (
            item.findtext("{*}status") != "publish"
            or item.findtext("{*}post_type") == "nav_menu_item"
        ):
            continue
        yield Passage(item.findtext("title") or "")
        for content in item.iter("{*}encoded"):
            if "content" in content.tag:
                yield from _html_text(_SHORTCODE.sub(" ", content.text or ""))


def json_values(data: bytes) -> Iterator[Passage]:
    pending: list[Any] = [json.loads(data.decode("utf-8-sig"))]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            pending += value.values()
        elif isinstance(value, list):
            pending += value
        elif isinstance(value, str | int):
            yield Passage("" if isinstance(value, bool) else str(value))


def csv_cells(data: bytes) -> Iterator[Passage]:
    """Words alone: neither delimiters nor quotes are in any."""
    for row in csv.reader(io.StringIO(_readable(data)), quoting=csv.QUOTE_NONE):
        yield Passage(" ".join(row))


def text(data: bytes) -> Iterator[Passage]:
    yield Passage(_readable(data))


def markdown(data: bytes) -> Iterator[Passage]:
    """Without targets of links, and without the numbers of empty items."""
    yield Passage(_EMPTY_ITEM.sub("", _LINK_TARGET.sub("] ", _readable(data))))


def _readable(data: bytes) -> str:
    """UTF-8, with or without a mark; of other text the words in plain ASCII, which all share."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return re.sub(r"\S*[^\x00-\x7f]\S*", " ", data.decode("latin-1"))


def _parts(data: bytes, names: str) -> Iterator[tuple[str, Any]]:
    """The XML parts of a package whose names begin so, in the order of their names."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        for name in sorted(package.namelist()):
            if re.match(names + r"\d*\.xml$", name):
                yield name, etree.fromstring(package.read(name))


SOURCES: dict[str, Callable[[bytes], Iterator[Passage]]] = {
    ".pdf": pdf,
    ".html": html,
    ".htm": html,
    ".docx": docx,
    ".pptx": pptx,
    ".xlsx": xlsx,
    ".odt": opendocument,
    ".ods": opendocument,
    ".odp": opendocument,
    ".epub": epub,
    ".eml": eml,
    ".mbox": mbox,
    ".xml": wordpress,
    ".json": json_values,
    ".csv": csv_cells,
    ".tsv": csv_cells,
    ".txt": text,
    ".md": markdown,
}
"""By the ending of a file's name."""
