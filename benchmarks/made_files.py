"""A file of each format, made in code: a title, paragraphs, a list and a table."""

import csv
import io
import json
from collections.abc import Callable, Sequence
from email.message import EmailMessage

import docx
import openpyxl
import pptx
from fpdf import FPDF

TITLE = "Rules of the harbour"
PARAGRAPHS = (
    "The harbour master assigns each berth by the length of the boat, and nobody else does.",
    "Owners pay in March; whoever pays later loses the place to the next on the list.",
    "Größere Öffnungszeiten gelten im Sommer, auch für Gäste aus dem Süden.",
)
ITEMS = ("Lifejackets for children", "A lamp after sunset")
TABLE = (("Berth", "Owner", "Fee"), ("B01", "Lindau", "103"), ("B02", "Bregenz", "110"))


def pdf(pages: int = 2) -> bytes:
    paper = FPDF(unit="pt", format="A4")
    for page in range(1, pages + 1):
        paper.add_page()
        paper.set_font("Helvetica", size=18)
        paper.multi_cell(0, 26, f"{TITLE}, part {page}", new_x="LMARGIN", new_y="NEXT")
        paper.set_font("Helvetica", size=11)
        for text in (*PARAGRAPHS, f"This is what page {page} says of the matter."):
            paper.multi_cell(0, 16, text, new_x="LMARGIN", new_y="NEXT")
            paper.ln(12)
        with paper.table() as table:
            for row in TABLE:
                table.row(row)
    return bytes(paper.output())


def word() -> bytes:
    document = docx.Document()
    document.add_heading(TITLE, 1)
    for text in PARAGRAPHS:
        document.add_paragraph(text)
    for text in ITEMS:
        document.add_paragraph(text, style="List Bullet")
    table = document.add_table(len(TABLE), len(TABLE[0]))
    for row, texts in zip(table.rows, TABLE, strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    return _saved(document.save)


def slides() -> bytes:
    show = pptx.Presentation()
    for text in PARAGRAPHS:
        slide = show.slides.add_slide(show.slide_layouts[1])
        slide.shapes.title.text = TITLE
        slide.placeholders[1].text = "\n".join((text, *ITEMS))
    return _saved(show.save)


def workbook() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (*TABLE, *((text, "", str(number)) for number, text in enumerate(PARAGRAPHS))):
        sheet.append(row)
    return _saved(book.save)


def page() -> bytes:
    rows = "".join(f"<tr>{_cells(row)}</tr>" for row in TABLE)
    paragraphs = "".join(f"<p>{text}</p>" for text in PARAGRAPHS)
    items = "".join(f"<li>{text}</li>" for text in ITEMS)
    return (
        f"<!doctype html><html><head><title>{TITLE}</title><style>p{{}}</style></head><body>"
        f"<main><h1>{TITLE}</h1>{paragraphs}<ul>{items}</ul><table>{rows}</table></main>"
        "<script>var unseen = 1;</script></body></html>"
    ).encode()


def markdown() -> bytes:
    items = "\n".join(f"- {text}" for text in ITEMS)
    return "\n\n".join((f"# {TITLE}", *PARAGRAPHS, items, "[A link](https://x.test)")).encode()


def plain() -> bytes:
    return "\n\n".join((TITLE, *PARAGRAPHS, *ITEMS)).encode()


def table() -> bytes:
    file = io.StringIO()
    csv.writer(file).writerows((*TABLE, *((text, *ITEMS) for text in PARAGRAPHS)))
    return file.getvalue().encode()


def records() -> bytes:
    rows = [dict(zip(TABLE[0], row, strict=True)) for row in TABLE[1:]]
    return json.dumps({"title": TITLE, "rules": list(PARAGRAPHS), "berths": rows}).encode()


def mail() -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@x.test", "b@x.test", TITLE
    message.set_content("\n\n".join((*PARAGRAPHS, *ITEMS)))
    return message.as_bytes()


def _cells(row: Sequence[str]) -> str:
    return "".join(f"<td>{text}</td>" for text in row)


def _saved(save: Callable[[io.BytesIO], object]) -> bytes:
    file = io.BytesIO()
    save(file)
    return file.getvalue()


MADE: dict[str, Callable[[], bytes]] = {
    ".pdf": pdf,
    ".docx": word,
    ".pptx": slides,
    ".xlsx": workbook,
    ".html": page,
    ".md": markdown,
    ".txt": plain,
    ".csv": table,
    ".json": records,
    ".eml": mail,
}
"""By the ending of a file's name."""
