"""Paths named on the command line -> the lines of an import."""

import codecs
import gzip
import os
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

from msgspec import Struct
from msgspec.structs import replace

from rag_service.access.scope import ALL_BOTS
from rag_service.errors import Invalid
from rag_service.knowledge.lines import Line, is_within, longest_line, read_line
from rag_service.knowledge.pushes import read_push
from rag_service.readers.containers import Push, Within, can_be_read, pushes_of
from rag_service.readers.formats import BY_EXTENSION, EXTENSIONS, MAILBOX, PICTURES, WORDPRESS
from rag_service.readers.recognition import recogniser
from rag_service.readers.wordpress import is_wordpress_export

_BROKEN = (OSError, EOFError, zlib.error)  # what reading a damaged .gz raises as well

Unpack = Callable[[str, bytes, str, Within], Iterator[Push]]

PUSHES = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")


class Defaults(Struct, frozen=True, kw_only=True):
    """What a push gets that does not say otherwise; `longest` is in bytes."""

    bot_id: str | None
    content_type: str | None
    longest: int
    strict: bool = False
    """A document fails where something of it is left out."""
    within: Within = Within()


class Sources:
    """The files below some paths, in order; hidden ones are left out."""

    def __init__(
        self, paths: Sequence[Path], defaults: Defaults, unpack: Unpack = pushes_of
    ) -> None:
        """`unpack` gives the pushes in a file."""
        self._unpack = unpack
        self._defaults = defaults
        self.skipped: Counter[str] = Counter()
        """Files of folders that cannot be read, by the ending of their names."""
        self._files = [file for path in paths for file in self._found(path)]

    def count(self) -> int:
        """How many documents there are; reads files of pushes once."""
        return sum(_count(file) if _has_pushes(file) else 1 for file in self._files)

    def lines(self) -> Iterator[Line]:
        """Numbered within their file; an error names the file where the URL does not."""
        for file in self._files:
            if _has_pushes(file):
                yield from self._pushes(file)
            else:
                yield from self._documents(file)

    def _found(self, path: Path) -> list[Path]:
        if not path.is_dir():
            return [path]
        files = [
            file
            for file in sorted(path.rglob("*"))
            if file.is_file()
            and not any(part.startswith(".") for part in file.relative_to(path).parts)
        ]
        readable = [file for file in files if _is_document(file)]
        self.skipped.update(file.suffix.lower() for file in set(files).difference(readable))
        return readable

    def _pushes(self, file: Path) -> Iterator[Line]:
        number = 0
        try:
            with _open(file) as lines:
                while raw := lines.readline(longest_line(self._defaults.longest) + 1):
                    number += 1
                    if number == 1:
                        raw = raw.removeprefix(codecs.BOM_UTF8)
                    if raw.strip():
                        line = self._push(number, lines, raw)
                        yield replace(line, error=line.error and f"{_name(file)}: {line.error}")
        except _BROKEN as error:
            reason = f"{_name(file)} cannot be read: {error}"
            yield Line(number=number + 1, error=reason)

    def _push(self, number: int, lines: BinaryIO, raw: bytes) -> Line:
        if not is_within(raw.rstrip(b"\r\n"), self._defaults.longest):
            while not raw.endswith(b"\n") and (raw := lines.readline(1 << 20)):
                pass
            error = f"the line is longer than {self._defaults.longest} bytes (RAG_MAX_BODY_MB)"
            return Line(number=number, error=error)
        return read_line(
            raw,
            number=number,
            scope=ALL_BOTS,
            default_bot=self._defaults.bot_id,
            default_type=self._defaults.content_type,
            strict=self._defaults.strict,
        )

    def _documents(self, file: Path) -> Iterator[Line]:
        """Those of a file, or a line for what is wrong with it."""
        url = file.resolve().as_uri()
        number = 0
        try:
            data = _read(file, self._defaults.longest)
            for body in self._unpack(_name(file), data, url, self._defaults.within):
                number += 1
                yield self._document(number, body)
        except Invalid as error:
            yield Line(number=number + 1, source_url=url, error=error.told())

    def _document(self, number: int, body: dict[str, Any]) -> Line:
        url = body["source_url"]
        defaults = {"bot_id": self._defaults.bot_id, "content_type": self._defaults.content_type}
        try:
            if "refused" in body:
                raise Invalid(body["refused"])
            document = read_push(body | defaults)
            strict = self._defaults.strict
            return Line(number=number, source_url=url, document=document, strict=strict)
        except Invalid as error:
            return Line(number=number, source_url=url, error=error.told())


def _is_document(file: Path) -> bool:
    """Pictures lie beside many pages; they count where they can be read."""
    ending = file.suffix.lower()
    if ending == MAILBOX or _has_pushes(file) or _is_export(file):
        return True
    return ending in BY_EXTENSION and (ending not in PICTURES or recogniser() is not None)


def _has_pushes(file: Path) -> bool:
    return file.name.lower().endswith(PUSHES)


def _is_export(file: Path) -> bool:
    if file.suffix.lower() != WORDPRESS:
        return False
    try:
        with file.open("rb") as data:
            return is_wordpress_export(data.read(4096))
    except OSError:
        return False


def _read(file: Path, longest: int) -> bytes:
    if not can_be_read(_name(file)):
        known = ", ".join([*EXTENSIONS, *PUSHES])
        raise Invalid(f"files of this kind cannot be read: use {known}")
    try:
        if file.stat().st_size > longest:
            raise Invalid(f"the file is larger than {longest} bytes (RAG_MAX_BODY_MB)")
        return file.read_bytes()
    except OSError as error:
        raise Invalid(f"the file cannot be read: {error.strerror}") from error


def _open(file: Path) -> BinaryIO:
    if file.suffix.lower() == ".gz":
        return cast(BinaryIO, gzip.open(file, "rb"))
    return file.open("rb")


def _name(file: Path) -> str:
    """As text, whatever bytes it is made of."""
    return os.fsencode(file.name).decode(errors="replace")


def _count(file: Path) -> int:
    """Lines that are not blank; never holds a long one."""
    count = 0
    blank = True
    try:
        with _open(file) as lines:
            while part := lines.readline(1 << 20):
                blank = blank and not part.strip()
                if part.endswith(b"\n"):
                    count += not blank
                    blank = True
    except _BROKEN:
        blank = False  # the line that says so
    return count + (not blank)
