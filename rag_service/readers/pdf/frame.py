"""How text is turned on a page: in quarters, so that a line that runs up is read as one that runs
to the right."""

import math

from msgspec import Struct

from rag_service.readers.layout.rulings import Box


class Frame(Struct, frozen=True, gc=False):
    """`quarters` times 90 degrees against the clock is the way that a line runs on the page."""

    quarters: int

    def turn(self, box: Box) -> Box:
        """A box of the page, as it stands for somebody who reads."""
        left, bottom, right, top = box
        match self.quarters:
            case 1:
                return bottom, -right, top, -left
            case 2:
                return -right, -top, -left, -bottom
            case 3:
                return -top, left, -bottom, right
            case _:
                return box

    def back(self, box: Box) -> Box:
        """What `turn` made such."""
        return Frame(-self.quarters % 4).turn(box)


UPRIGHT = Frame(0)


def frame_of(across: float, up: float) -> Frame:
    """Of text that runs in this direction; what is slanted counts as the next quarter."""
    if up == 0 and across > 0:
        return UPRIGHT
    return Frame(round(math.atan2(up, across) / (math.pi / 2)) % 4)
