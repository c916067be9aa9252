"""PDF pages that are pictures: they are told, and given to a recogniser if there is one."""

import numpy as np
import pytest
from fpdf import FPDF
from PIL import Image
from promises import keeps_promises

from rag_service.errors import Unreadable
from rag_service.readers.layout import PageLine
from rag_service.readers.page_pictures import PagePicture
from rag_service.readers.pdf import read_pdf


def scanned(*texts: str) -> bytes:
    """A page each; one without text is a picture, black at the top and white below."""
    paper = FPDF(unit="pt", format=(300, 400))
    picture = Image.new("RGB", (30, 40), "white")
    picture.paste((0, 0, 0), (0, 0, 30, 10))
    for text in texts:
        paper.add_page()
        if text:
            paper.set_font("Helvetica", size=11)
            paper.text(30, 50, text)
        else:
            paper.image(picture, 0, 0, 300, 400)
    return bytes(paper.output())


def told(data: bytes) -> list[str]:
    return [kind.sentence for kind in read_pdf(data).left_out]


def test_pages_without_text_are_told() -> None:
    assert told(scanned("One.", "", "Three.", "")) == ["2 pages without text (page 2, page 4)"]


def test_lines_that_are_read_with_little_certainty_are_told() -> None:
    def recognise(picture: PagePicture) -> list[PageLine]:
        return [
            PageLine(text=text, left=30, right=120, base=350 - 20 * n, size=11, certainty=certainty)
            for n, (text, certainty) in enumerate(
                (("Clear.", 0.99), ("BIur.", 0.5), ("B1ot.", 0.6))
            )
        ]

    told = [kind.sentence for kind in read_pdf(scanned("One.", ""), recognise).left_out]
    assert "2 lines read with little certainty (page 2)" in told


def test_a_page_without_text_is_given_to_a_recogniser() -> None:
    seen = []

    def recognise(picture: PagePicture) -> list[PageLine]:
        seen.append(picture)
        line = PageLine(text="Seen in a picture.", left=30, right=120, base=350, size=11)
        return [line]

    parsed = read_pdf(scanned("One.", "", "Three."), recognise)
    assert keeps_promises(parsed)
    assert [parsed.text[b.start : b.end] for b in parsed.blocks] == [
        "One.",
        "Seen in a picture.",
        "Three.",
    ]
    assert [kind.sentence for kind in parsed.left_out] == [
        "1 page without text: read by text recognition (page 2)"
    ]
    (picture,) = seen
    height, width, depth = picture.pixels.shape
    assert (picture.pixels.dtype, depth) == (np.uint8, 3)
    assert width * picture.scale == pytest.approx(300, abs=1)
    assert height * picture.scale == pytest.approx(400, abs=1)
    assert picture.pixels[10, 10].tolist() == [0, 0, 0]
    assert picture.pixels[-10, 10].tolist() == [255, 255, 255]


def test_a_scan_that_nobody_can_read_is_refused() -> None:
    with pytest.raises(Unreadable) as caught:
        read_pdf(scanned("", ""))
    assert "without text, which scans are: run text recognition" in caught.value.reason
    assert "pip install 'rag-service[ocr]'" in caught.value.reason
    with pytest.raises(Unreadable) as caught:
        read_pdf(scanned("", ""), lambda picture: [])
    assert "text recognition found none" in caught.value.reason
