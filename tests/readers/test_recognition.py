"""Scans are read: lines, columns and tables of pages that are pictures."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from promises import blocks, keeps_promises, read_file
from scans import BERTH, CAFE, drawn, placed, scan

from rag_service.documents import ParsedDocument
from rag_service.readers.page_pictures import PagePicture
from rag_service.readers.pdf import read_pdf
from rag_service.readers.recognition import LONGEST_SIDE, recognise

pytest.importorskip("rapidocr")

COLUMNS = [
    ("Boats longer than eight metres", "On Sundays the crane does not"),
    ("moor at the northern pier where", "work and nobody is lifted. The"),
    ("the water is deep enough. They", "next day it starts at seven in"),
    ("pay by the metre and the night,", "the morning, and whoever comes"),
    ("whatever the season may be.", "first is lifted out first."),
]


def read(*pictures: Image.Image) -> ParsedDocument:
    parsed = read_pdf(scan(*pictures), recognise)
    assert keeps_promises(parsed)
    return parsed


def test_a_scan_is_read_and_said_to_be_recognised() -> None:
    parsed = read_file(scan(drawn(BERTH, CAFE)), "pdf")
    assert BERTH in parsed.text
    (told,) = parsed.left_out
    assert "read by text recognition" in told.sentence
    assert told.where == ("page 1",)


def test_umlauts_and_accents_are_kept() -> None:
    assert CAFE in " ".join(read(drawn(CAFE, size=12)).text.split())


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_page_that_was_scanned_on_its_side_or_its_head_is_read(quarters: int) -> None:
    page = drawn(BERTH, "It opens at seven.", "Winter", BERTH)
    turned = page.transpose(Image.Transpose(Image.Transpose.ROTATE_90 + quarters - 1))
    text = read(turned).text
    assert text.count(BERTH) == 2
    assert text.index("harbour") < text.index("seven") < text.index("Winter")


@pytest.mark.parametrize("degrees", [-2.0, 1.5])
def test_a_page_that_lies_askew_is_read_line_by_line(degrees: float) -> None:
    askew = drawn(BERTH, "Owners pay in March.", CAFE).rotate(degrees, fillcolor="white")
    text = " ".join(read(askew).text.split())
    assert BERTH in text
    assert text.index("berth") < text.index("March") < text.index("hôtel")


def test_the_left_column_is_read_before_the_right_one() -> None:
    page = placed(
        [
            (left, 120 + 17 * n, text)
            for n, row in enumerate(COLUMNS)
            for left, text in zip((60, 320), row, strict=True)
        ]
    )
    text = " ".join(read(page).text.split())
    assert "moor at the northern pier where the water is deep" in text
    assert text.index("season may be") < text.index("On Sundays")


def test_a_table_keeps_its_rows() -> None:
    rows = [("Berth", "Owner", "Fee EUR"), ("B01", "Lindau", "103"), ("B02", "Bregenz", "110")]
    page = placed(
        [
            (60 + 150 * column, 120 + 20 * n, cell)
            for n, row in enumerate(rows)
            for column, cell in enumerate(row)
        ]
    )
    found = blocks(read(page))
    assert (
        "table",
        (),
        "Berth | Owner | Fee EUR\nB01 | Lindau | 103\nB02 | Bregenz | 110",
    ) in found


def test_a_heading_is_told_from_what_stands_below_it() -> None:
    page = drawn("Mooring rules", size=22, top=60)
    page.paste(drawn(*[BERTH] * 6).crop((0, 220, page.width, 1200)), (0, 220))
    assert [b[:2] for b in blocks(read(page))][:2] == [
        ("heading", ("Mooring rules",)),
        ("paragraph", ("Mooring rules",)),
    ]


def test_small_print_is_read() -> None:
    assert BERTH in read(drawn(BERTH, size=6.5)).text


def test_a_page_with_a_single_word_is_read() -> None:
    assert read(drawn("Winter")).text == "Winter"


@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (500, 3), (40, 40), (300, 20)])
def test_a_picture_without_a_letter_has_no_lines(shape: tuple[int, int]) -> None:
    blank = np.full((*shape, 3), 255, dtype=np.uint8)
    assert recognise(PagePicture(pixels=blank, scale=0.36)) == []


def test_lines_stand_where_they_are_seen_whatever_the_resolution() -> None:
    """Above LONGEST_SIDE the models are given a smaller picture."""
    for dots in (150, 400):
        page = np.asarray(drawn(BERTH, dots=dots))
        assert dots < 400 or page.shape[0] > LONGEST_SIDE
        (line,) = recognise(PagePicture(pixels=page, scale=72 / dots))
        assert line.left == pytest.approx(60, abs=4)
        assert line.base == pytest.approx(842 - 100, abs=4)
        assert line.size == pytest.approx(11, rel=0.2)


def test_nothing_is_fetched() -> None:
    """In a process of its own, in which nothing can be connected to."""
    program = (
        "import socket, numpy\n"
        "def refuse(*_): raise AssertionError('connected')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "from rag_service.readers.page_pictures import PagePicture\n"
        "from rag_service.readers.recognition import recognise\n"
        "pixels = numpy.full((200, 400, 3), 255, dtype=numpy.uint8)\n"
        "pixels[80:120, 40:360:9] = 0\n"
        "recognise(PagePicture(pixels=pixels, scale=0.36))\n"
        "print('done')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "done\n", done.stderr
