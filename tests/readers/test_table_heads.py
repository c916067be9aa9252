"""Which rows of a table are its title, and which name its columns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_service.readers.table_heads import find_heads, is_value, join_heads

POOLS = [
    ["Pool", "Summer", "Summer", "Winter", "Winter"],
    ["Pool", "opens", "closes", "opens", "closes"],
    ["North", "8:00", "21:00", "10:00", "18:00"],
    ["Lake", "7:00", "20:00", "closed", "closed"],
]


def heads(text: str) -> tuple[int, int]:
    """Title rows and head rows of a table whose cells stand between bars."""
    found = find_heads([[cell.strip() for cell in row.split("|")] for row in text.split("\n")])
    return found.titles, found.heads


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("Item|Price\nBell|2\nPump|3", (0, 1)),
        ("Name|Town\nAna|Oslo\nBo|Rome", (0, 1)),
        ("Prices 2024||\nItem|Name|Price\nP1|Bell|2\nP2|Pump|3", (1, 1)),
        ("Prices|Prices|Prices\nItem|Name|Price\nP1|Bell|2\nP2|Pump|3", (1, 1)),
        ("Prices\nCreated by|Ana\nItem|Name|Price|State\nP1|Bell|2|new\nP2|Pump|3|old", (2, 1)),
        ("Region|2022|2023\nNorth|10|20\nSouth|30|40", (0, 1)),
        ("|Q1|Q2\nNorth|10|20\nSouth|30|40", (0, 1)),
        ("Item|Weight|Power\n|kg|W\nPump|3|100\nBell|1|0", (0, 2)),
        ("|Summer||Winter|\nPool|opens|closes|opens|closes\nNorth|8:00|9:00|10:00|18:00", (0, 2)),
        ("Item|Qty\nA|1\nB|2\nItem|Qty\nC|3", (0, 1)),
        ("Day|8:00|9:00|10:00\nMon|yoga|judo|\nTue||yoga|judo", (0, 1)),
        ("Area|2023||2024|\n|Q1|Q2|Q1|Q2\nNorth|1|2|3|4\nSouth|5|6|7|8", (0, 2)),
        ("Name|1|2|3|4\nAna|x||x|\nBo||x||x", (0, 1)),
        ("Kind|Colour\nOther|red\nFruit|blue\nKind|grey", (0, 1)),
        ("Item|Price\nBell|2\nPump|on request\nGear|on request", (0, 1)),
        ("mail\nana@b.example\nbo@b.example", (0, 0)),
        ("Amount\n1\n2\n3", (0, 1)),
    ],
)
def test_names_stand_above_values(table: str, expected: tuple[int, int]) -> None:
    assert heads(table) == expected


@pytest.mark.parametrize(
    "table",
    [
        "P1|Bell|2\nP2|Pump|3",
        "Ana|Oslo|nurse\nBo|Rome|clerk\nCy|Oslo|nurse",
        "1|2|3\n4|5|6",
        "Ana|2001\nBo|2003\nCy|2009",
        "Account:|DE 123 / giro\nFrom:|2024-03-01\nTo:|2024-03-31",
        "Name|Ana\nAge|44\nTown|Oslo\nBorn|1980",
        "Pump model 1|new\nPump model 2|old\nPump model 3|used",
    ],
)
def test_a_row_like_those_below_it_is_no_head(table: str) -> None:
    assert heads(table) == (0, 0)


def test_two_rows_of_names_are_one_head() -> None:
    assert find_heads(POOLS).heads == 2
    names = ["Pool", "Summer opens", "Summer closes", "Winter opens", "Winter closes"]
    assert join_heads(POOLS[:2]) == names
    blank = [["", "Summer", "", "Winter", ""], POOLS[1]]
    assert join_heads(blank) == names


@pytest.mark.parametrize(
    "cell",
    ["12", "-3.5", "1,250.00 EUR", "$99.50", "4.3 %", "01.03.2024", "8:00-21:00", "75 kg", "no"],
)
def test_amounts_and_times_are_values(cell: str) -> None:
    assert is_value(cell)


@pytest.mark.parametrize("cell", ["Q1", "P001", "Power W", "1st quarter", "Room 3", ""])
def test_names_and_codes_are_none(cell: str) -> None:
    assert not is_value(cell)


@given(st.lists(st.lists(st.sampled_from(["", "a", "b", "1", "2024", "Total"]), max_size=4)))
def test_any_rows_have_no_more_heads_than_rows(rows: list[list[str]]) -> None:
    found = find_heads(rows)
    assert 0 <= found.titles + found.heads <= len(rows)
    joined = " ".join(join_heads(rows)).split()
    assert set(joined) == {cell for row in rows for cell in row if cell}
