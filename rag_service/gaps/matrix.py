"""A matrix whose rows come and go."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

_FIRST = 64


class Matrix:
    """Rows keep their numbers, and numbers of removed rows are used again. A removed row is 0."""

    def __init__(self, width: int, dtype: DTypeLike) -> None:
        self._rows: NDArray[Any] = np.zeros((_FIRST, width), dtype)
        self.free: list[int] = []
        """The numbers of removed rows."""
        self._used = 0

    @property
    def rows(self) -> NDArray[Any]:
        """Up to the last one in use; the removed ones between them too."""
        return self._rows[: self._used]

    def add(self, row: NDArray[Any]) -> int:
        if self.free:
            number = self.free.pop()
        else:
            number = self._used
            self._used += 1
            if number == len(self._rows):
                self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
        self._rows[number] = row
        return number

    def remove(self, number: int) -> None:
        self._rows[number] = 0
        self.free.append(number)
