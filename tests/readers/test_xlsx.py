"""Excel workbooks are read as their sheets look."""

import datetime
import io
import zipfile
from typing import Any

import openpyxl
from files import saved, xlsx
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from promises import blocks, read_file, refusal

from rag_service.documents import ParsedDocument

STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
TRANSITIONAL = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"


def package(
    sheet: str,
    *,
    book: str = "",
    strings: str = "",
    main: str = TRANSITIONAL,
    beside: dict[str, str] | None = None,
) -> bytes:
    """A workbook as other programs write it: the XML of its one sheet, and of what it may have.
    `beside` are parts that the sheet refers to, by what they are to it."""
    office = main.replace("spreadsheetml/main", "officeDocument/relationships")
    if main == TRANSITIONAL:
        office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    beside = beside or {}

    def relations(**targets: str) -> str:
        inner = "".join(
            f'<Relationship Id="{kind}" Type="{office}/{kind}" Target="{target}"/>'
            for kind, target in targets.items()
        )
        return f'<Relationships xmlns="{_RELATIONS}">{inner}</Relationships>'

    parts = {
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": relations(officeDocument="xl/book.xml"),
        "xl/book.xml": f'<workbook xmlns="{main}" xmlns:r="{office}">{book}<sheets>'
        '<sheet name="Bill" sheetId="1" r:id="worksheet"/></sheets></workbook>',
        "xl/_rels/book.xml.rels": relations(
            worksheet="/xl/data/one.xml", sharedStrings="strings.xml"
        ),
        "xl/strings.xml": f'<sst xmlns="{main}">{strings}</sst>',
        "xl/data/one.xml": f'<worksheet xmlns="{main}">{sheet}</worksheet>',
        "xl/data/_rels/one.xml.rels": relations(**{kind: f"../{kind}.xml" for kind in beside}),
        **{f"xl/{kind}.xml": text for kind, text in beside.items()},
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return file.getvalue()


def workbook(*rows: list[Any]) -> Any:
    book = openpyxl.Workbook()
    book.active.title = "Bill"
    for row in rows:
        book.active.append(row)
    return book


def table(parsed: ParsedDocument) -> str:
    """The text of its only table."""
    (text,) = [block[2] for block in blocks(parsed) if block[0] == "table"]
    return text


def told(parsed: ParsedDocument) -> list[str]:
    return [left.sentence for left in parsed.left_out]


# -- cells ----------------------------------------------------------------------------------------


def test_cells_are_read_as_they_look() -> None:
    book = workbook(["Loan", "Rate", "Fee", "Code", "Start", "Run", "Paid", "State"])
    day = datetime.date(2024, 3, 1)
    book.active.append(["Boat", 0.0425, 1250, 1067, day, 1.5, True, "#N/A"])
    formats = ["General", "0.0%", '#,##0.00 "EUR"', "00000", "dd.mm.yyyy", "[h]:mm"]
    for cell, code in zip(book.active[2], formats, strict=False):
        cell.number_format = code
    text = table(read_file(saved(book), "xlsx")).splitlines()[1]
    assert text == "Boat | 4.3% | 1,250.00 EUR | 01067 | 01.03.2024 | 36:00 | TRUE | #N/A"


def test_dates_may_count_from_1904() -> None:
    book = workbook(["Day"], [datetime.date(2024, 3, 1)])
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    assert table(read_file(saved(book), "xlsx")) == "Day\n2024-03-01"


def test_strings_are_read_wherever_they_stand_and_without_their_pronunciation() -> None:
    strings = "<si><r><t>rich </t></r><r><t>text</t></r><rPh><t>ritchi</t></rPh></si>"
    cells = (
        '<c r="A1" t="s"><v>0</v></c><c t="inlineStr"><is><t>in</t><t>line</t></is></c>'
        '<c r="D1" t="str"><f>A1</f><v>worked out</v></c><c t="s"><v>99</v></c><c><v>7</v></c>'
    )
    data = package(f"<sheetData><row>{cells}</row></sheetData>", strings=strings)
    assert table(read_file(data, "xlsx")) == "rich text | inline | worked out | 7"


def test_a_strict_file_is_read_with_its_dates() -> None:
    cells = '<c t="inlineStr"><is><t>Since</t></is></c><c t="d"><v>2024-03-01T00:00:00</v></c>'
    data = package(f"<sheetData><row>{cells}</row></sheetData>", main=STRICT)
    assert table(read_file(data, "xlsx")) == "Since | 2024-03-01"


def test_a_formula_without_a_stored_value_stands_for_itself_and_is_told() -> None:
    book = workbook(["Item", "Sum"], ["Chair", "=B1*4"], ["Desk", "=SUM(B2:B3)"])
    parsed = read_file(saved(book), "xlsx")
    assert table(parsed) == "Item | Sum\nChair | =B1*4\nDesk | =SUM(B2:B3)"
    assert told(parsed) == ["2 formulas without a stored value (sheet Bill)"]


def test_zeros_of_a_program_that_cannot_calculate_are_no_values() -> None:
    row = '<row><c><f>A2*2</f><v>0</v></c><c><f>{f}</f><v>{v}</v></c><c t="b"><v>1</v></c></row>'
    sheet = f"<sheetData>{row}</sheetData>"
    lazy = '<calcPr fullCalcOnLoad="1"/>'
    placeholders = read_file(package(sheet.format(f="A3", v=0), book=lazy), "xlsx")
    assert table(placeholders) == "=A2*2 | =A3 | TRUE"
    for values in (
        read_file(package(sheet.format(f="A3", v=0)), "xlsx"),
        read_file(package(sheet.format(f="A3", v=5), book=lazy), "xlsx"),
    ):
        assert table(values).startswith("0 | ")
        assert not told(values)


def test_a_stored_text_may_be_empty() -> None:
    cells = '<c><v>1</v></c><c t="str"><f>IF(A1,"")</f><v></v></c><c><v>2</v></c>'
    parsed = read_file(package(f"<sheetData><row>{cells}</row></sheetData>"), "xlsx")
    assert (table(parsed), told(parsed)) == ("1 | 2", [])


# -- sheets ---------------------------------------------------------------------------------------


def test_what_is_hidden_is_left_out_and_told() -> None:
    book = workbook(["Item", "Cost", "Price"], ["Bell", 1, 2], ["Old", 3, 4], ["Pump", 5, 6])
    sheet = book.active
    sheet.column_dimensions["B"].hidden = True
    sheet.row_dimensions[3].hidden = True
    sheet["C4"].number_format = ";;;"
    book.create_sheet("Secret").sheet_state = "veryHidden"
    parsed = read_file(saved(book), "xlsx")
    assert table(parsed) == "Item | Price\nBell | 2\nPump"
    assert told(parsed) == [
        "1 hidden row (sheet Bill)",
        "1 hidden column (sheet Bill)",
        "1 cell that its format hides (sheet Bill)",
        "1 hidden sheet (sheet Secret)",
    ]


def test_a_merged_cell_stands_in_each_of_its_rows_and_columns() -> None:
    book = workbook(
        ["Prices of 2024", None, None],
        ["Town", "Grade", "Night", "Day"],
        ["Lindau", "Boss", 180, 90],
        [None, "Staff", 120, None],
        ["Closed in winter"],
        ["Bregenz", "Staff", 110, 70],
    )
    for area in ("A1:D1", "A3:A4", "C4:D4", "A5:D5"):
        book.active.merge_cells(area)
    parsed = read_file(saved(book), "xlsx")
    assert parsed.blocks[1].headings == ("Bill", "Prices of 2024")
    assert table(parsed) == (
        "Town | Grade | Night | Day\nLindau | Boss | 180 | 90\nLindau | Staff | 120 | 120\n"
        "Closed in winter\nBregenz | Staff | 110 | 70"
    )


def test_two_rows_of_names_are_one_head() -> None:
    book = workbook(["Pool", "Summer", None, "Winter"], [None, "opens", "closes", "opens"])
    book.active.append(["North", "8:00", "21:00", "10:00"])
    for area in ("A1:A2", "B1:C1"):
        book.active.merge_cells(area)
    parsed = read_file(saved(book), "xlsx")
    block = parsed.blocks[-1]
    head = parsed.text[block.start : block.start + block.lead]
    assert head == "Pool | Summer opens | Summer closes | Winter opens"


def test_tables_are_parted_by_blank_rows_and_columns() -> None:
    book = workbook(
        ["Item", "Price", None, "Town", "Mayor"],
        ["Bell", 2, None, "Oslo", "Ana"],
        ["Pump", 3],
        [],
        ["Day", "Visitors"],
        ["Monday", 12],
        [],
        ["Tuesday", 14],
    )
    texts = [block[2] for block in blocks(read_file(saved(book), "xlsx"))]
    assert texts == [
        "Bill",
        "Item | Price\nBell | 2\nPump | 3",
        "Town | Mayor\nOslo | Ana",
        "Day | Visitors\nMonday | 12\nTuesday | 14",
    ]


def test_titles_stand_above_and_the_head_is_repeated() -> None:
    book = workbook(["Price list"], ["All prices in EUR."], [], ["Item", "Name", "Price"])
    for number in range(3):
        book.active.append([f"P{number}", f"Pump {number}", number])
    parsed = read_file(saved(book), "xlsx")
    block = parsed.blocks[-1]
    assert [text for _, _, text in blocks(parsed)][1:3] == ["Price list", "All prices in EUR."]
    assert parsed.text[block.start : block.start + block.lead] == "Item | Name | Price"


def test_a_stray_far_cell_costs_nothing() -> None:
    book = workbook(["Item", "Price"], ["Bell", 2])
    book.active["XFD1048576"] = "far"
    assert read_file(saved(book), "xlsx").text == "Bill\n\nItem | Price\nBell | 2\n\nfar"


def test_a_grid_with_too_many_blank_cells_is_refused() -> None:
    row = '<row r="{0}"><c r="{1}{0}"><v>1</v></c></row>'
    letters = [openpyxl.utils.get_column_letter(n) for n in range(1, 2_000)]
    rows = "".join(row.format(n, letter) for n, letter in enumerate(letters, 1))
    assert "more than 3,000,000 cells" in refusal(package(f"<sheetData>{rows}</sheetData>"), "xlsx")


def test_notes_boxes_and_titles_of_charts_follow_their_sheet() -> None:
    book = workbook(["Season", "Visitors"], ["Summer", 2750], ["Winter", 310])
    book.active["A2"].comment = Comment("without the fair", "Ana")
    book.active["B3"].comment = Comment("guessed", "Ana")
    book.active.row_dimensions[3].hidden = True
    chart = BarChart()
    chart.title = "Visitors by season"
    chart.add_data(Reference(book.active, min_col=2, min_row=1, max_row=3), titles_from_data=True)
    book.active.add_chart(chart, "D2")
    parsed = read_file(saved(book), "xlsx")
    assert parsed.text.endswith("\n\nA2: without the fair\n\nVisitors by season")
    assert told(parsed) == ["1 hidden row (sheet Bill)", "1 note of a hidden cell (sheet Bill)"]


def test_what_people_say_about_a_cell_is_read_once() -> None:
    def comment(place: str, text: str) -> str:
        return f'<comment ref="{place}"><text><r><t>{text}</t></r></text></comment>'

    copies = comment("A1", "[Threaded comment] Is it so?") + comment("B1", "a note")
    talk = '<threadedComment ref="A1"><text>{}</text></threadedComment>'
    data = package(
        "<sheetData><row><c><v>7</v></c></row></sheetData>",
        beside={
            "comments": f"<comments><commentList>{copies}</commentList></comments>",
            "threadedComment": f"<all>{talk.format('Is it so?')}{talk.format('It is.')}</all>",
            "oleObject": "<binary/>",
        },
    )
    parsed = read_file(data, "xlsx")
    assert parsed.text == "Bill\n\n7\n\nB1: a note\nA1: Is it so?\nA1: It is."
    assert told(parsed) == ["1 embedded file (sheet Bill)"]


def test_what_stands_in_for_a_drawing_is_not_read() -> None:
    def box(text: str) -> str:
        return f"<txBody><p><r><t>{text}</t></r></p></txBody>"

    choice = f"<Choice>{box('Shown')}</Choice><Fallback>{box('Not available')}</Fallback>"
    data = package("<sheetData/>", beside={"drawing": f"<d>{choice}<pic/></d>"})
    parsed = read_file(data, "xlsx")
    assert (parsed.text, told(parsed)) == ("Bill\n\nShown", ["1 picture (sheet Bill)"])


def test_a_chart_of_a_hidden_sheet_is_told() -> None:
    book = workbook(["Overview"])
    hidden = book.create_sheet("My data")
    hidden.append([1])
    hidden.sheet_state = "hidden"
    chart = BarChart()
    chart.add_data(Reference(hidden, min_col=1, min_row=1, max_row=1))
    book.active.add_chart(chart, "D2")
    parsed = read_file(saved(book), "xlsx")
    assert told(parsed) == ["1 chart (sheet Bill)", "1 hidden sheet (sheet My data)"]


def test_a_zero_that_is_not_shown_is_no_lack_of_a_value() -> None:
    book = workbook(["Bell", 0])
    book.active["B1"].number_format = "General;-General;"
    parsed = read_file(saved(book), "xlsx")
    assert (parsed.text, told(parsed)) == ("Bill\n\nBell", [])


def test_what_is_printed_on_each_page_is_read_but_for_numbers_and_dates() -> None:
    book = workbook(["Item", "Price"])
    book.active.oddHeader.left.text = "Bell & Sons"
    book.active.oddHeader.left.size = 14
    book.active.oddFooter.right.text = "Page &P of &N"
    parsed = read_file(saved(book), "xlsx")
    assert parsed.text == "Bill\n\nItem | Price\n\nBell & Sons"


def test_a_binary_workbook_is_refused_with_what_to_do() -> None:
    target = "officeDocument/2006/relationships/officeDocument"
    relation = f'<Relationship Id="a" Type="http://x/{target}" Target="xl/workbook.bin"/>'
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(
            "_rels/.rels", f'<Relationships xmlns="{_RELATIONS}">{relation}</Relationships>'
        )
        archive.writestr("xl/workbook.bin", b"binary")
    assert "save it as xlsx" in refusal(file.getvalue(), "xlsx")


def test_the_title_is_that_of_the_file() -> None:
    book = workbook(["text"])
    book.properties.title = "Prices"
    assert read_file(saved(book), "xlsx").title == "Prices"


words = st.text("abcdefgh", min_size=1, max_size=5)


@given(st.lists(st.lists(words | st.integers(0, 99) | st.none(), max_size=5), min_size=1))
def test_every_cell_is_in_the_text(rows: list[list[Any]]) -> None:
    cells = {str(cell) for row in rows for cell in row if cell is not None}
    text = read_file(xlsx([*rows, ["end"]]), "xlsx").text
    assert set(text.replace("|", " ").split()) == {*cells, "Sheet", "end"}
