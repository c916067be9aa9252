"""Picture files: what is written on them is read, and what cannot be is refused with a reason."""

import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from promises import keeps_promises, read_file
from promises import refusal as refusal_of_file
from scans import BERTH, drawn, saved, scan

from rag_service.documents import Document, ParsedDocument
from rag_service.errors import Unreadable
from rag_service.readers import parse
from rag_service.readers import scans as scans_reader
from rag_service.readers.layout import PageLine
from rag_service.readers.page_pictures import PagePicture
from rag_service.readers.picture import MOST_PIXELS, read_picture
from rag_service.readers.recognition import LONGEST_SIDE, recogniser
from rag_service.sources.folder import Defaults, Sources


def read(data: bytes) -> ParsedDocument:
    recognise = recogniser() or pytest.skip("the extra [ocr] is not installed")
    parsed = read_picture(data, recognise)
    assert keeps_promises(parsed)
    return parsed


def refusal(data: bytes) -> str:
    with pytest.raises(Unreadable) as caught:
        read_picture(data, lambda picture: [])
    return caught.value.reason


class Seen(list[PagePicture]):
    """A recogniser that keeps what it was shown."""

    def __call__(self, picture: PagePicture) -> list[PageLine]:
        self.append(picture)
        return [PageLine(text="Seen.", left=0, right=30, base=10, size=10)]


@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF"])
def test_each_format_is_read(format: str) -> None:
    parsed = read(saved(format, drawn(BERTH)))
    assert parsed.text == BERTH
    assert [told.sentence for told in parsed.left_out] == [
        "1 picture: read by text recognition (page 1)"
    ]


@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF"])
def test_each_format_is_known_by_its_content(format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    data = saved(format, Image.new("L", (90, 90)))
    for said in ("auto", "picture"):
        assert "pip install 'rag-service[ocr]'" in refusal_of_file(data, said)
    assert "is no html file but a picture file" in refusal_of_file(data, "html")


@pytest.mark.parametrize("text", ["BMW builds cars.", "GIF89 was a format.", "II*", "RIFF WEBP"])
def test_a_text_that_begins_like_a_picture_is_a_text(text: str) -> None:
    assert read_file(text.encode()).text == text
    assert "is no picture file" in refusal_of_file(text.encode(), "picture")


def test_a_folder_gives_its_pictures_where_they_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "page.md").write_text("# Page")
    (tmp_path / "scan.jpeg").write_bytes(saved("JPEG", Image.new("L", (90, 90))))
    defaults = Defaults(bot_id=None, content_type=None, longest=10_000_000)
    if recogniser() is not None:
        everything = Sources([tmp_path], defaults)
        assert (everything.count(), everything.skipped) == (2, {})
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    pages = Sources([tmp_path], defaults)
    assert (pages.count(), pages.skipped) == (1, {".jpeg": 1})
    assert Sources([tmp_path / "scan.jpeg"], defaults).count() == 1


def test_each_page_of_a_tiff_is_a_page() -> None:
    parsed = read(saved("TIFF", drawn("First page here."), drawn("Second page here.")))
    assert [(b.page, parsed.text[b.start : b.end]) for b in parsed.blocks] == [
        (1, "First page here."),
        (2, "Second page here."),
    ]


def test_of_an_animation_the_first_picture_is_read() -> None:
    seen = Seen()
    read_picture(saved("GIF", Image.new("L", (90, 90)), Image.new("L", (90, 90), 255)), seen)
    assert [picture.pixels.max() for picture in seen] == [0]


def test_what_is_transparent_is_white() -> None:
    ink = drawn(BERTH).convert("L").point(lambda shade: 255 - shade)
    page = Image.new("RGBA", ink.size, "black")
    page.putalpha(ink)
    assert read(saved("PNG", page)).text == BERTH


def test_a_photo_is_turned_as_its_camera_noted() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned to the right
    seen = Seen()
    read_picture(saved("JPEG", Image.new("RGB", (60, 20)), exif=exif), seen)
    assert seen[0].pixels.shape == (60, 20, 3)


@pytest.mark.parametrize("format", ["PNG", "JPEG"])
def test_a_large_picture_is_made_smaller(format: str) -> None:
    seen = Seen()
    read_picture(saved(format, Image.new("L", (5000, 300), 255)), seen)
    assert max(seen[0].pixels.shape) <= LONGEST_SIDE


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "I;16", "CMYK", "RGBA"])
def test_every_kind_of_colour_becomes_red_green_and_blue(mode: str) -> None:
    seen = Seen()
    read_picture(saved("TIFF", Image.new(mode, (40, 30))), seen)
    assert seen[0].pixels.shape == (30, 40, 3)
    assert seen[0].pixels.dtype == np.uint8


def test_a_picture_that_claims_more_pixels_than_memory_is_refused() -> None:
    assert f"more than {MOST_PIXELS:,} pixels" in refusal(_png(20_000, 20_000))
    assert f"more than {MOST_PIXELS:,} pixels" in refusal(_png(9_000, 9_000))


@pytest.mark.parametrize("length", [0, 10, 60, 400])
def test_a_torn_picture_is_refused(length: int) -> None:
    assert "damaged" in refusal(saved("PNG", drawn(BERTH))[:length])


def test_a_picture_without_text_is_an_empty_document_that_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scans_reader, "recogniser", lambda: lambda picture: [])
    content = saved("TIFF", *[Image.new("L", (90, 90))] * 2)
    parsed = parse(Document(source_url="photo.tif", content=content))
    assert (parsed.text, parsed.blocks) == ("", [])
    assert [told.sentence for told in parsed.left_out] == [
        "2 pictures without text (page 1, page 2)"
    ]


@pytest.mark.parametrize("read", [scans_reader.read_pdf, scans_reader.read_picture])
def test_without_the_extra_the_refusal_names_it(
    read: Callable[[bytes], ParsedDocument], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    page = Image.new("L", (90, 90))
    with pytest.raises(Unreadable) as caught:
        read(scan(page) if read is scans_reader.read_pdf else saved("PNG", page))
    assert "pip install 'rag-service[ocr]'" in caught.value.reason


def _png(width: int, height: int) -> bytes:
    """Of one colour, and a few bytes long: its rows are missing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = chunk(b"IDAT", zlib.compress(b"\0" * 100))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + rows + chunk(b"IEND", b"")
