"""DOCX, PPTX and XLSX: what is read, and the packages that are refused before they are parsed."""

import datetime
import io
import random
import zipfile

import docx
import openpyxl
import pptx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from files import docx as word
from files import saved, xlsx
from hypothesis import given
from hypothesis import strategies as st
from pptx.util import Inches
from promises import blocks, read_file, read_or_refuse, refusal

from rag_service.documents import Format
from rag_service.readers import packages

_MORNING = datetime.datetime.fromisoformat("2024-05-06T07:08")


def slides() -> bytes:
    deck = pptx.Presentation()
    for title, points in (("Fees", ["Late books", "Lost books"]), ("Hours", ["Nine to five"])):
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text_frame.text = "\n".join(points)
    slide.notes_slide.notes_text_frame.text = "Ask about Sundays."
    table = slide.shapes.add_table(2, 2, Inches(1), Inches(3), Inches(4), Inches(1)).table
    for row, column, text in ((0, 0, "Day"), (0, 1, "From"), (1, 0, "Monday"), (1, 1, "9:00")):
        table.cell(row, column).text = text
    group = slide.shapes.add_group_shape()
    box = group.shapes.add_textbox(Inches(1), Inches(5), Inches(2), Inches(1))
    box.text_frame.text = "In a group"
    return saved(deck)


WHOLE: dict[Format, bytes] = {"docx": word("One.", "Two."), "pptx": slides(), "xlsx": xlsx([[1]])}


# -- Word -----------------------------------------------------------------------------------------


def test_a_word_document_is_read_in_order() -> None:
    document = docx.Document()
    document.add_paragraph("The Guide", "Title")
    document.add_heading("Fees", 1)
    document.add_paragraph("Late books cost.")
    document.add_heading("Films", 2)
    for style, text in (("List Bullet", "new"), ("List Bullet 2", "newer"), ("List Number", "old")):
        document.add_paragraph(text, style)
    document.add_heading("Hours", 1)
    document.add_paragraph("A\tB\nC")
    parsed = read_file(saved(document), "docx")
    assert parsed.title == "The Guide"
    films = ("Fees", "Films")
    assert blocks(parsed) == [
        ("paragraph", (), "The Guide"),
        ("heading", ("Fees",), "Fees"),
        ("paragraph", ("Fees",), "Late books cost."),
        ("heading", films, "Films"),
        ("list", films, "- new\n- newer\n1. old"),
        ("heading", ("Hours",), "Hours"),
        ("paragraph", ("Hours",), "A\tB\nC"),
    ]


def test_merged_cells_are_in_each_of_their_rows_and_columns() -> None:
    document = docx.Document()
    table = document.add_table(3, 3)
    for number, cell in enumerate(cell for row in table.rows for cell in row.cells):
        cell.text = str(number)
    table.cell(0, 0).merge(table.cell(0, 1)).text = "wide"
    table.cell(1, 2).merge(table.cell(2, 2)).text = "high"
    text = read_file(saved(document), "docx").text
    assert text == "wide | wide | 2\n3 | 4 | high\n6 | 7 | high"


def test_changes_are_accepted_and_comments_boxes_and_notes_are_what_they_are() -> None:
    document = docx.Document()
    paragraph = document.add_paragraph("Kept")
    run = (
        f'<w:ins {nsdecls("w")}><w:r><w:t xml:space="preserve"> added</w:t></w:r></w:ins>',
        f"<w:del {nsdecls('w')}><w:r><w:delText>gone</w:delText></w:r></w:del>",
        f"<w:moveFrom {nsdecls('w')}><w:r><w:t>moved</w:t></w:r></w:moveFrom>",
        f'<w:r {nsdecls("w")}><w:pict><v:shape xmlns:v="urn:schemas-microsoft-com:vml">'
        "<v:textbox><w:txbxContent><w:p><w:r><w:t>boxed</w:t></w:r></w:p></w:txbxContent>"
        "</v:textbox></v:shape></w:pict></w:r>",
    )
    for xml in run:
        paragraph._p.append(parse_xml(xml))
    document.add_comment(paragraph.runs[0], text="nobody's business", author="a", initials="a")
    control = (
        f"<w:sdt {nsdecls('w')}><w:sdtContent><w:p><w:r><w:t>controlled</w:t></w:r></w:p>"
        "</w:sdtContent></w:sdt>"
    )
    document.element.body.insert(1, parse_xml(control))
    assert read_file(saved(document), "docx").text == "Kept added\n\nboxed\n\ncontrolled"


def test_a_table_of_contents_is_left_out() -> None:
    document = docx.Document()
    contents = document.styles.add_style("toc 1", docx.enum.style.WD_STYLE_TYPE.PARAGRAPH)
    document.add_paragraph("Fees ..... 3", contents)
    document.add_paragraph("Text.")
    assert read_file(saved(document), "docx").text == "Text."


# -- PowerPoint and Excel -------------------------------------------------------------------------


