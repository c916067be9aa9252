"""What a tokenizer says of itself, without its vocabulary: that may have a quarter of a million
pieces, and reading it twice takes a second."""

import msgspec
from msgspec import Struct
from tokenizers import Tokenizer


class Part(Struct, frozen=True):
    type: str = ""


class Model(Struct, frozen=True):
    type: str = ""
    unk_token: str | None = None
    unk_id: int | None = None
    byte_fallback: bool | None = None


class AddedToken(Struct, frozen=True):
    content: str


class Definition(Struct, frozen=True):
    model: Model
    normalizer: Part | None = None
    pre_tokenizer: Part | None = None
    added_tokens: list[AddedToken] = []


def definition_of(tokenizer: Tokenizer) -> Definition:
    return msgspec.json.decode(tokenizer.to_str().encode(), type=Definition)


def unknown_id(tokenizer: Tokenizer, definition: Definition) -> int | None:
    """The token of what the vocabulary does not have; None where every character has tokens."""
    model = definition.model
    if model.byte_fallback:
        return None
    if model.type == "Unigram":
        return model.unk_id
    return None if model.unk_token is None else tokenizer.token_to_id(model.unk_token)
