"""Scans of our own making: pages are written as a PDF, drawn by PDFium, and kept as pictures."""

import io
from collections.abc import Sequence

import pypdfium2
from fpdf import FPDF
from PIL import Image

A4 = (595, 842)
BERTH = "The harbour master assigns each berth by the length of the boat."
CAFE = "Größere Öffnungszeiten, heiße Äpfel für 5 Fuß; le café à l'hôtel où ça coûte."


def drawn(*lines: str, size: float = 11, dots: int = 200, top: float = 100) -> Image.Image:
    """A page of these lines, in Helvetica, so many pixels to an inch."""
    return placed([(60, top + 1.6 * size * n, line) for n, line in enumerate(lines)], size, dots)


def placed(
    texts: Sequence[tuple[float, float, str]], size: float = 11, dots: int = 200
) -> Image.Image:
    """A page with each text at its own place, in points from the left and the top."""
    paper = FPDF(unit="pt", format=A4)
    paper.add_page()
    paper.set_font("Helvetica", size=size)
    for left, top, text in texts:
        paper.text(left, top, text)
    document = pypdfium2.PdfDocument(bytes(paper.output()))
    picture: Image.Image = document[0].render(scale=dots / 72).to_pil()
    document.close()
    return picture.convert("RGB")


def scan(*pictures: Image.Image) -> bytes:
    """A PDF with a picture a page, and no text."""
    paper = FPDF(unit="pt", format=A4)
    for picture in pictures:
        paper.add_page(orientation="L" if picture.width > picture.height else "P")
        paper.image(picture, 0, 0, paper.w, paper.h)
    return bytes(paper.output())


def saved(format: str, *pictures: Image.Image, **settings: object) -> bytes:
    file = io.BytesIO()
    more = {"save_all": True, "append_images": pictures[1:]} if len(pictures) > 1 else {}
    pictures[0].save(file, format, **more, **settings)
    return file.getvalue()
