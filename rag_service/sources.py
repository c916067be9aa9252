"""Paths named on the command line -> the lines of an import."""

import gzip
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, cast

from msgspec import Struct

from rag_service.documents import DEFAULT_BOT, Format
from rag_service.errors import Invalid
from rag_service.imports import Line, read_line
from rag_service.pushes import read_push

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
        self._number = 0

    def count(self) -> int:
        """How many documents there are; reads files of pushes once."""
        return sum(_count(file) if _has_pushes(file) else 1 for file in self._files)

    def lines(self) -> Iterator[Line]:
        for file in self._files:
            if _has_pushes(file):
                yield from self._pushes(file)
            else:
                self._number += 1
                yield self._page(file)

    def _pushes(self, file: Path) -> Iterator[Line]:
        try:
            with _open(file) as lines:
                while raw := lines.readline(self._defaults.longest + 1):
                    if raw.strip():
                        self._number += 1
                        yield self._push(file, lines, raw)
        except OSError as error:
            self._number += 1
            reason = f"cannot be read: {error}"
            yield Line(number=self._number, source_url=str(file), error=reason)

    def _push(self, file: Path, lines: BinaryIO, raw: bytes) -> Line:
        if len(raw) > self._defaults.longest and not raw.endswith(b"\n"):
            while (part := lines.readline(1 << 20)) and not part.endswith(b"\n"):
                pass
            error = f"{file.name}: the line is longer than {self._defaults.longest} bytes"
            return Line(number=self._number, error=f"{error} (RAG_MAX_BODY_MB)")
        return read_line(
            raw,
            number=self._number,
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
            return Line(number=self._number, source_url=url, document=read_push(body))
        except Invalid as error:
            reasons = [f"{name} {reason}" for name, reason in error.params.items()]
            reason = "; ".join(reasons) or str(error)
            return Line(number=self._number, source_url=url, error=reason)


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
    return cast(BinaryIO, gzip.open(file, "rb")) if file.suffix == ".gz" else file.open("rb")


def _count(file: Path) -> int:
    try:
        with _open(file) as lines:
            return sum(1 for line in lines if line.strip())
    except OSError:
        return 1
