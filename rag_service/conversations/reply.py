"""An answer as it comes."""

from msgspec.structs import replace

from rag_service.conversations.budgets import beginning
from rag_service.conversations.citations import Citations
from rag_service.conversations.lookup import Lookup
from rag_service.conversations.messages import Source, Usage


class Reply:
    """What was said of it so far; `most_tokens` is where it ends at the latest."""

    def __init__(self, lookup: Lookup, most_tokens: int | None = None) -> None:
        self.citations = Citations(len(lookup.sources))
        self.pieces: list[str] = []
        self.usage: Usage | None = None
        self.declined = False
        """The model says that the passages do not hold the answer."""
        self.complete = False
        self.cut_off = False
        """It had more to say than `most_tokens`."""
        self._most_tokens = most_tokens

    def add(self, piece: str) -> str:
        """As much of it as there is room for."""
        if self._most_tokens is not None and piece:
            said = "".join(self.pieces)
            fits = beginning(said + piece, self._most_tokens)[len(said) :]
            self.cut_off = self.cut_off or fits != piece
            piece = fits
        if piece:
            self.pieces.append(piece)
        return piece


def marked(sources: list[Source], reply: Reply) -> list[Source] | None:
    """All of them, the cited ones first, in the order of their numbers."""
    used, related = ([], sources) if reply.declined else reply.citations.part(sources)
    cited = [replace(source, used=True) for source in used]
    return cited + [replace(source, used=False) for source in related] or None
