"""What speaks for a piece of a passage, and what each of it is worth."""

from typing import NamedTuple


class Evidence(NamedTuple):
    """What speaks for a piece, each from 0 to about 1; or the weight of each."""

    own: float
    """The question's words that it has, by how rare they are among the pieces."""
    both: float
    """The same together with its topic and its intro."""
    before: float
    """The question's words in the piece before it, of the same passage."""
    title: float
    """The question's words in its topic."""
    pairs: float
    """Neighbouring words of the question that are neighbours here."""
    density: float
    """How much of what it says the question says too."""
    new: float
    """How much it says that the question does not."""
    rank: float
    """1 / n in the n-th passage."""
    lead: float
    """The passage is the answer to one question, which has words of this one, and it begins it."""
    answer: float
    """It is the first below a question: how alike that and the question are."""
    later: float
    """The same for the two pieces after the first."""
    cue: float
    """A date for when, a number for how many, a name for who."""
    length: float
    line: float
    """It is a line of a list, or one that its author ended."""
    code: float
    """It is code, and nobody asked for any."""
    torn: float
    """It begins or ends in the middle, or announces what does not come."""
    similarity: float
    """Of its meaning to the question's, as the embedder sees it; 0 where that is not known."""
    nearest: float
    """The most similarity that a piece of its passage has."""
    example: float
    """It says of itself that it is an example: the rule stands elsewhere."""
    meaning: float = 0.0
    """The nearness of the piece below its headings, by a vector of its own; `similarity` where it
    was not read closer."""


WEIGHTS = Evidence(
    own=0.6, both=2.7, before=0.3, title=0.55, pairs=1.0, density=1.0, new=1.1, rank=1.4, lead=2.5,
    answer=2.4, later=-0.9, cue=1.6, length=-0.45, line=0.5, code=-2.0, torn=-2.0, similarity=4.9,
    nearest=3.1, example=-1.9,
)  # fmt: skip
"""Fitted as `benchmarks/fit_answers.py` does, on five sets, with the vectors of their sentences;
with weights fitted on the other sets the likeliest piece holds the answer for 0.80 of the questions
of SQuAD 2.0 dev. `torn` and `code` are set by hand, as none of the sets has much of either, and
`lead` and `answer` share what both got together, as only one set has them. `density` is set higher
than what was fitted (0.2)."""

WORD_WEIGHTS = Evidence(
    own=1.2, both=3.1, before=0.7, title=0.2, pairs=1.3, density=2.2, new=1.7, rank=2.4, lead=3.0,
    answer=2.5, later=-1.2, cue=1.8, length=-0.6, line=0.5, code=-2.0, torn=-2.0, similarity=0.0,
    nearest=0.0, example=-1.9,
)  # fmt: skip
"""Where no vectors are kept: fitted by words alone, `example` taken from above."""

CLOSER_WEIGHTS = Evidence(
    own=0.89, both=1.84, before=0.46, title=-0.06, pairs=0.63, density=1.0, new=2.08, rank=1.3,
    lead=3.39, answer=0.61, later=-1.39, cue=1.2, length=-0.65, line=0.45, code=-2.0, torn=-2.0,
    similarity=2.8, nearest=2.37, example=-1.14, meaning=3.95,
)  # fmt: skip
"""Where the likeliest pieces are embedded: fitted in the same way, on at most 200 questions of each
of six sets, `torn`, `code` and `density` set by hand as above."""
READ_CLOSER = 8
"""Pieces that are embedded. Held out by set, 12 and 16 of them, or all, bring no more: the mean of
six sets is 0.450 with 8, 0.452 with 12, 0.447 with all, and 0.421 without."""
