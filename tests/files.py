"""Small files of every format, made when they are wanted."""

import io
from typing import Any
from xml.sax.saxutils import escape

import docx as word
import openpyxl
from fpdf import FPDF


def pdf(pages: list[str], *, header: str = "", password: str = "") -> bytes:
    """A paragraph or more a page; a page without text has a line drawn on it."""

    class Paper(FPDF):
        def header(self) -> None:
            if header:
                self.set_font("Helvetica", size=9)
                self.cell(text=f"{header} {self.page_no()}")
                self.ln(12)

    paper = Paper()
    if password:
        paper.set_encryption(owner_password="owner", user_password=password)
    for text in pages:
        paper.add_page()
        paper.line(10, 200, 100, 200)
        paper.set_font("Helvetica", size=11)
        if text:
            paper.multi_cell(0, text=text, align="L")
    return bytes(paper.output())


def docx(*paragraphs: str) -> bytes:
    document = word.Document()
    for paragraph in paragraphs:
        document.add_paragraph(paragraph)
    return saved(document)


def xlsx(rows: list[list[Any]], title: str = "Sheet") -> bytes:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = title
    for row in rows:
        sheet.append(row)
    return saved(workbook)


def saved(document: Any) -> bytes:
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def wordpress(*posts: tuple[str, str], **fields: str) -> bytes:
    """Posts of (title, status); a field is one of `kind`, `content`, `more`, for all of them."""
    content = fields.get("content", "Hello\nthere.\n\nBye.")
    items = "".join(
        f"""<item><title>{escape(title)}</title>
        <link>https://blog.example/{escape(title.lower())}</link>
        <dc:creator>ana</dc:creator>
        <content:encoded><![CDATA[{content}]]></content:encoded>
        <wp:post_date_gmt>2024-05-06 07:08:09</wp:post_date_gmt>
        <wp:status>{status}</wp:status>
        <wp:post_type>{fields.get("kind", "post")}</wp:post_type>
        <category domain="category" nicename="news"><![CDATA[News]]></category>
        <category domain="post_tag" nicename="x"><![CDATA[Tag & x]]></category>
        {fields.get("more", "")}</item>"""
        for title, status in posts
    )
    return f"""<?xml version="1.0" encoding="UTF-8" ?>
    <rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"
      xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:wp="http://wordpress.org/export/1.2/">
    <channel><title>Blog</title>{items}</channel></rss>""".encode()
