"""PDF: pages, headings, paragraphs, lists, tables; what is refused, and why."""

import random

import pytest
from files import pdf
from fpdf import FPDF
from hypothesis import given
from hypothesis import strategies as st
from promises import blocks, read_file, read_or_refuse, refusal

LOREM = (
    "The library opens at nine on weekdays and at ten on Saturdays. Books can be borrowed for "
    "four weeks and renewed twice unless somebody else has asked for them. Whoever brings a book "
    "back late pays twenty cents a day, at most the price of the book. "
)


class Paper(FPDF):
    """A page to write on, in Helvetica."""

    def __init__(self) -> None:
        super().__init__()
        self.add_page()
        self.write_text("", 11)

    def write_text(self, text: str, size: float = 11, style: str = "", after: float = 4) -> None:
        self.set_font("Helvetica", style, size)
        if text:
            self.multi_cell(0, size * 0.5, text, align="L", new_x="LMARGIN", new_y="NEXT")
            self.ln(after)

    def done(self) -> bytes:
        return bytes(self.output())


def test_a_page_is_read_as_its_author_wrote_it() -> None:
    paper = Paper()
    paper.write_text("Opening Hours and Fees", 22)
    paper.write_text(LOREM * 2)
    paper.write_text("Fees for Late Books", 15)
    paper.write_text(LOREM)
    paper.write_text("In Short", 11, "B")
    paper.write_text("- borrow\n- read " + LOREM + "\n- bring back")
    parsed = read_file(paper.done(), "pdf")
    assert parsed.title == "Opening Hours and Fees"
    top, fees = "Opening Hours and Fees", "Fees for Late Books"
    assert blocks(parsed) == [
        ("heading", (top,), top),
        ("paragraph", (top,), (LOREM * 2).strip()),
        ("heading", (top, fees), fees),
        ("paragraph", (top, fees), LOREM.strip()),
        ("heading", (top, fees, "In Short"), "In Short"),
        ("list", (top, fees, "In Short"), f"- borrow\n- read {LOREM.strip()}\n- bring back"),
    ]


def test_each_block_has_its_page() -> None:
    parsed = read_file(pdf(["One.", "", "Three."]), "pdf")
    pages = [(block.page, parsed.text[block.start : block.end]) for block in parsed.blocks]
    assert pages == [(1, "One."), (3, "Three.")]


def test_short_lines_stay_lines() -> None:
    text = "Position: Librarian\nCity: Oslo\nBegins: May"
    parsed = read_file(pdf([f"{LOREM}\n\n{text}"]), "pdf")
    assert blocks(parsed)[-1][2] == text


def test_columns_of_a_line_are_cells() -> None:
    paper = Paper()
    paper.write_text(LOREM)
    for row in (("Item", "Days", "Fee"), ("Book", "28", "0.20"), ("Film", "7", "1.00")):
        for cell in row:
            paper.cell(50, 6, cell)
        paper.ln()
    kind, _, text = blocks(read_file(paper.done(), "pdf"))[-1]
    assert (kind, text) == ("table", "Item | Days | Fee\nBook | 28 | 0.20\nFilm | 7 | 1.00")


def test_cells_of_a_ruled_table_are_read_whole() -> None:
    paper = Paper()
    paper.write_text(LOREM)
    wrapped = "lent for four weeks, renewed twice unless somebody else has asked"
    with paper.table(col_widths=(20, 60, 20), text_align="LEFT") as table:
        for row in (("Item", "Rules", "Fee"), ("Book", wrapped, "0.20"), ("Film", "", "1.00")):
            table.row(row)
    paper.write_text("After the table.")
    found = blocks(read_file(paper.done(), "pdf"))
    assert found[-2][0] == "table"
    assert found[-2][2] == f"Item | Rules | Fee\nBook | {wrapped} | 0.20\nFilm |  | 1.00"
    assert found[-1][2] == "After the table."


def test_a_frame_around_text_is_no_table() -> None:
    paper = Paper()
    for top in (20, 100):
        for left in (15, 105):
            paper.rect(left, top, 90, 80)
    paper.set_xy(20, 25)
    for n in range(10):
        paper.set_x(20)
        paper.cell(80, 6, f"Line {n} of what is framed.", new_y="NEXT")
    assert [block[0] for block in blocks(read_file(paper.done(), "pdf"))] == ["paragraph"]


def test_running_heads_and_page_numbers_are_left_out() -> None:
    pages = [f"Page of the {word}. {LOREM}\n\n" * 3 for word in ("cat", "dog", "cow", "hen")]
    parsed = read_file(pdf(pages, header="Guide - page"), "pdf")
    assert "Guide" not in parsed.text
    assert parsed.text.count("Page of the") == 12


def test_words_broken_at_the_end_of_a_line_are_joined() -> None:
    text = (
        "It is well-known. We know about infor-\nmation and out-of-\nnetwork care, a well-\n"
        "known thing, and self-\npublishing, in 1990-\n1995."
    )
    joined = "information and out-of-network care, a well-known thing, and self-publishing"
    parsed = read_file(pdf([text]), "pdf")
    assert joined in parsed.text.replace("\n", " ")
    assert "1990-1995" in parsed.text


def test_the_title_is_that_of_the_file_unless_it_is_a_file_name() -> None:
    for given_title, found in (("The  Guide", "The Guide"), ("guide_v2.docx", "Fees")):
        paper = Paper()
        paper.set_title(given_title)
        paper.write_text("Fees", 20)
        paper.write_text(LOREM)
        assert read_file(paper.done(), "pdf").title == found


def test_a_cover_page_is_the_title_and_no_heading_of_all() -> None:
    paper = Paper()
    paper.write_text("City Library", 36)
    paper.write_text("Guide for Readers", 24)
    paper.add_page()
    paper.write_text("Fees", 16)
    paper.write_text(LOREM)
    parsed = read_file(paper.done(), "pdf")
    assert parsed.title == "City Library Guide for Readers"
    assert parsed.blocks[-1].headings == ("Fees",)


def test_two_columns_are_read_one_after_the_other() -> None:
    paper = Paper()
    for left, word in ((15, "left"), (110, "right")):
        paper.set_xy(left, 20)
        for n in range(30):
            paper.set_x(left)
            paper.cell(85, 6, f"The {word} column has its line {n} here.", new_y="NEXT")
    text = read_file(paper.done(), "pdf").text
    assert text.index("right") > text.rindex("left")


@pytest.mark.parametrize(
    ("data", "hint"),
    [
        (pdf(["", ""]), "without text"),
        (pdf(["Secret"], password="x"), "encrypted"),
        (b"%PDF-1.7\nnothing else", "damaged"),
        (b"\x89PNG\r\n\x1a\n....", "a picture file"),
        (b"Just text", "plain text"),
        (b" \n", "is empty"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(data: bytes, hint: str) -> None:
    assert hint in refusal(data, "pdf")


WHOLE = pdf([LOREM, "Two.\n\n- a\n- b"], header="Head")


@given(st.integers(0, len(WHOLE)), st.integers(0, 2**32))
def test_damaged_files_are_read_or_refused(end: int, seed: int) -> None:
    chance = random.Random(seed)
    data = bytearray(WHOLE[:end])
    for _ in range(chance.randrange(20)):
        if data:
            data[chance.randrange(len(data))] = chance.randrange(256)
    read_or_refuse(bytes(data), "pdf")


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(tail: bytes) -> None:
    read_or_refuse(b"%PDF-1.4\n" + tail, "pdf")
