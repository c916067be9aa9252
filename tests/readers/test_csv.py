"""CSV as people and programs write it."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from promises import blocks, keeps_promises, read, read_file

from rag_service.documents import ParsedDocument


def rows(content: str) -> list[str]:
    """The lines of its only table."""
    (text,) = [block[2] for block in blocks(read(content, "csv")) if block[0] == "table"]
    return text.splitlines()


def head(parsed: ParsedDocument) -> str:
    """What is repeated above each piece of its last block."""
    block = parsed.blocks[-1]
    return parsed.text[block.start : block.start + block.lead]


# -- quotes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_an_inch_mark_opens_no_cell(delimiter: str) -> None:
    lines = ["sku,name,price", '1,"20 inch pipe,9', "2,elbow,2", "3,valve,14"]
    content = "\n".join(lines).replace(",", delimiter)
    assert rows(content)[1:] == ['1 | "20 inch pipe | 9', "2 | elbow | 2", "3 | valve | 14"]


def test_an_inch_mark_does_not_reach_to_the_next_quoted_cell() -> None:
    content = 'sku,name,price\n1,"Pipe, 20 mm",9\n2,"20 inch,4\n3,elbow,2\n4,"Valve, brass",14\n'
    assert rows(content)[1:] == [
        "1 | Pipe, 20 mm | 9",
        '2 | "20 inch | 4',
        "3 | elbow | 2",
        "4 | Valve, brass | 14",
    ]


def test_two_inch_marks_make_no_cell_of_the_rows_between() -> None:
    content = 'sku;name;price\n1;"20 inch;9\n2;elbow;2\n3;pipe 30";4\n'
    assert rows(content)[1:] == ['1 | "20 inch | 9', "2 | elbow | 2", '3 | pipe 30" | 4']
    assert rows('a;b;c\n"1 inch;pipe 2";9\nx;y;z\n')[1] == '"1 inch | pipe 2" | 9'


def test_cells_in_quotes_have_delimiters_lines_and_quotes() -> None:
    assert rows('a,b\n"say ""hi""","x, y"\n"1\n2",3\n')[1:] == ['say "hi" | x, y', "1 2 | 3"]
    assert rows('a;b;c\n"""1""" ; "2;3" ;4\n')[1] == '"1" | 2;3 | 4'


def test_answers_of_several_lines_are_one_cell() -> None:
    content = (
        'question,answer\nWhen?,"Dear Ana,\nI write, as promised\nBye"\nWho?,"First, x\nthen, y"'
    )
    assert rows(content)[1:] == [
        "When? | Dear Ana, I write, as promised Bye",
        "Who? | First, x then, y",
    ]


cells = st.text('ab ,;"\n', max_size=6).map(str.strip)
tables = st.lists(st.lists(cells, min_size=3, max_size=3), min_size=1, max_size=6)


@given(tables)
def test_what_a_program_quotes_is_read_as_it_was(table: list[list[str]]) -> None:
    file = io.StringIO()
    writer = csv.writer(file, quoting=csv.QUOTE_ALL)
    writer.writerows([["Name", "Town", "Note"], *table])
    expected = [" ".join(cell.split()) for row in table for cell in row]
    text = read(file.getvalue(), "csv").text
    for cell in expected:
        assert cell in text
    assert keeps_promises(read(file.getvalue(), "csv"))


# -- delimiters -----------------------------------------------------------------------------------


def test_decimal_commas_part_no_cells() -> None:
    assert rows("a;1,5;2,5\nb;2,5;3,5\nc;2,0;1,0\n")[0] == "a | 1,5 | 2,5"
    assert rows("Item;Price\nBell;1,50\nPump;2,75\n") == [
        "Item | Price",
        "Bell | 1,50",
        "Pump | 2,75",
    ]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_line_for_excel_says_the_delimiter(mark: str) -> None:
    content = f"{mark}sep=;\r\nName;Town\r\nAna;Oslo, N\r\nBo;Bonn, D\r\n"
    assert read_file(content.encode(), "csv").text == "Name | Town\nAna | Oslo, N\nBo | Bonn, D"


# -- tables ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("gap", ["", ";;;\n", "\n"])
def test_title_lines_stand_above_the_head(gap: str) -> None:
    items = "".join(f"P{number};Pump {number};{number} W;new\n" for number in range(9))
    parsed = read(f"Price list;;;\nDate:;2024-03-01;;\n{gap}Item;Name;Power;State\n{items}", "csv")
    assert parsed.blocks[0].headings == ("Price list",)
    assert "2024-03-01" in parsed.text
    assert head(parsed) == "Item | Name | Power | State"


def test_prose_and_comments_above_the_head_are_not_cut_into_cells() -> None:
    for line in ("Prices, spring 2024", "# exported, by hand, at noon"):
        parsed = read(f"{line}\nItem,Name,Power,State\nP1,Bell,3,new\nP2,Pump,4,old\n", "csv")
        assert parsed.text.startswith(f"{line}\n")
        assert head(parsed) == "Item | Name | Power | State"


def test_a_file_without_a_head_repeats_none() -> None:
    parsed = read("P1;Bell;100;new\nP2;Pump;200;old\nP3;Gear;300;old\n", "csv")
    assert (head(parsed), parsed.text.count("\n")) == ("", 2)


def test_blank_columns_and_ragged_rows_lose_nothing() -> None:
    assert rows("a,b,c,,\n1,2,3,,\n4\n5,6,7,8,9\n") == [
        "a | b | c",
        "1 | 2 | 3",
        "4",
        "5 | 6 | 7 | 8 | 9",
    ]


def test_blank_lines_part_tables_but_not_the_total_from_its_table() -> None:
    parsed = read("Item;Qty\nBell;2\nPump;3\n\nTown;Mayor\nOslo;Ana\nRome;Bo\n", "csv")
    assert [block[2] for block in blocks(parsed)] == [
        "Item | Qty\nBell | 2\nPump | 3",
        "Town | Mayor\nOslo | Ana\nRome | Bo",
    ]
    assert rows("Item;Qty;Sum\nBell;2;4\nPump;3;9\n\nTotal;;13\n")[-1] == "Total |  | 13"


@pytest.mark.parametrize(
    "content",
    [
        'a,"b\n' * 200_000,
        'a,"b,c"\n' * 100_000,
        '"a,"b,c ' * 100_000 + '\nx"\n',
        "a,b\n" + 'c," \n' * 100_000 + '"',
        "," * 1_000_000,
        "a,b\n\n" * 50_000,
        "a," * 50_000 + "\n\n" + "a\n\n" * 50_000,
        "a,a,," * 30_000 + "\n" + "a\n" * 50_000,
    ],
    ids=["open", "closed", "one line", "blank", "empty", "parted", "wide", "gaps"],
)
def test_any_file_is_read_in_time(content: str) -> None:
    assert keeps_promises(read(content, "csv"))
