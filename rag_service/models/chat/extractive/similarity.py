"""What the vectors of a passage's sentences say of its pieces."""

from collections.abc import Sequence
from itertools import accumulate

from rag_service.documents import Passage
from rag_service.models.chat.extractive.markup import clean, is_question
from rag_service.models.chat.extractive.pieces import Piece
from rag_service.texts.sentences import NearSpan

_KEY = 24
"""Letters and digits by which the beginning of a piece is found in its passage."""


MOST_EMBEDDED = 250
"""Characters of a piece: the longest one would make all that are embedded with it wait."""


def similarities(text: str, pieces: Sequence[Piece], near: Sequence[NearSpan]) -> list[float]:
    """For each piece of this text, in reading order, the nearness of the nearest span that it
    shares letters with. Where a piece cannot be placed, it is where the one before it ended. The
    first piece below a question has the letters of the question as well."""
    if not near:
        return [0.0] * len(pieces)
    letters = _letters(text)
    places = list(accumulate(map(str.isalnum, text), initial=0))
    ends = [places[min(span.end, len(text))] for span in near]
    found: list[float] = []
    end = 0
    for piece in pieces:
        said = _letters(piece.row[0].value if piece.row else piece.text)
        place = letters.find(said[:_KEY], end)
        start = end if place < 0 else place
        end = min(start + len(said), len(letters))
        if piece.place == 0 and is_question(piece.topic):
            asked = letters.rfind(_letters(piece.topic)[:_KEY], 0, start)
            start = start if asked < 0 else asked
        found.append(
            max(
                (
                    span.nearness
                    for span, first, last in zip(near, [0, *ends], ends, strict=False)
                    if first < max(end, start + 1) and last > start
                ),
                default=near[-1].nearness,
            )
        )
    return found


def below_headings(passage: Passage, piece: Piece) -> str:
    """The piece as a reader of the page meets it: title > headings > topic: what it says."""
    labels = (passage.title, *passage.heading.split(" > "), piece.topic)
    above = dict.fromkeys(filter(None, (clean(label).strip("# ") for label in labels)))
    text = piece.text[:MOST_EMBEDDED]
    return f"{' > '.join(above)}: {text}" if above else text


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))
