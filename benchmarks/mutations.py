"""A file -> the same file, damaged: bits and bytes, its end, its parts. The same for a seed."""

import io
import random
import zipfile
from collections.abc import Callable

_MOST_REPEATED_BYTES = 300_000
_COMPRESSED = zipfile.ZIP_DEFLATED


def mutated(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """`other` is a file that pieces may come from. The parts of a package are damaged in half of
    the cases, and the package is whole; otherwise it is damaged as any other file."""
    is_package = data.startswith(b"PK")
    if is_package and chance.random() < 0.5:
        return _with_other_parts(data, other, chance)
    for _ in range(chance.choice((1, 1, 2, 3))):
        data = chance.choice(_DAMAGES)(data, other, chance)
    return data


def _flipped_bits(data: bytes, other: bytes, chance: random.Random) -> bytes:
    result = bytearray(data)
    for _ in range(chance.choice((1, 3, 10, 100)) if data else 0):
        result[chance.randrange(len(result))] ^= 1 << chance.randrange(8)
    return bytes(result)


def _other_bytes(data: bytes, other: bytes, chance: random.Random) -> bytes:
    start, end = _span(data, chance)
    return data[:start] + chance.randbytes(min(end - start, 1000)) + data[end:]


def _cut(data: bytes, other: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def _without_a_piece(data: bytes, other: bytes, chance: random.Random) -> bytes:
    start, end = _span(data, chance)
    return data[:start] + data[end:]


def _with_a_piece_of_another(data: bytes, other: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    start, end = _span(other, chance)
    return data[:at] + other[start:end] + data[at:]


def _repeated_piece(data: bytes, other: bytes, chance: random.Random) -> bytes:
    start, end = _span(data, chance)
    times = min(chance.choice((2, 10, 1000, 100_000)), _MOST_REPEATED_BYTES // max(end - start, 1))
    return data[:end] + data[start:end] * times + data[end:]


def _swapped_pieces(data: bytes, other: bytes, chance: random.Random) -> bytes:
    a, b, c, d = sorted(chance.randrange(len(data) + 1) for _ in range(4))
    return data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]


def _large_number(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """In place of a run of digits."""
    places = [at for at in range(len(data)) if data[at : at + 1].isdigit()]
    if not places:
        return data
    at = chance.choice(places)
    number = chance.choice((b"0", b"-1", b"65536", b"2147483648", b"9" * 20, b"1e999"))
    return data[:at] + number + data[at + 1 :]


_DAMAGES: tuple[Callable[[bytes, bytes, random.Random], bytes], ...] = (
    _flipped_bits,
    _other_bytes,
    _cut,
    _without_a_piece,
    _with_a_piece_of_another,
    _repeated_piece,
    _swapped_pieces,
    _large_number,
)


def _with_other_parts(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """One part is damaged, goes, comes twice, or changes places with another one."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        parts = [(name, package.read(name)) for name in package.namelist()]
    at, to = chance.randrange(len(parts)), chance.randrange(len(parts))
    (name, content), (name_to, content_to) = parts[at], parts[to]
    match chance.randrange(5):
        case 0:
            parts[at], parts[to] = (name, content_to), (name_to, content)
        case 1:
            del parts[at]
        case 2:
            parts.append((f"{name}.2", content))
            parts[at] = (name, content_to)
        case _:
            parts[at] = (name, chance.choice(_DAMAGES)(content, other, chance))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", _COMPRESSED) as package:
        for name, content in parts:
            package.writestr(name, content)
    return file.getvalue()


def _span(data: bytes, chance: random.Random) -> tuple[int, int]:
    """Of a few bytes, or of any number."""
    start = chance.randrange(len(data) + 1)
    length = chance.choice((1, 10, 100, max(len(data), 1)))
    return start, start + chance.randrange(min(length, len(data) - start) + 1)
