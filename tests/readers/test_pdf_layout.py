"""PDF pages: turned, in columns, with tables; running heads, spaced letters, what is told."""

import pytest
from fpdf import FPDF
from promises import blocks, read_file

PROSE = (
    "The harbour office opens at seven in the morning and closes at nine in the evening. Boats "
    "longer than twelve metres need a pilot who is booked a day ahead. The pilot costs eighty "
    "euros and is paid in cash on board. Whoever leaves before sunrise switches on the red lamp "
    "and calls the tower on channel nine. Fishing inside the mole is forbidden from April to June."
)
OTHER = (
    "Campers find the key for the showers at the kiosk. The water is warm from six to ten. Dogs "
    "stay on a lead and may not enter the beach in summer. Fires are allowed in the stone ring "
    "only. The kiosk sells wood for five euros a bundle. Guests who arrive late park behind the "
    "barn and register the next day. The tax is two euros a night for adults, none for children."
)
THIRD = (
    "Bicycles can be rented next to the ferry. A day costs nine euros, a week forty. Helmets are "
    "free. Bring the bicycle back before the ferry leaves at eight or leave it locked at the pier "
    "and put the key into the green box. Whoever loses a key pays twelve euros for a new lock, "
    "which is ordered from the mainland and takes about three days to come over to the island."
)


class Sheet(FPDF):
    """A page in points; texts are put where they are wanted."""

    def __init__(self, width: float = 595, height: float = 842) -> None:
        super().__init__(unit="pt", format=(width, height))
        self.set_auto_page_break(False)
        self.add_page()
        self.set_font("Helvetica", size=10)

    def wrapped(self, text: str, width: float) -> list[str]:
        lines = self.multi_cell(width, 12, text, align="L", dry_run=True, output="LINES")
        return [str(line) for line in lines]

    def put(self, *cells: tuple[float, str], y: float) -> None:
        for x, text in cells:
            if text:
                self.text(x, y, text)

    def done(self) -> bytes:
        return bytes(self.output())


def flat(text: str) -> str:
    return " ".join(text.split())


def told(data: bytes) -> list[str]:
    return [kind.sentence for kind in read_file(data, "pdf").left_out]


def test_columns_written_line_by_line_across_are_read_one_after_the_other() -> None:
    sheet = Sheet()
    for n, row in enumerate(zip(*(sheet.wrapped(t, 240) for t in (PROSE, OTHER)), strict=False)):
        sheet.put((50, row[0]), (300, row[1]), y=100 + 13 * n)
    text = flat(read_file(sheet.done(), "pdf").text)
    assert PROSE[:300] in text
    assert OTHER[:300] in text
    assert text.index("Campers") > text.index("Fishing")


@pytest.mark.parametrize("by_rows", [True, False])
def test_three_columns_below_a_heading_across_them(by_rows: bool) -> None:
    sheet = Sheet()
    sheet.set_font_size(18)
    sheet.text(120, 60, "News from the harbour, the camp site and the pier")
    sheet.set_font_size(10)
    texts = (PROSE, OTHER, THIRD)
    lines = [
        (50 + 172 * c, n, t)
        for c, x in enumerate(texts)
        for n, t in enumerate(sheet.wrapped(x, 155))
    ]
    for x, n, line in sorted(lines, key=lambda line: line[1]) if by_rows else lines:
        sheet.text(x, 100 + 13 * n, line)
    text = flat(read_file(sheet.done(), "pdf").text)
    assert text == flat(
        f"News from the harbour, the camp site and the pier {PROSE} {OTHER} {THIRD}"
    )


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_text_that_is_turned_on_the_page_is_read_along_its_lines(degrees: int) -> None:
    sheet = Sheet(700, 700)
    with sheet.rotation(degrees, 350, 350):
        for n, line in enumerate(sheet.wrapped(PROSE, 400)):
            sheet.put((150, line), y=200 + 13 * n)
        for n, row in enumerate((("Station", "Train"), ("Arnfels", "R12"), ("Celle", "R20"))):
            sheet.put((150, row[0]), (300, row[1]), y=340 + 16 * n)
    parsed = read_file(sheet.done(), "pdf")
    assert flat(parsed.text).startswith(PROSE)
    assert blocks(parsed)[-1] == ("table", (), "Station | Train\nArnfels | R12\nCelle | R20")


