"""Pictures of text (PNG, JPEG, TIFF, BMP, WebP, GIF) -> what is written on them, recognised."""

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from rag_service.documents import ParsedDocument
from rag_service.errors import Unreadable
from rag_service.readers.layout import read_pages
from rag_service.readers.outline import Outline
from rag_service.readers.page_pictures import PagePicture, Recogniser, tell_uncertain
from rag_service.readers.recognition import LONGEST_SIDE

MOST_PIXELS = 80_000_000
"""Of one page: A4 at 900 an inch, A0 at 220. A small file can claim more than there is memory."""
MOST_PAGES = 1_000

_FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF")
_PAGE_WIDTH = 595.0
"""In points. Few pictures say truly how large they are; the text of all is taken to be on A4."""


def read_picture(data: bytes, recognise: Recogniser) -> ParsedDocument:
    """Each page of a TIFF is a page; of an animation the first picture is read.

    A picture without text is no failure: it is told that nothing was read. Raises Unreadable:
    damaged, or too large.
    """
    outline = Outline()
    pages = []
    for number, pixels in enumerate(_pictures(data), 1):
        lines = recognise(PagePicture(pixels=pixels, scale=_PAGE_WIDTH / pixels.shape[1]))
        outline.leave_out(*(_READ if lines else _BLANK), where=f"page {number}")
        tell_uncertain(lines, outline, f"page {number}")
        pages.append(lines)
    return read_pages(pages, "", outline)


_READ = ("picture: read by text recognition", "pictures: read by text recognition")
_BLANK = ("picture without text", "pictures without text")


def _pictures(data: bytes) -> Iterator[NDArray[np.uint8]]:
    """One at a time, upright as the camera noted, on white, no larger than is recognised."""
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
            count = getattr(picture, "n_frames", 1) if picture.format == "TIFF" else 1
            if count > MOST_PAGES:
                raise Unreadable(f"is a picture of more than {MOST_PAGES:,} pages: split it")
            for number in range(count):
                if number:
                    picture.seek(number)
                yield _pixels(picture)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Unreadable(_TOO_LARGE) from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError) as error:
        raise Unreadable("is a damaged picture: open it in a viewer and save it again") from error


_TOO_LARGE = f"is a picture of more than {MOST_PIXELS:,} pixels: save it smaller"


def _pixels(picture: Any) -> NDArray[np.uint8]:
    if picture.width * picture.height > MOST_PIXELS:
        raise Unreadable(_TOO_LARGE)
    picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # a JPEG is then decoded smaller
    page = ImageOps.exif_transpose(picture)
    if max(page.size) > LONGEST_SIDE:
        page = page if page.mode in ("L", "RGB", "RGBA", "LA") else page.convert("RGBA")
        page.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    shades = page.convert("RGBA")
    white = Image.new("RGBA", shades.size, "white")
    return np.asarray(Image.alpha_composite(white, shades).convert("RGB"))
