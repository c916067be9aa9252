"""EPUB books: every chapter is read once, in order, and what is not read is told."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from office_parts import zipped
from promises import blocks, read_file, read_or_refuse, refusal

from rag_service.readers.formats import BY_EXTENSION

CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/>'
    "</rootfiles></container>"
)
XHTML = "application/xhtml+xml"


def page(body: str, head: str = "<title/>") -> str:
    return (
        '<?xml version="1.0"?>\n<!DOCTYPE html>\n<html xmlns="http://www.w3.org/1999/xhtml" '
        f'xmlns:epub="http://www.idpf.org/2007/ops"><head>{head}</head><body>{body}</body></html>'
    )


def item(link: str, more: str = "", kind: str = XHTML) -> str:
    """Its id is its link."""
    return f'<item id="{link}" href="{link}" media-type="{kind}" {more}/>'


def package(items: str, spine: list[str], *, title: str = "Harbour rules", guide: str = "") -> str:
    order = "".join(f'<itemref idref="{link}"/>' for link in spine)
    return (
        '<package xmlns="http://www.idpf.org/2007/opf"><metadata '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title> {title}\n</dc:title></metadata>'
        f"<manifest>{items}</manifest><spine>{order}</spine><guide>{guide}</guide></package>"
    )


def epub(opf: str, files: dict[str, str | bytes], *, mimetype: bool = True) -> bytes:
    """`files` lie beside the package document."""
    parts: dict[str, str | bytes] = {"mimetype": "application/epub+zip"} if mimetype else {}
    parts |= {"META-INF/container.xml": CONTAINER, "OEBPS/book.opf": opf}
    return zipped(parts | {f"OEBPS/{name}": content for name, content in files.items()})


def book(**chapters: str) -> bytes:
    """Its chapters in this order."""
    links = [f"{name}.xhtml" for name in chapters]
    files: dict[str, str | bytes] = {
        link: page(body) for link, body in zip(links, chapters.values(), strict=True)
    }
    return epub(package("".join(map(item, links)), links), files)


def told(data: bytes) -> list[str]:
    return [kind.sentence for kind in read_file(data).left_out]


def test_chapters_are_read_in_the_order_of_the_spine_below_their_headings() -> None:
    items = item("a.xhtml") + item("b.xhtml")
    files: dict[str, str | bytes] = {
        "a.xhtml": page("<h1>Fees</h1><p>Owners pay in March.</p>"),
        "b.xhtml": page("<h1>Berths</h1><p>By length.</p><h2>Guests</h2><p>Two nights.</p>"),
    }
    parsed = read_file(epub(package(items, ["b.xhtml", "a.xhtml", "b.xhtml"]), files), "epub")
    assert parsed.title == "Harbour rules"
    assert blocks(parsed) == [
        ("heading", ("Berths",), "Berths"),
        ("paragraph", ("Berths",), "By length."),
        ("heading", ("Berths", "Guests"), "Guests"),
        ("paragraph", ("Berths", "Guests"), "Two nights."),
        ("heading", ("Fees",), "Fees"),
        ("paragraph", ("Fees",), "Owners pay in March."),
    ]
    assert parsed.left_out == []


@pytest.mark.parametrize("mimetype", [True, False])
def test_a_book_is_known_by_its_name_and_by_its_content(mimetype: bool) -> None:
    assert BY_EXTENSION[".epub"].name == "epub"
    opf = package(item("a.xhtml"), ["a.xhtml"])
    data = epub(opf, {"a.xhtml": page("<p>Hello.</p>")}, mimetype=mimetype)
    assert read_file(data).text == "Hello."
    assert "is no docx file but a epub file" in refusal(data, "docx")
    assert "is no epub file" in refusal(b"Hello.", "epub")


def test_no_part_of_a_page_is_taken_for_boilerplate_of_a_site() -> None:
    body = (
        "<header><p>Part one</p></header><nav><a href='#a'>See fees</a></nav>"
        "<aside epub:type='footnote'><p>1. By law.</p></aside><footer><p>The end</p></footer>"
    )
    assert read_file(book(a=body)).text == "Part one\n\nSee fees\n\n1. By law.\n\nThe end"


def test_elements_that_close_themselves_swallow_nothing() -> None:
    head = '<title/><script src="a.js"/><style/>'
    body = "<p>One<br/>two<a id='x'/> three</p><textarea/><div/><iframe src='x'/><p>Four.</p>"
    data = epub(package(item("a.xhtml"), ["a.xhtml"]), {"a.xhtml": page(body, head)})
    assert read_file(data).text == "One\ntwo three\n\nFour."


def test_entities_and_sections_of_characters_are_text() -> None:
    body = "<p>Caf&eacute;&nbsp;at <![CDATA[a < b & c]]>, <![CDATA[open</p>"
    assert read_file(book(a=body)).text.startswith("Café at a < b & c,")


def test_a_page_in_another_encoding_is_read_as_it_declares() -> None:
    for encoding in ("utf-16", "iso-8859-1"):
        text = page("<p>Größe</p>").replace("?>", f' encoding="{encoding}"?>', 1)
        opf = package(item("a.xhtml"), ["a.xhtml"])
        assert read_file(epub(opf, {"a.xhtml": text.encode(encoding)})).text == "Größe"


def test_the_list_of_contents_is_not_read_beside_the_chapters() -> None:
    contents = "<h1>Contents</h1><nav epub:type='toc'><ol><li><a href='a.xhtml'>Fees</a></li></ol>"
    items = item("nav.xhtml", 'properties="nav"') + item("a.xhtml")
    files: dict[str, str | bytes] = {
        "nav.xhtml": page(f"{contents}<nav epub:type='landmarks'>Start</nav></nav>"),
        "a.xhtml": page("<h1>Fees</h1><p>In March.</p>"),
    }
    in_order = epub(package(items, ["nav.xhtml", "a.xhtml"]), files)
    assert read_file(in_order).text == "Contents\n\nFees\n\nIn March."
    assert told(in_order) == ["2 words of the list of contents"]
    assert read_file(in_order).left_out[0].is_loss is False
    apart = epub(package(items, ["a.xhtml"]), files)
    assert read_file(apart).text == "Fees\n\nIn March."
    assert told(apart) == []


def test_of_a_list_of_contents_in_the_guide_what_is_no_link_is_read() -> None:
    items = item("toc.xhtml") + item("a.xhtml")
    guide = '<reference type="toc" href="toc.xhtml"/><reference type="toc" href="a.xhtml#x"/>'
    files: dict[str, str | bytes] = {
        "toc.xhtml": page(
            "<p>Read slowly.</p><p><a href='a.xhtml'>Fees</a></p>"
            "<p><a href='https://harbour.example/'>Our site</a></p>"
        ),
        "a.xhtml": page("<p>See <a href='#x'>below</a>.</p>"),
    }
    data = epub(package(items, ["toc.xhtml", "a.xhtml"], guide=guide), files)
    assert read_file(data).text == "Read slowly.\n\nOur site\n\nSee below."


def test_pictures_without_words_are_told_and_words_of_others_are_read() -> None:
    body = "<p>A.</p><img src='a.png'/><img src='b.png' alt='A map'/><svg><image href='c'/></svg>"
    data = book(a=body, b="<img src='d.png' alt=''/>")
    assert read_file(data).text == "A.\n\nA map"
    assert told(data) == ["3 pictures"]


def test_chapters_that_are_missing_or_of_another_kind_are_told() -> None:
    items = (
        item("a.xhtml")
        + item("gone.xhtml")
        + item("scan.pdf", kind="application/pdf")
        + item("book.pdf", 'fallback="a.xhtml"', kind="application/pdf")
        + item("more.xhtml")
        + item("style.css", kind="text/css")
    )
    spine = ["gone.xhtml", "unknown", "scan.pdf", "book.pdf"]
    files: dict[str, str | bytes] = {
        "a.xhtml": page("<p>Instead.</p>"),
        "scan.pdf": b"%PDF-1.4",
        "book.pdf": b"%PDF-1.4",
        "more.xhtml": page("<p>Answers.</p>"),
    }
    data = epub(package(items, spine), files)
    assert read_file(data).text == "Instead."
    assert told(data) == [
        "2 missing chapters (gone.xhtml, unknown)",
        "1 chapter of type application/pdf (scan.pdf)",
        "1 page outside the reading order (more.xhtml)",
    ]


def test_links_are_found_however_they_are_written() -> None:
    items = item("Text/a%20b.xhtml") + item("../c.xhtml") + item("text/D.XHTML")
    spine = ["Text/a%20b.xhtml", "../c.xhtml", "text/D.XHTML"]
    parts = {
        "META-INF/container.xml": CONTAINER,
        "OEBPS/book.opf": package(items, spine),
        "OEBPS/Text/a b.xhtml": page("<p>A.</p>"),
        "c.xhtml": page("<p>C.</p>"),
        "OEBPS/Text/d.xhtml": page("<p>D.</p>"),
    }
    assert read_file(zipped(dict(parts))).text == "A.\n\nC.\n\nD."


def locked(*links: str) -> str:
    data = "".join(
        "<e:EncryptedData xmlns:e='http://www.w3.org/2001/04/xmlenc#'><e:CipherData>"
        f"<e:CipherReference URI='OEBPS/{link}'/></e:CipherData></e:EncryptedData>"
        for link in links
    )
    return f"<encryption>{data}</encryption>"


def test_a_book_that_is_protected_against_copying_is_refused_and_parts_of_one_are_told() -> None:
    opf = package(item("a.xhtml") + item("b.xhtml"), ["a.xhtml", "b.xhtml"])
    files: dict[str, str | bytes] = {"a.xhtml": b"\x07\xf2\x80" * 99, "b.xhtml": page("<p>B.</p>")}
    sample = epub(opf, files | {"../META-INF/encryption.xml": ""})
    assert read_file(_with(sample, locked("font.otf"))).text == "B."
    assert told(_with(sample, locked("a.xhtml"))) == ["1 encrypted chapter (a.xhtml)"]
    assert "(DRM)" in refusal(_with(sample, locked("a.xhtml", "b.xhtml")))


def _with(data: bytes, encryption: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        kept = {name: parts.read(name) for name in parts.namelist() if ".." not in name}
    return zipped(dict(kept) | {"META-INF/encryption.xml": encryption})


def test_a_chapter_that_is_no_text_is_told() -> None:
    opf = package(item("a.xhtml") + item("b.xhtml"), ["a.xhtml", "b.xhtml"])
    data = epub(opf, {"a.xhtml": b"\x07\xf2\x80\0\1" * 99, "b.xhtml": page("<p>B.</p>")})
    assert told(data) == ["1 damaged chapter (a.xhtml)"]


def test_another_version_of_the_book_is_told() -> None:
    root = '<rootfile full-path="OEBPS/b.opf" media-type="application/oebps-package+xml"/>'
    parts = {
        "META-INF/container.xml": CONTAINER.replace("</rootfiles>", f"{root}</rootfiles>"),
        "OEBPS/book.opf": package(item("a.xhtml"), ["a.xhtml"], title=""),
        "OEBPS/b.opf": package(item("a.xhtml"), ["a.xhtml"]),
        "OEBPS/a.xhtml": page("<h1>Hello</h1>"),
    }
    assert told(zipped(dict(parts))) == ["1 other version of the book"]
    assert read_file(zipped(dict(parts))).title == "Hello"


def test_a_book_that_cannot_be_read_is_refused_with_the_reason() -> None:
    container = {"mimetype": "application/epub+zip"}
    assert "lacks its package document" in refusal(zipped(dict(container)))
    assert "holds no text" in refusal(epub(package("", []), {}))
    assert "damaged EPUB book" in refusal(epub("<package", {}))


ENTITY = "<!DOCTYPE html [<!ENTITY a 'b'>]>"


@pytest.mark.parametrize("part", ["a.xhtml", "book.opf"])
def test_a_book_that_declares_entities_where_it_is_read_is_refused(part: str) -> None:
    parts = {"a.xhtml": page("<p>Hello.</p>"), "book.opf": package(item("a.xhtml"), ["a.xhtml"])}
    files: dict[str, str | bytes] = parts | {part: ENTITY + parts[part]}
    opf = str(files.pop("book.opf"))
    assert "declares XML entities" in refusal(epub(opf, files))


@pytest.mark.parametrize("name", ["cover.svg", "toc.ncx", "unused.xhtml"])
def test_what_is_not_read_of_a_book_may_declare_entities(name: str) -> None:
    files: dict[str, str | bytes] = {"a.xhtml": page("<p>Hello.</p>"), name: f"{ENTITY}<a/>"}
    assert read_file(epub(package(item("a.xhtml"), ["a.xhtml"]), files)).text == "Hello."


def test_a_damaged_chapter_costs_itself() -> None:
    files: dict[str, str | bytes] = {"a.xhtml": page("<p>One</p>"), "b.xhtml": page("<p>Two</p>")}
    data = epub(package(item("a.xhtml") + item("b.xhtml"), ["a.xhtml", "b.xhtml"]), files)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        start = archive.getinfo("OEBPS/a.xhtml").header_offset + len("OEBPS/a.xhtml") + 30
    torn = data[:start] + bytes(8) + data[start + 8 :]
    assert read_file(torn).text == "Two"
    assert told(torn) == ["1 damaged chapter (a.xhtml)"]


def test_a_page_that_no_parser_can_nest_keeps_its_text() -> None:
    assert "Deep" in read_file(book(a="<div>" * 20_000 + "<p>Deep.</p>")).text


WHOLE = book(a="<h1>One</h1><p>Two</p><img src='a'/>", b="<nav epub:type='toc'>x</nav>")


@given(st.integers(0, len(WHOLE)), st.binary(max_size=8), st.booleans())
def test_damaged_books_are_read_or_refused(at: int, noise: bytes, cut: bool) -> None:
    read_or_refuse(WHOLE[:at] + noise + (b"" if cut else WHOLE[at + len(noise) :]), "epub")


@given(
    st.lists(
        st.sampled_from(("<a", "/>", "<br/", "<![CDATA[", "]]>", "</p>", "x", "<nav")), max_size=40
    )
)
def test_no_page_keeps_a_book_from_being_read(pieces: list[str]) -> None:
    assert "The end" in read_file(book(a="".join(pieces), b="<p>The end</p>")).text