def test_empty_cells_of_a_table_without_rulings_stay_in_their_columns() -> None:
    sheet = Sheet()
    rows = [
        ("Berth", "Owner", "Length m", "Fee EUR"),
        ("B01", "Ida", "7", "103"),
        ("B02", "", "8", "106"),
        ("B03", "Kurt", "", "109"),
        ("B04", "Lena", "10", ""),
    ]
    for n, row in enumerate(rows):
        sheet.put(*zip((50, 170, 300, 430), row, strict=True), y=100 + 16 * n)
    assert blocks(read_file(sheet.done(), "pdf"))[0][2].split("\n") == [
        "Berth | Owner | Length m | Fee EUR",
        "B01 | Ida | 7 | 103",
        "B02 |  | 8 | 106",
        "B03 | Kurt |  | 109",
        "B04 | Lena | 10 |",
    ]


def test_further_lines_of_a_cell_belong_to_its_row() -> None:
    sheet = Sheet()
    sheet.put((50, "Item"), (170, "Rule"), (430, "Fee"), y=100)
    sheet.put((50, "Boat"), (170, "lent for a day and brought"), (430, "20"), y=125)
    sheet.put((170, "back before it gets dark"), y=137)
    sheet.put((50, "Oar"), (170, "lent with a boat"), (430, "2"), y=162)
    sheet.put((50, "Vest"), (170, "free"), (430, "0"), y=187)
    assert blocks(read_file(sheet.done(), "pdf"))[0][2].split("\n")[1:] == [
        "Boat | lent for a day and brought back before it gets dark | 20",
        "Oar | lent with a boat | 2",
        "Vest | free | 0",
    ]


@pytest.mark.parametrize("again", [True, False])
def test_a_table_that_goes_on_has_its_head_once_on_each_page(again: bool) -> None:
    sheet = Sheet()
    for page in range(3):
        if page:
            sheet.add_page()
        if again or not page:
            sheet.put((50, "Berth"), (200, "Owner"), (350, "Fee"), y=40)
        for n in range(20):
            number = 20 * page + n
            sheet.put(
                (50, f"B{number}"), (200, f"Owner {number}"), (350, f"{number}.50"), y=56 + 16 * n
            )
    tables = [text.split("\n") for kind, _, text in blocks(read_file(sheet.done(), "pdf"))]
    assert [len(rows) for rows in tables] == [21, 21, 21]
    assert [rows[0] for rows in tables] == ["Berth | Owner | Fee"] * 3
    assert tables[2][-1] == "B59 | Owner 59 | 59.50"


def pages_with(top: str, bottom: str, pages: int = 5) -> bytes:
    """`#` is the page's number, `$` a number that does not count pages."""
    sheet = Sheet()
    for page in range(1, pages + 1):
        if page > 1:
            sheet.add_page()
        words = {"#": str(page), "$": str(1040 + 7 * page)}
        for y, text in ((30, top), (820, bottom)):
            for sign, number in words.items():
                text = text.replace(sign, number)
            sheet.put((50, text), y=y)
        for n, line in enumerate(sheet.wrapped((PROSE, OTHER, THIRD)[page % 3], 300 + 20 * page)):
            sheet.put((50, line), y=100 + 13 * n)
    return sheet.done()


@pytest.mark.parametrize(
    "line",
    [
        "Harbour rules",
        "Harbour rules, page #",
        "Page # of 5",
        "- # -",
        "Seite # von 5",
        "Harbour rules | #",
        "#",
    ],
)
def test_what_says_the_same_on_each_page_is_left_out_and_told(line: str) -> None:
    data = pages_with(line, "")
    assert "Harbour rules" not in read_file(data, "pdf").text
    assert told(data) == [
        "5 lines at page edges taken for running heads (page 1, page 2, page 3, page 4, page 5)"
    ]


@pytest.mark.parametrize("line", ["Invoice no. 2024-$", "Total due $.50 EUR", "Invoice #", "$"])
def test_numbers_at_the_edge_of_a_page_are_content(line: str) -> None:
    data = pages_with("", line)
    assert told(data) == []
    text = read_file(data, "pdf").text
    for page in range(1, 6):
        assert line.replace("#", str(page)).replace("$", str(1040 + 7 * page)) in text


def test_documents_of_one_form_that_are_bound_together_keep_their_heads() -> None:
    sheet = Sheet()
    for page in range(5):
        if page:
            sheet.add_page()
        sheet.put((50, "Harbour Ltd, Pier 3"), y=30)
        sheet.put((50, f"Invoice no. {2024 + 3 * page}"), y=100)
        sheet.put((50, ("Oars", "Paint", "Ropes", "Sails", "Wax")[page]), y=120)
        sheet.put((50, f"Total due {17 * page}.00 EUR"), y=140)
    assert told(sheet.done()) == []
    assert read_file(sheet.done(), "pdf").text.count("Harbour Ltd, Pier 3") == 5


