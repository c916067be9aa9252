"""A line of a page, with its place in points."""

from msgspec import Struct


class PageLine(Struct, frozen=True, kw_only=True, gc=False):
    """A line of a page in points; `base` is its baseline, counted upwards."""

    text: str
    left: float
    right: float
    base: float
    size: float
    bold: bool = False
    right_to_left: bool = False
    hyphen: bool = False
    """A hyphen that broke its last word has been taken away."""
    cells: tuple[str, ...] = ()
    """The line in columns, where gaps part it into two or more; or a row of a ruled table."""
