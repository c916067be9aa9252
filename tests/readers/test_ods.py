"""OpenDocument spreadsheets are read as their sheets look."""

import io
import random
import zipfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from promises import blocks, keeps_promises

from rag_service.documents import ParsedDocument
from rag_service.errors import Unreadable
from rag_service.readers.ods import read_ods

_NAMES = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for name in ("office", "table", "text", "style", "drawing", "chart")
    for prefix in (name.removesuffix("ing"),)
)
_ROOT = f'{_NAMES} xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xlink="http://www.w3.org/1999/xlink"'


def ods(*sheets: str, **parts: str) -> bytes:
    hiding = '<style:table-properties table:display="false"/>'
    styles = f'<style:style style:name="off">{hiding}</style:style>'
    content = (
        f"<office:document-content {_ROOT}><office:automatic-styles>{styles}"
        f"</office:automatic-styles><office:body><office:spreadsheet>{''.join(sheets)}"
        "</office:spreadsheet></office:body></office:document-content>"
    )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as package:
        package.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        package.writestr("META-INF/manifest.xml", parts.pop("manifest", "<manifest/>"))
        package.writestr("content.xml", content)
        for name, text in parts.items():
            package.writestr(name.replace("__", "/") + ".xml", text)
    return file.getvalue()


def sheet(*rows: str, name: str = "Fees", more: str = "", style: str = "on") -> str:
    start = f'<table:table table:name="{name}" table:style-name="{style}">'
    return f"{start}{more}{''.join(rows)}</table:table>"


def row(*cells: str, more: str = "") -> str:
    inner = "".join(text if text.startswith("<") else cell(text) for text in cells)
    return f"<table:table-row {more}>{inner}</table:table-row>"


def cell(text: str, more: str = "", inner: str = "") -> str:
    shown = f"<text:p>{text}</text:p>" if text else ""
    return f"<table:table-cell {more}>{inner}{shown}</table:table-cell>"


def parse(data: bytes) -> ParsedDocument:
    parsed = read_ods(data)
    assert keeps_promises(parsed)
    return parsed


def table(parsed: ParsedDocument) -> str:
    (text,) = [block[2] for block in blocks(parsed) if block[0] == "table"]
    return text


def refusal(data: bytes) -> str:
    with pytest.raises(Unreadable) as caught:
        read_ods(data)
    return caught.value.reason


def told(parsed: ParsedDocument) -> list[str]:
    return [left.sentence for left in parsed.left_out]


def test_cells_are_read_as_they_are_shown() -> None:
    percent = cell("4,25<text:s/>%", 'office:value-type="percentage" office:value="0.0425"')
    link = cell('see <text:a xlink:href="https://b.example">here</text:a><text:line-break/>now')
    parsed = parse(ods(sheet(row("Item", "Rate", "Note"), row("Loan", percent, link))))
    assert table(parsed) == "Item | Rate | Note\nLoan | 4,25 % | see here now"


def test_a_value_that_nobody_has_written_out_is_the_stored_one() -> None:
    cells = [
        cell("", 'office:value-type="float" office:value="12.5"'),
        cell("", 'office:value-type="currency" office:value="3" office:currency="EUR"'),
        cell("", 'office:value-type="percentage" office:value="0.0425"'),
        cell("", 'office:value-type="date" office:date-value="2024-03-01"'),
        cell("", 'office:value-type="string" office:string-value="text"'),
    ]
    assert table(parse(ods(sheet(row(*cells))))) == "12.5 | 3 EUR | 4.25% | 2024-03-01 | text"


def test_a_formula_without_a_stored_value_stands_for_itself_and_is_told() -> None:
    sums = cell("", 'table:formula="of:=SUM([.B2:.B3])*[$Other.A1]"')
    parsed = parse(ods(sheet(row("Total", sums))))
    assert table(parsed) == "Total | =SUM(B2:B3)*$Other.A1"
    assert told(parsed) == ["1 formula without a stored value (sheet Fees)"]


def test_what_is_hidden_is_left_out_and_told() -> None:
    columns = '<table:table-column/><table:table-column table:visibility="collapse"/>'
    data = ods(
        sheet(
            row("Item", "Cost", "Price"),
            row("Old", "1", "2", more='table:visibility="filter"'),
            row("Bell", "3", "4"),
            more=columns,
        ),
        sheet(row("secret"), name="Back", style="off"),
    )
    parsed = parse(data)
    assert table(parsed) == "Item | Price\nBell | 4"
    assert told(parsed) == [
        "1 hidden row (sheet Fees)",
        "1 hidden column (sheet Fees)",
        "1 hidden sheet (sheet Back)",
    ]