def test_a_slide_is_a_page_under_its_title() -> None:
    parsed = read_file(slides(), "pptx")
    assert [(b.page, b.headings) for b in parsed.blocks if b.kind == "heading"] == [
        (1, ("Fees",)),
        (2, ("Hours",)),
    ]
    assert [
        (b.page, block[0], block[2]) for b, block in zip(parsed.blocks, blocks(parsed), strict=True)
    ] == [
        (1, "heading", "Fees"),
        (1, "list", "- Late books\n- Lost books"),
        (2, "heading", "Hours"),
        (2, "paragraph", "Nine to five"),
        (2, "table", "Day | From\nMonday | 9:00"),
        (2, "paragraph", "In a group"),
        (2, "paragraph", "Ask about Sundays."),
    ]


def test_a_workbook_is_its_visible_sheets() -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = "Prices"
    sheet.append(["Item", "Price", "Since", "Sold"])
    sheet.append(["Bell", 12.5, datetime.date(2024, 5, 6), True])
    sheet.append([])
    sheet.append([None, 0.1 + 0.2, _MORNING, "two\nlines"])
    workbook.create_sheet("Empty")
    hidden = workbook.create_sheet("Hidden")
    hidden.append(["secret"])
    hidden.sheet_state = "hidden"
    parsed = read_file(saved(workbook), "xlsx")
    assert blocks(parsed) == [
        ("heading", ("Prices",), "Prices"),
        (
            "table",
            ("Prices",),
            "Item | Price | Since | Sold\nBell | 12.5 | 2024-05-06 | TRUE\n"
            "| 0.3 | 2024-05-06 7:08:00 | two lines",
        ),
        ("heading", ("Empty",), "Empty"),
    ]


# -- what is refused ------------------------------------------------------------------------------


def with_part(data: bytes, name: str, content: bytes) -> bytes:
    """The same package with a part more, or another in its place."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for part in old.namelist():
            if part != name:
                new.writestr(part, old.read(part))
        new.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize("format", WHOLE)
def test_a_package_that_unpacks_to_too_much_is_never_parsed(format: Format) -> None:
    for bomb in (bytes(packages.MOST_XML_BYTES + 1), b"<" * (packages.MOST_XML_BYTES + 1)):
        assert "unpacks to more" in refusal(with_part(WHOLE[format], "bomb.bin", bomb), format)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("name", ["bomb.xml", "bomb.bin", "bomb"])
@pytest.mark.parametrize("format", WHOLE)
def test_a_package_that_declares_entities_is_never_parsed(
    format: Format, name: str, encoding: str
) -> None:
    bomb = '\n<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>'.encode(encoding)
    assert "entities" in refusal(with_part(WHOLE[format], name, bomb), format)


@pytest.mark.parametrize("format", WHOLE)
def test_a_drawing_may_declare_the_entities_that_drawing_programs_write(format: Format) -> None:
    drawing = b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY ns "http://a.example/">]><svg/>'
    data = with_part(WHOLE[format], "media/image1.svg", drawing)
    assert read_file(data, format).text == read_file(WHOLE[format], format).text


def test_a_document_type_without_declarations_is_read() -> None:
    manifest = b'<!DOCTYPE manifest:manifest PUBLIC "-//OpenOffice.org//DTD" "Manifest.dtd"><a/>'
    data = with_part(WHOLE["docx"], "META-INF/manifest.xml", manifest)
    assert read_file(data, "docx").text == read_file(WHOLE["docx"], "docx").text


@pytest.mark.parametrize("format", WHOLE)
def test_what_is_no_office_file_is_refused_with_the_reason(format: Format) -> None:
    whole = WHOLE[format]
    assert "damaged or truncated" in refusal(whole[: len(whole) // 2], format)
    assert "plain text" in refusal(b"Just text.", format)
    assert "is empty" in refusal(b"", format)
    other: Format = "xlsx" if format != "xlsx" else "docx"
    assert f"is no {other} file but a {format} file" in refusal(whole, other)
    assert "zip archive" in refusal(with_part(b"PK\5\6" + bytes(18), "a.txt", b"a"), format)
    locked = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le")
    assert "password" in refusal(locked, format)
    assert "old office program" in refusal(locked[:8] + bytes(99), format)


def test_an_office_file_without_text_is_refused() -> None:
    assert refusal(word(""), "docx") == "holds no text"
    assert refusal(saved(pptx.Presentation()), "pptx") == "holds no text"


@given(st.sampled_from(sorted(WHOLE)), st.integers(0, 2**32))
def test_damaged_parts_are_read_or_refused(format: Format, seed: int) -> None:
    chance = random.Random(seed)
    with zipfile.ZipFile(io.BytesIO(WHOLE[format])) as package:
        name = chance.choice([n for n in package.namelist() if n.endswith((".xml", ".rels"))])
        part = bytearray(package.read(name))
    if chance.random() < 0.5:
        part = part[: chance.randrange(len(part))]
    for _ in range(chance.randrange(10)):
        if part:
            part[chance.randrange(len(part))] = chance.randrange(256)
    read_or_refuse(with_part(WHOLE[format], name, bytes(part)), format)


@given(st.sampled_from(sorted(WHOLE)), st.integers(0, 2**32))
def test_damaged_packages_are_read_or_refused(format: Format, seed: int) -> None:
    chance = random.Random(seed)
    data = bytearray(WHOLE[format])
    for _ in range(1 + chance.randrange(20)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    read_or_refuse(bytes(data), format)
