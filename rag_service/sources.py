"""Paths named on the command line -> the lines of an import."""

import codecs
import gzip
import os
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, cast

from msgspec import Struct
from msgspec.structs import replace

from rag_service.documents import DEFAULT_BOT, Format
from rag_service.errors import Invalid
from rag_service.imports import Line, read_line
from rag_service.pushes import read_push

_BROKEN = (OSError, EOFError, zlib.error)  # what reading a damaged .gz raises as well

FORMATS: dict[str, Format] = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".txt": "text",
    ".html": "html",
    ".htm": "html",
}
PUSHES = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")


class Defaults(Struct, frozen=True, kw_only=True):
    """What a push gets that does not say otherwise; `longest` is in bytes."""

    bot_id: str | None
    content_type: str | None
    longest: int


class Sources:
    """The files below some paths, in order; hidden ones are left out."""

    def __init__(self, paths: Sequence[Path], defaults: Defaults) -> None:
        self._defaults = defaults
        self._files = [file for path in paths for file in _files(path)]

    def count(self) -> int:
        """How many documents there are; reads files of pushes once."""
        return sum(_count(file) if _has_pushes(file) else 1 for file in self._files)

    def lines(self) -> Iterator[Line]:
        """Numbered within their file; an error names the file where the URL does not."""
        for file in self._files:
            if _has_pushes(file):
                yield from self._pushes(file)
            else:
                yield self._page(file)

    def _pushes(self, file: Path) -> Iterator[Line]:
        number = 0
        try:
            with _open(file) as lines:
                while raw := lines.readline(self._defaults.longest + 1):
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
        if len(raw) > self._defaults.longest and not raw.endswith(b"\n"):
            while (part := lines.readline(1 << 20)) and not part.endswith(b"\n"):
                pass
            error = f"the line is longer than {self._defaults.longest} bytes (RAG_MAX_BODY_MB)"
            return Line(number=number, error=error)
        return read_line(
            raw,
            number=number,
            default_bot=self._defaults.bot_id or DEFAULT_BOT,
            default_type=self._defaults.content_type,
        )

    def _page(self, file: Path) -> Line:
        url = file.resolve().as_uri()
        try:
            body = {
                "source_url": url,
                "content": _text(file, self._defaults.longest),
                "format": _format(file),
                "bot_id": self._defaults.bot_id,
                "content_type": self._defaults.content_type,
            }
            return Line(number=1, source_url=url, document=read_push(body))
        except Invalid as error:
            reasons = [f"{name} {reason}" for name, reason in error.params.items()]
            reason = "; ".join(reasons) or str(error)
            return Line(number=1, source_url=url, error=reason)


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(
        file
        for file in path.rglob("*")
        if file.is_file()
        and (file.suffix.lower() in FORMATS or _has_pushes(file))
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
    )


def _has_pushes(file: Path) -> bool:
    return file.name.lower().endswith(PUSHES)


def _format(file: Path) -> Format:
    try:
        return FORMATS[file.suffix.lower()]
    except KeyError:
        known = ", ".join([*FORMATS, *PUSHES])
        raise Invalid(f"files of this kind cannot be read: use {known}") from None


def _text(file: Path, longest: int) -> str:
    _format(file)
    try:
        if file.stat().st_size > longest:
            raise Invalid(f"the file is larger than {longest} bytes (RAG_MAX_BODY_MB)")
        return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(f"the file is not UTF-8 (byte {error.start})") from error
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