def test_a_merged_cell_stands_in_each_of_its_rows_and_columns() -> None:
    covered = "<table:covered-table-cell/>"
    data = ods(
        sheet(
            row(cell("Prices", 'table:number-columns-spanned="3"'), covered, covered),
            row("Town", "Grade", "Night"),
            row(cell("Lindau", 'table:number-rows-spanned="2"'), "Boss", "180"),
            row(covered, "Staff", "120"),
        )
    )
    parsed = parse(data)
    assert parsed.blocks[-1].headings == ("Fees", "Prices")
    assert table(parsed) == "Town | Grade | Night\nLindau | Boss | 180\nLindau | Staff | 120"


def test_repeated_cells_and_rows_are_there_and_blank_ones_cost_nothing() -> None:
    blank = '<table:table-cell table:number-columns-repeated="16000"/>'
    data = ods(
        sheet(
            row("Item", "Price", blank),
            row(
                cell("x", 'table:number-columns-repeated="2"'),
                more='table:number-rows-repeated="3"',
            ),
            row(blank, more='table:number-rows-repeated="1048000"'),
            row("end", more=""),
        )
    )
    assert parse(data).text == "Fees\n\nItem | Price\nx | x\nx | x\nx | x\n\nend"


def test_a_sheet_that_repeats_itself_without_end_is_refused() -> None:
    many = cell("x", 'table:number-columns-repeated="16384"')
    assert "more than 1,000,000 cells" in refusal(
        ods(sheet(row(many, more='table:number-rows-repeated="1048576"')))
    )


def test_notes_and_titles_of_charts_follow_their_sheet_and_pictures_are_told() -> None:
    said = "<dc:creator>Ana</dc:creator><text:p>call first</text:p>"
    note = f"<office:annotation>{said}</office:annotation>"
    shapes = (
        '<table:shapes><draw:frame><draw:object xlink:href="./Object"/></draw:frame>'
        "<draw:frame><draw:text-box><text:p>Boxed</text:p></draw:text-box></draw:frame>"
        '<draw:frame><draw:image xlink:href="a.png"/></draw:frame></table:shapes>'
    )
    chart = (
        f"<chart:chart {_ROOT}><chart:title><text:p>Visitors</text:p></chart:title></chart:chart>"
    )
    data = ods(sheet(row("Item", cell("Price", inner=note)), more=shapes), Object__content=chart)
    parsed = parse(data)
    assert parsed.text == "Fees\n\nItem | Price\n\nB1: call first\n\nVisitors\n\nBoxed"
    assert told(parsed) == ["1 picture (sheet Fees)"]


def test_the_title_is_that_of_the_file() -> None:
    meta = f"<office:meta {_ROOT}><dc:title>Prices</dc:title></office:meta>"
    assert parse(ods(sheet(row("a")), meta=meta)).title == "Prices"


def test_a_locked_file_is_refused() -> None:
    locked = "<manifest><encryption-data/></manifest>"
    assert "password" in refusal(ods(sheet(row("a")), manifest=locked))


words = st.text("abcdefgh", min_size=1, max_size=5)


@given(st.lists(st.lists(words | st.just(""), max_size=5)))
def test_every_cell_is_in_the_text(rows: list[list[Any]]) -> None:
    text = parse(ods(sheet(*(row(*cells) for cells in rows)))).text
    assert set(text.replace("|", " ").split()) == {"Fees", *(c for r in rows for c in r if c)}


@given(st.integers(0, 2**32))
def test_a_damaged_part_is_read_or_refused(seed: int) -> None:
    chance = random.Random(seed)
    whole = sheet(
        row("Item", cell("Price", 'table:number-rows-spanned="2"')),
        row("Bell", "<table:covered-table-cell/>", more='table:number-rows-repeated="3"'),
    )
    pieces = list(whole)
    for _ in range(1 + chance.randrange(8)):
        pieces[chance.randrange(len(pieces))] = chance.choice(["", "9", "-", "<", ">", '"', "Z"])
    try:
        assert keeps_promises(read_ods(ods("".join(pieces))))
    except Unreadable as error:
        assert error.reason
