"""Python files -> a byte-level BPE vocabulary of their prose, in tiktoken's format.

`python -m rag_service.vocabulary.train FILE... > rag_service/vocabulary/prompts.tiktoken`. The one
that is kept here was trained on the strings and comments of Python 3.11's standard library (PSF
licence) and of the packages Faker (MIT; words, names and addresses in 70 languages), NumPy, SciPy
and scikit-learn (BSD). It holds statistics of these texts, and none of them.
"""

import sys
import tokenize
from ast import literal_eval
from base64 import b64encode
from collections.abc import Iterator

from tokenizers import Regex, Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, Sequence, Split
from tokenizers.trainers import BpeTrainer

from rag_service.conversations.budgets import PIECES

_SIZE = 12_000


def main(files: list[str]) -> None:
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = Sequence(
        [Split(Regex(PIECES), "isolated"), ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    alphabet = sorted(ByteLevel.alphabet())
    trainer = BpeTrainer(vocab_size=_SIZE, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator((" ".join(_prose(file)) for file in sorted(files)), trainer)
    byte_of = _bytes_by_character()
    # a token's id is its merge's place in line, and that is its rank
    for token, rank in sorted(tokenizer.get_vocab().items(), key=lambda item: item[1]):
        sys.stdout.write(f"{b64encode(bytes(map(byte_of.__getitem__, token))).decode()} {rank}\n")


def _prose(file: str) -> Iterator[str]:
    with tokenize.open(file) as source:
        for token in tokenize.generate_tokens(source.readline):
            if token.type == tokenize.COMMENT:
                yield token.string.lstrip("# ")
            elif token.type == tokenize.STRING and token.string[0] in "\"'":
                yield literal_eval(token.string)


def _bytes_by_character() -> dict[str, int]:
    """How GPT-2's byte-level BPE writes bytes: printable ones as they are, others from 256 on."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {
        chr(256 + place): byte for place, byte in enumerate(others)
    }


if __name__ == "__main__":
    main(sys.argv[1:])
