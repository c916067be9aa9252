"""How many tokens a text takes in a prompt, on the safe side: rather too many than too few.

tiktoken counts, with a vocabulary of ours that is a tenth of a chat model's: smaller pieces, more
of them. Prose has half as many again as with the tokenizer of MiniLM, technical pages about as
many, and code of many signs sometimes fewer, for MiniLM takes each sign by itself. Nothing is
downloaded; rag_service/vocabulary/train.py tells where the vocabulary comes from.
"""

import re
from base64 import b64decode
from functools import cache
from importlib.resources import files

import tiktoken

PIECES = r"[^\r\n\p{L}\p{M}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]{1,3}|\s{1,16}"
"""What a token cannot reach across. Without looking around, so linear in the text."""

_RUN = re.compile(r"\S{64}")


def count_tokens(text: str) -> int:
    """Linear in the text, whatever is in it; what looks like a special token is text.

    Thread-safe. The first call reads the vocabulary.
    """
    # merging takes the square of a piece's length, and only white space ends one for sure
    return len(_encoding().encode_ordinary(_RUN.sub(r"\g<0> ", text)))


def beginning(text: str, most: int) -> str:
    """As much of it as has at most so many tokens; all of it where that is enough."""
    end = len(text)
    least = 0
    if 2 * len(text.encode(errors="replace")) <= most or count_tokens(text) <= most:
        return text  # the first test is quick: no token is shorter than a byte
    while least < end:
        middle = (least + end + 1) // 2
        if count_tokens(text[:middle]) <= most:
            least = middle
        else:
            end = middle - 1
    return text[:least]


@cache
def _encoding() -> tiktoken.Encoding:
    lines = (
        files("rag_service.conversations.vocabulary")
        .joinpath("prompts.tiktoken")
        .read_bytes()
        .splitlines()
    )
    ranks = {b64decode(token): int(rank) for token, rank in map(bytes.split, lines)}
    return tiktoken.Encoding("prompts", pat_str=PIECES, mergeable_ranks=ranks, special_tokens={})
