"""A page as a picture, and what reads the text in it."""

from collections.abc import Callable, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from rag_service.readers.layout import PageLine
from rag_service.readers.outline import Outline

INSTALL = "pip install 'rag-service[ocr]'"
"""What brings a recogniser."""


class PagePicture(Struct, frozen=True, kw_only=True):
    """A page as a person sees it, upright."""

    pixels: NDArray[np.uint8]
    """Shape (height, width, 3): RGB, the first row on top."""
    scale: float
    """Points per pixel: 0.36 where there are 200 pixels to an inch."""


LEAST_CERTAINTY = 0.7
"""Lines below it are told. A guess: drawn text has 0.99, and on its side or its head 0.62."""

Recogniser = Callable[[PagePicture], list[PageLine]]
"""Lines in points, counted from the lower left corner; none where it sees no text."""


def tell_uncertain(lines: Sequence[PageLine], outline: Outline, where: str) -> None:
    """How many of the lines that a recogniser gave may be read wrongly."""
    if count := sum(line.certainty < LEAST_CERTAINTY for line in lines):
        read = "read with little certainty"
        outline.leave_out(f"line {read}", f"lines {read}", count=count, where=where)
