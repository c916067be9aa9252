"""Word documents: what a reader of the page sees is in the text, or it is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from office_parts import SPACES, item, office, paragraph, word
from promises import blocks, read_file

from rag_service.documents import ParsedDocument
from rag_service.readers.numerals import in_format, roman


def told(parsed: ParsedDocument) -> list[str]:
    return [left.sentence for left in parsed.left_out]


def level(depth: int, text: str, format: str = "decimal", more: str = "") -> str:
    return (
        f'<w:lvl w:ilvl="{depth}"><w:start w:val="1"/><w:numFmt w:val="{format}"/>'
        f'<w:lvlText w:val="{text}"/>{more}</w:lvl>'
    )


def look(*levels: str, id: int = 1) -> str:
    return f'<w:abstractNum w:abstractNumId="{id}">{"".join(levels)}</w:abstractNum>'


def number(id: int, look: int = 1, more: str = "") -> str:
    return f'<w:num w:numId="{id}"><w:abstractNumId w:val="{look}"/>{more}</w:num>'


def text_of(body: str, numbering: str = "", styles: str = "") -> str:
    return read_file(word(body, numbering=numbering, styles=styles), "docx").text


# -- numbers --------------------------------------------------------------------------------------


def test_items_have_the_numbers_of_their_list() -> None:
    numbering = look(
        level(0, "§ %1", "upperRoman"), level(1, "%1.%2)", "decimal", "<w:isLgl/>"),
        level(2, "(%3)", "lowerLetter"),
    ) + number(1)  # fmt: skip
    body = "".join(
        item(text, depth)
        for depth, text in ((0, "A"), (1, "B"), (2, "C"), (2, "D"), (1, "E"), (2, "F"), (0, "G"))
    )
    lines = [line.strip() for line in text_of(body, numbering).split("\n")]
    assert lines == ["§ I A", "1.1) B", "(a) C", "(b) D", "1.2) E", "(a) F", "§ II G"]


def test_lists_of_one_look_count_on_unless_one_says_where_it_starts() -> None:
    start = '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="7"/></w:lvlOverride>'
    numbering = look(level(0, "%1.")) + number(1) + number(2) + number(3, more=start)
    body = item("a", 0, 1) + paragraph("Between.") + item("b", 0, 2) + item("c", 0, 3)
    assert text_of(body, numbering) == "1. a\n\nBetween.\n\n2. b\n7. c"


def test_a_level_may_go_on_below_a_new_item() -> None:
    numbering = (
        look(level(0, "%1."), level(1, "N %2:", more='<w:lvlRestart w:val="0"/>')) + number(1)
    )  # fmt: skip
    body = item("a") + item("b", 1) + item("c") + item("d", 1)
    assert [line.strip() for line in text_of(body, numbering).split("\n")][3] == "N 2: d"


def test_headings_take_the_number_that_their_style_is_linked_to() -> None:
    styles = "".join(
        f'<w:style w:type="paragraph" w:styleId="S{depth}"><w:name w:val="heading {depth}"/>'
        '<w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr></w:style>'
        for depth in (1, 2)
    )
    numbering = look(
        level(0, "Chapter %1:", more='<w:pStyle w:val="S1"/>'),
        level(1, "%1.%2", more='<w:pStyle w:val="S2"/>'),
    ) + number(1)  # fmt: skip
    body = "".join(
        paragraph(text, f'<w:pStyle w:val="S{depth}"/>')
        for depth, text in ((1, "Scope"), (2, "Due"), (1, "Rent"), (2, "Late"))
    )
    headings = [headings[-1] for _, headings, _ in blocks(read_file(
        word(body, numbering=numbering, styles=styles), "docx"
    ))]  # fmt: skip
    assert headings == ["Chapter 1: Scope", "1.1 Due", "Chapter 2: Rent", "2.1 Late"]


def test_a_deleted_item_is_not_counted_and_an_empty_one_is() -> None:
    numbering = look(level(0, "%1.")) + number(1)
    gone = (
        '<w:p><w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr><w:rPr><w:del/>'
        "</w:rPr></w:pPr><w:del><w:r><w:delText>x</w:delText></w:r></w:del></w:p>"
    )
    assert text_of(item("a") + gone + item("") + item("b"), numbering) == "1. a\n3. b"


@pytest.mark.parametrize(
    ("number", "format", "shown"),
    [
        (28, "lowerLetter", "bb"), (4, "upperRoman", "IV"), (3, "decimalZero", "03"),
        (22, "ordinal", "22nd"), (12, "decimalEnclosedCircle", "⑫"),
        (23, "chineseCounting", "二十三"),
        (2, "russianUpper", "Б"), (5, "unheardOf", "5"), (0, "lowerLetter", "0"),
    ],
)  # fmt: skip
def test_numbers_are_shown_in_their_format(number: int, format: str, shown: str) -> None:
    assert in_format(number, format) == shown


@given(st.integers(1, 4_999))
def test_roman_numerals_add_up_to_their_number(number: int) -> None:
    values = [
        dict(zip("mdclxvi", (1000, 500, 100, 50, 10, 5, 1), strict=True))[c] for c in roman(number)
    ]
    following = [*values[1:], 0]
    assert number == sum(-a if a < b else a for a, b in zip(values, following, strict=True))


# -- equations and symbols ------------------------------------------------------------------------


def run(text: str) -> str:
    return f"<m:r><m:t>{text}</m:t></m:r>"


@pytest.mark.parametrize(
    ("equation", "shown"),
    [
        (f"<m:f><m:num>{run('a+b')}</m:num><m:den>{run('2')}</m:den></m:f>", "(a+b)/2"),
        (f"<m:sSup><m:e>{run('x')}</m:e><m:sup>{run('2')}</m:sup></m:sSup>", "x^2"),
        (f"<m:sSub><m:e>{run('P')}</m:e><m:sub>{run('out')}</m:sub></m:sSub>", "P_out"),
        (f'<m:rad><m:radPr><m:degHide m:val="1"/></m:radPr><m:deg/><m:e>{run("2gh")}</m:e></m:rad>',
         "√(2gh)"),
        (f'<m:nary><m:naryPr><m:chr m:val="∑"/></m:naryPr><m:sub>{run("i=1")}</m:sub>'
         f"<m:sup>{run('n')}</m:sup><m:e>{run('i')}</m:e></m:nary>", "∑_(i=1)^n i"),
        (f"<m:m><m:mr><m:e>{run('a')}</m:e><m:e>{run('b')}</m:e></m:mr><m:mr><m:e>{run('c')}</m:e>"
         f"<m:e>{run('d')}</m:e></m:mr></m:m>", "[a, b; c, d]"),
        (f'<m:d><m:dPr><m:begChr m:val="["/><m:endChr m:val=""/></m:dPr><m:e>{run("x")}</m:e>'
         "</m:d>",
         "[x"),
        (f"<m:func><m:fName>{run('sin')}</m:fName><m:e>{run('x')}</m:e></m:func>", "sin(x)"),
    ],
)  # fmt: skip
def test_an_equation_stands_in_its_line(equation: str, shown: str) -> None:
    body = paragraph(f"<m:oMath>{run('y=')}{equation}</m:oMath><w:r><w:t>!</w:t></w:r>")
    assert text_of(body) == f"y={shown}!"


def test_characters_of_symbol_fonts_are_what_they_look_like() -> None:
    body = paragraph(
        '<w:r><w:sym w:font="Symbol" w:char="F06D"/></w:r><w:r><w:rPr><w:rFonts w:ascii="Symbol"/>'
        '</w:rPr><w:t>D</w:t></w:r><w:r><w:sym w:font="Wingdings" w:char="F0FC"/></w:r>'
    )
    assert text_of(body) == "μΔ✓"
    unknown = paragraph('<w:r><w:sym w:font="Webdings" w:char="F061"/><w:t>x</w:t></w:r>')
    assert told(read_file(word(unknown), "docx")) == ["1 character of a symbol font"]


# -- forms, hidden text, embedded documents -------------------------------------------------------


def field(form: str, result: str = "") -> str:
    shown = f'<w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>{result}</w:t></w:r>'
    return (
        f'<w:r><w:fldChar w:fldCharType="begin"><w:ffData>{form}</w:ffData></w:fldChar></w:r>'
        f"<w:r><w:instrText> FORM </w:instrText></w:r>{shown if result else ''}"
        '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    )


@pytest.mark.parametrize(
    ("xml", "shown"),
    [
        (field("<w:checkBox><w:checked/></w:checkBox>"), "☒"),
        (field('<w:checkBox><w:default w:val="1"/><w:checked w:val="0"/></w:checkBox>'), "☐"),
        (field('<w:checkBox><w:default w:val="1"/></w:checkBox>'), "☒"),
        (field('<w:ddList><w:listEntry w:val="oil"/><w:listEntry w:val="gas"/></w:ddList>'), "oil"),
        (field("<w:textInput/>", "typed"), "typed"),
        ('<w:sdt><w:sdtPr><w14:checkbox><w14:checked w14:val="1"/></w14:checkbox></w:sdtPr>'
         "<w:sdtContent/></w:sdt>", "☒"),
        ("<w:sdt><w:sdtPr><w:dropDownList/></w:sdtPr><w:sdtContent><w:r><w:t>gas</w:t></w:r>"
         "</w:sdtContent></w:sdt>", "gas"),
    ],
)  # fmt: skip
def test_form_fields_show_what_was_entered(xml: str, shown: str) -> None:
    assert text_of(paragraph(f"{xml}<w:r><w:t>.</w:t></w:r>")) == f"{shown}."


def test_what_a_form_asks_to_enter_is_left_out_and_told() -> None:
    control = (
        "<w:sdt><w:sdtPr><w:showingPlcHdr/></w:sdtPr><w:sdtContent><w:r><w:t>Click here</w:t></w:r>"
        "</w:sdtContent></w:sdt>"
    )
    parsed = read_file(word(paragraph(f"<w:r><w:t>Name:</w:t></w:r>{control}")), "docx")
    assert (parsed.text, told(parsed)) == ("Name:", ["1 empty field of a form"])


def test_hidden_text_is_left_out_and_told() -> None:
    styles = '<w:style w:type="character" w:styleId="Off"><w:rPr><w:vanish/></w:rPr></w:style>'
    body = paragraph(
        "<w:r><w:t>Seen</w:t></w:r><w:r><w:rPr><w:vanish/></w:rPr><w:t>secret</w:t></w:r>"
        '<w:r><w:rPr><w:rStyle w:val="Off"/></w:rPr><w:t>too</w:t></w:r>'
        '<w:r><w:rPr><w:rStyle w:val="Off"/><w:vanish w:val="0"/></w:rPr><w:t>.</w:t></w:r>'
    )
    parsed = read_file(word(body, styles=styles), "docx")
    assert (parsed.text, told(parsed)) == ("Seen.", ["1 paragraph with hidden text"])


def test_a_reading_stands_behind_its_base() -> None:
    ruby = (
        "<w:r><w:ruby><w:rt><w:r><w:t>とうきょう</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>東京"
        "</w:t></w:r></w:rubyBase></w:ruby></w:r>"
    )
    assert text_of(paragraph(ruby)) == "東京(とうきょう)"


def test_embedded_documents_are_read_or_told() -> None:
    body = paragraph("First.") + "".join(
        f'<w:altChunk r:id="word/{name}"/>' for name in ("a.html", "b.docx", "c.rtf", "d.txt")
    )
    parsed = read_file(
        word(
            body,
            related={
                "word/a.html": ("aFChunk", "<html><body><p>In HTML.</p></body></html>"),
                "word/b.docx": ("aFChunk", word(paragraph("In Word."))),
                "word/c.rtf": ("aFChunk", "{\\rtf1 In RTF.}"),
                "word/d.txt": ("aFChunk", "Plain."),
            },
        ),
        "docx",
    )
    assert parsed.text == "First.\n\nIn HTML.\n\nIn Word.\n\nIn RTF.\n\nPlain."
    assert told(parsed) == []


def test_a_document_in_itself_ends() -> None:
    inner = word(paragraph("Innermost."))
    for _ in range(6):
        inner = word('<w:altChunk r:id="word/x.docx"/>' + paragraph("Around."),
                     related={"word/x.docx": ("aFChunk", inner)})  # fmt: skip
    parsed = read_file(inner, "docx")
    assert (parsed.text.count("Around."), told(parsed)) == (4, ["1 embedded document"])


# -- tables, notes, headers, parts ----------------------------------------------------------------


def table(*rows: str) -> str:
    return f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in rows)}</w:tbl>"


def cell(text: str, properties: str = "") -> str:
    inner = text if text.startswith("<w:") else paragraph(text)
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{inner}</w:tc>"


def test_header_rows_are_the_lead_of_a_table() -> None:
    head = "<w:trPr><w:tblHeader/></w:trPr>"
    parsed = read_file(
        word(
            table(
                head + cell("Pool") + cell("Summer", '<w:gridSpan w:val="2"/>'),
                head + cell("") + cell("opens") + cell("closes"),
                cell("Lake") + cell("7:00") + cell("20:00"),
            )
        ),
        "docx",
    )
    assert parsed.text == "Pool | Summer | Summer\n| opens | closes\nLake | 7:00 | 20:00"
    assert parsed.text[: parsed.blocks[0].lead].count("\n") == 1


def test_a_table_in_a_cell_and_numbers_in_cells_are_read() -> None:
    numbering = look(level(0, "%1.")) + number(1)
    inner = table(cell("a") + cell("b"), cell("c") + cell("d"))
    body = table(
        cell(item("")) + cell("Item") + cell(inner + paragraph("after")),
        cell(item("")) + cell("Other") + cell("x"),
    )
    assert text_of(body, numbering) == "1. | Item | a, b; c, d after\n2. | Other | x"


def test_notes_stand_below_what_they_belong_to_and_headers_come_first() -> None:
    body = (
        paragraph('<w:r><w:t>One</w:t><w:footnoteReference w:id="2"/></w:r>')
        + paragraph("Two")
        + '<w:sectPr><w:headerReference w:type="default" r:id="word/h.xml"/>'
        '<w:footerReference w:type="default" r:id="word/f.xml"/></w:sectPr>'
    )
    page = paragraph(
        '<w:r><w:t>Page </w:t></w:r><w:fldSimple w:instr=" PAGE "><w:r><w:t>7</w:t></w:r>'
        "</w:fldSimple>"
    )
    parsed = read_file(
        word(
            body,
            related={
                "word/n.xml": ("footnotes", f'<w:footnotes {SPACES}><w:footnote w:id="2">'
                               f"{paragraph('Noted')}</w:footnote></w:footnotes>"),
                "word/h.xml": ("header", f"<w:hdr {SPACES}>{paragraph('Mill Lane 4')}</w:hdr>"),
                "word/f.xml": ("footer", f"<w:ftr {SPACES}>{page}</w:ftr>"),
            },
        ),
        "docx",
    )  # fmt: skip
    assert parsed.text == "Mill Lane 4\n\nOne\n\nNoted\n\nTwo"
    assert told(parsed) == ["1 line that counts the pages (page edges)"]


def test_alternate_content_is_read_once_with_a_fallback_where_there_is_no_choice() -> None:
    box = "<w:pict><w:txbxContent>{}</w:txbxContent></w:pict>"
    body = paragraph(
        "<w:r><mc:AlternateContent><mc:Choice>" + box.format(paragraph("new")) + "</mc:Choice>"
        "<mc:Fallback>" + box.format(paragraph("old")) + "</mc:Fallback></mc:AlternateContent>"
        "</w:r><w:r><mc:AlternateContent><mc:Fallback>" + box.format(paragraph("only"))
        + "</mc:Fallback></mc:AlternateContent></w:r>"
    )  # fmt: skip
    assert text_of(body) == "new\n\nonly"


def test_parts_are_found_by_their_relationships_and_strict_names_are_known() -> None:
    xml = f"<w:document {SPACES}><w:body>{paragraph('Ferry')}</w:body></w:document>"
    parsed = read_file(office("word/odd.part", xml, {}), "docx")
    assert parsed.text == "Ferry"
    for space in ("wordprocessingml", "officeDocument"):
        xml = xml.replace(
            f"http://schemas.openxmlformats.org/{space}/2006/",
            f"http://purl.oclc.org/ooxml/{space}/",
        )
    assert "purl.oclc.org" in xml
    assert read_file(office("word/document.xml", xml, {}), "docx").text == "Ferry"