@pytest.mark.parametrize("space", [2, 5, 8])
def test_words_whose_letters_stand_one_by_one_are_words(space: float) -> None:
    sheet = Sheet()
    x = 50.0
    for letter in "OPENING HOURS OF THE PIER":
        if letter != " ":
            sheet.put((x, letter), y=60)
        x += sheet.get_string_width(letter) + space
    for n, line in enumerate(sheet.wrapped(PROSE, 400)):
        sheet.put((50, line), y=100 + 13 * n)
    assert read_file(sheet.done(), "pdf").text.startswith("OPENING HOURS OF THE PIER\n")


def test_attached_files_are_told() -> None:
    sheet = Sheet()
    sheet.put((50, "See the attachment."), y=60)
    sheet.embed_file(basename="notes.txt", bytes=b"Notes")
    assert told(sheet.done()) == ["1 attached file"]


def _page_of(*lines: str) -> bytes:
    """An empty line leaves a gap."""
    sheet = Sheet()
    for n, line in enumerate(lines):
        sheet.put((50, line), y=100 + 13 * n)
    return sheet.done()


LINES = Sheet().wrapped(PROSE, 400)
MORE = Sheet().wrapped(OTHER, 400)


@pytest.mark.parametrize(
    "title", ["HOW PILOTS ARE PAID", "Exceptions", "Tips for Guests and Their Boats", "FEES: Dogs"]
)
def test_a_line_that_stands_apart_and_reads_like_a_title_is_a_heading(title: str) -> None:
    parsed = read_file(_page_of(*LINES, "", title, "", *MORE))
    assert [heading for kind, heading, _ in blocks(parsed) if kind == "heading"] == [(title,)]
    assert [b.headings for b in parsed.blocks][-1] == (title,)


def test_a_heading_in_capitals_may_stand_right_above_its_text() -> None:
    parsed = read_file(_page_of(*LINES, "", "HOW PILOTS ARE PAID", *MORE))
    assert blocks(parsed)[1][:2] == ("heading", ("HOW PILOTS ARE PAID",))


@pytest.mark.parametrize(
    "line",
    [
        "We open in March.",
        "Whoever pays later loses the place",
        "Job Type: Full-Time",
        "12 345",
        "and so on",
        "A",
    ],
)
def test_a_short_line_that_reads_like_no_title_is_no_heading(line: str) -> None:
    parsed = read_file(_page_of(*LINES, "", line, "", *MORE))
    assert "heading" not in [kind for kind, _, _ in blocks(parsed)]


def test_lines_of_a_notice_in_capitals_and_of_an_address_are_no_headings() -> None:
    notice = [line.upper() for line in MORE]
    address = ["Harbour Office", "", "Mole Street", "", "Port"]
    parsed = read_file(_page_of(*LINES, "", *notice, "", *address))
    assert "heading" not in [kind for kind, _, _ in blocks(parsed)]


@pytest.mark.parametrize("ruled", [(0, 1, 3), (0, 1, 2, 3)])
def test_level_lines_alone_make_a_table_of_narrow_columns(ruled: tuple[int, ...]) -> None:
    rows = [("Year", "Boats", "Guests"), ("2023", "1,204", "30,551"), ("2024", "1,310", "31,002")]
    sheet = Sheet()
    for n, row in enumerate(rows):
        sheet.put(*zip((50, 76, 106), row, strict=True), y=100 + 14 * n)
    for n in ruled:
        sheet.line(50, 90 + 14 * n, 140, 90 + 14 * n)
    sheet.put(*[(50, line) for line in LINES[:1]], y=200)
    [table] = [text for kind, _, text in blocks(read_file(sheet.done())) if kind == "table"]
    assert table.splitlines() == [" | ".join(row) for row in rows]


def test_lines_around_prose_in_columns_make_no_table() -> None:
    sheet = Sheet()
    columns = [sheet.wrapped(text, 220) for text in (PROSE, OTHER)]
    for n, row in enumerate(zip(*columns, strict=False)):
        sheet.put((50, row[0]), (300, row[1]), y=100 + 13 * n)
    for y in (88, 114, 300):
        sheet.line(50, y, 530, y)
    assert "table" not in [kind for kind, _, _ in blocks(read_file(sheet.done()))]
