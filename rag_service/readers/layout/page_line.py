"""A line of a page, with its place in points."""

from msgspec import Struct


class PageLine(Struct, frozen=True, kw_only=True, gc=False):
    """Places are points, as the line is read: it runs to the right, `base` is its baseline, counted
    upwards."""

    text: str
    left: float
    right: float
    base: float
    size: float
    bold: bool = False
    right_to_left: bool = False
    hyphen: bool = False
    """A hyphen that broke its last word has been taken away."""
    certainty: float = 1.0
    """That it is read as it is written, from 0 to 1: that of its least certain part."""
    cells: tuple[str, ...] = ()
    """The line in columns, where gaps part it into two or more; or a row of a ruled table."""
    spans: tuple[tuple[float, float], ...] = ()
    """From where to where each of the cells goes; none for a row of a ruled table."""

    @property
    def is_ruled(self) -> bool:
        """Whether it is a row of a table whose grid is drawn."""
        return bool(self.cells) and not self.spans

    @property
    def widest_gap(self) -> float:
        """Between two of its cells."""
        ends = zip(self.spans, self.spans[1:], strict=False)
        return max((after[0] - before[1] for before, after in ends), default=0)
