"""Files of several parts, made in code: books, OpenDocument, mailboxes, exports; and a picture."""

import io
import zipfile
from collections.abc import Callable
from functools import partial

from made_files import ITEMS, PARAGRAPHS, TITLE, mail, page
from PIL import Image


def mailbox() -> bytes:
    """Of two mails, the second with an attachment."""
    attachment = (
        b"Subject: List\nFrom: a@x.test\nMIME-Version: 1.0\n"
        b"Content-Type: multipart/mixed; boundary=x\n\n--x\n\nSee the list.\n"
        b"--x\nContent-Disposition: attachment; filename=list.csv\n\na,b\n1,2\n--x--\n"
    )
    separator = b"From a@x.test Mon Jan  1 10:00:00 2024\n"
    return b"".join(separator + one + b"\n" for one in (mail(), attachment))


def export() -> bytes:
    """Of WordPress, with an entry for each paragraph."""
    entries = "".join(
        f"<item><title>{TITLE} {n}</title><link>https://x.test/{n}</link>"
        f"<content:encoded><![CDATA[<p>{text}</p>]]></content:encoded>"
        "<wp:post_type>page</wp:post_type><wp:status>publish</wp:status></item>"
        for n, text in enumerate(PARAGRAPHS)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" '
        'xmlns:content="http://purl.org/rss/1.0/modules/content/" '
        'xmlns:wp="http://wordpress.org/export/1.2/"><channel>'
        f"<wp:wxr_version>1.2</wp:wxr_version>{entries}</channel></rss>"
    ).encode()


def rich_text() -> bytes:
    """RTF, with a table."""
    items = "".join(rf"\pard {{\pntext -\tab}}{item}\par" for item in ITEMS)
    text = r"\par ".join(text.encode("ascii", "ignore").decode() for text in PARAGRAPHS)
    cells = r"\trowd\cellx1000\cellx2000 \intbl B01\cell Lindau\cell\row"
    head = rf"{{\rtf1\ansi{{\fonttbl{{\f0 Arial;}}}}{{\b {TITLE}}}\par "
    return rf"{head}{text}\par {items}{cells}}}".encode()


def picture() -> bytes:
    """A small PNG without text, so that nothing of it has to be recognised."""
    file = io.BytesIO()
    Image.new("RGB", (60, 40), "white").save(file, "PNG", dpi=(200, 200))
    return file.getvalue()


def book() -> bytes:
    """An EPUB of two chapters that say the same."""
    items = "".join(
        f"<item id='{name}' href='{name}.xhtml' media-type='application/xhtml+xml'/>"
        for name in "ab"
    )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("mimetype", "application/epub+zip")
        package.writestr(
            "META-INF/container.xml",
            "<container><rootfiles><rootfile full-path='book.opf'/></rootfiles></container>",
        )
        package.writestr(
            "book.opf",
            f"<package><manifest>{items}</manifest><spine><itemref idref='a'/>"
            "<itemref idref='b'/></spine></package>",
        )
        package.writestr("a.xhtml", page())
        package.writestr("b.xhtml", page())
    return file.getvalue()


def open_document(kind: str) -> bytes:
    kinds = {"odt": "text", "ods": "spreadsheet", "odp": "presentation"}
    cells = "".join(f"<table:table-cell><text:p>{n}</text:p></table:table-cell>" for n in "abc")
    row = f"<table:table-row>{cells}</table:table-row>"
    table = f"<table:table table:name='Fees'>{row * 3}</table:table>"
    bodies = {
        "odt": f"<text:h text:outline-level='1'>Rules</text:h><text:p>Of boats.</text:p>{table}",
        "ods": table,
        "odp": "<draw:page draw:name='One'><draw:frame><draw:text-box><text:p>Boats</text:p>"
        "</draw:text-box></draw:frame></draw:page>",
    }
    urns = {"office": "office", "text": "text", "table": "table", "draw": "drawing"}
    names = "".join(
        f" xmlns:{name}='urn:oasis:names:tc:opendocument:xmlns:{urn}:1.0'"
        for name, urn in urns.items()
    )
    body = f"<office:{kinds[kind]}>{bodies[kind]}</office:{kinds[kind]}>"
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("mimetype", f"application/vnd.oasis.opendocument.{kinds[kind]}")
        package.writestr("META-INF/manifest.xml", "<manifest/>")
        package.writestr(
            "content.xml",
            f"<office:document-content{names}><office:body>{body}</office:body>"
            "</office:document-content>",
        )
    return file.getvalue()


COLLECTIONS: dict[str, Callable[[], bytes]] = {
    ".epub": book,
    ".mbox": mailbox,
    ".xml": export,
    ".rtf": rich_text,
    ".png": picture,
    **{f".{kind}": partial(open_document, kind) for kind in ("odt", "ods", "odp")},
}
"""By the ending of a file's name."""
