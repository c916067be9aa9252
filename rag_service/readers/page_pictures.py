"""A page as a picture, and what reads the text in it."""

from collections.abc import Callable

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from rag_service.readers.layout import PageLine

INSTALL = "pip install 'rag-service[ocr]'"
"""What brings a recogniser."""


class PagePicture(Struct, frozen=True, kw_only=True):
    """A page as a person sees it, upright."""

    pixels: NDArray[np.uint8]
    """Shape (height, width, 3): RGB, the first row on top."""
    scale: float
    """Points per pixel: 0.36 where there are 200 pixels to an inch."""


Recogniser = Callable[[PagePicture], list[PageLine]]
"""Lines in points, counted from the lower left corner; none where it sees no text."""
