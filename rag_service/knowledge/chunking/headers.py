"""What stands above the text of each chunk: the title, and the headings that its blocks share."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

TARGET_TOKENS = 200
"""A chunk is one thought, about a paragraph or three; longer ones blur into the mean of several."""
LONGEST_HEADER = 400
"""Characters of a title or a heading path; what is longer is cut before anyone tokenizes it."""
BATCH = 1_024
"""Headings, or chunks to be measured again, that are tokenized at once."""
Offsets = NDArray[np.int32]
"""As the embedders give them, which this layer does not import: shape (tokens, 2), [start, end)."""
TokenOffsets = Callable[[Sequence[str]], list[Offsets]]
Path = tuple[str, ...]


class Headers:
    """What stands above each chunk's text, and how many tokens that takes of the window."""

    def __init__(self, title: str, window: int, token_offsets: TokenOffsets) -> None:
        self.window = window
        self._token_offsets = token_offsets
        title = title.strip()[:LONGEST_HEADER]
        ((self.title, self._title_tokens),) = self._measured([(title,)], window // 6)
        self._room = window // 4 - self._title_tokens
        self._headings: dict[Path, tuple[str, int]] = {(): ("", 0)}

    def measure(self, paths: Iterable[Path]) -> None:
        """Prepare for these paths, and for what any of them have in common."""
        wanted: dict[Path, None] = {}
        for path in paths:
            while path not in self._headings and path not in wanted:
                wanted[path] = None
                path = path[:-1]
        todo = list(wanted)
        for at in range(0, len(todo), BATCH):
            batch = todo[at : at + BATCH]
            measured = self._measured([_inmost(path) for path in batch], self._room)
            self._headings.update(zip(batch, measured, strict=True))

    def heading(self, path: Path) -> str:
        return self._headings[path][0]

    def tokens(self, path: Path) -> int:
        return self._title_tokens + self._headings[path][1]

    def target(self, path: Path) -> int:
        """How many tokens of text a chunk under these headings may have."""
        return min(TARGET_TOKENS, self.window - self.tokens(path))

    def embedded(self, path: Path, text: str) -> str:
        return "\n".join(part for part in (self.title, self.heading(path), text) if part)

    def _measured(self, paths: list[Path], limit: int) -> list[tuple[str, int]]:
        """Each path as one line and its tokens; outer headings go first where the limit is less."""
        lines = [" > ".join(path) for path in paths]
        found = self._token_offsets(lines)
        counts = [len(offsets) for offsets in found]
        long = [index for index, count in enumerate(counts) if count > limit]
        for index in long:
            lines[index] = _shortened(paths[index], found[index], limit)
        if long:
            again = self._token_offsets([lines[index] for index in long])
            for index, offsets in zip(long, again, strict=True):
                counts[index] = len(offsets)
                if len(offsets) > 2 * limit:  # a tokenizer that counts more after each cut
                    lines[index], counts[index] = "", 0
        return list(zip(lines, counts, strict=True))


def _inmost(path: Path) -> Path:
    """As many headings as LONGEST_HEADER allows, from the innermost outwards."""
    room = LONGEST_HEADER
    kept: list[str] = []
    for heading in reversed(path):
        if kept and len(heading) > room:
            break
        kept.append(heading[:LONGEST_HEADER])
        room -= len(heading) + len(" > ")
    return tuple(reversed(kept))


def _shortened(path: Path, offsets: Offsets, limit: int) -> str:
    ends = offsets[:, 1]
    line = " > ".join(path)
    at = 0
    for heading in path[:-1]:
        at += len(heading) + len(" > ")
        if len(ends) - int(np.searchsorted(ends, at, "right")) <= limit:
            return line[at:]
    first = int(np.searchsorted(ends, at, "right"))
    if len(ends) - first <= limit or limit < 1:
        return line[at:] if limit > 0 else ""
    end = int(ends[first + limit - 1])
    space = line.rfind(" ", at, end + 1)
    return line[at : space if space > at else end].rstrip()
