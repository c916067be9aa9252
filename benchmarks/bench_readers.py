"""How fast are files read, and how many of their words are in what was read?

In process: `parse`, one file after the other, as a group of an import does. Words are counted by
word_check, which finds them a second way. Then the same files in child processes, as a service
reads them. Without --files the files are made up, one a format. With the extra [ocr], some pages
are drawn, scanned and recognised as well.
"""

import argparse
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pypdfium2
from figures import arguments, finish, say
from made_files import MADE, pdf
from rapidfuzz.distance import Levenshtein
from word_check import check_file
from word_sources import SOURCES

from rag_service.errors import RagError
from rag_service.knowledge.pushes import read_push
from rag_service.readers import Read, parse, parse_each
from rag_service.readers.containers import pushes_of
from rag_service.readers.messages import Limits
from rag_service.readers.page_pictures import PagePicture, Recogniser
from rag_service.readers.pool import ReaderPool
from rag_service.readers.recognition import recogniser

MADE_PAGES = 100
LIMITS = Limits(memory_mb=2048, seconds=60, output_bytes=80 << 20)
DOTS_PER_INCH = 200


class File(NamedTuple):
    name: str
    data: bytes


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--files", type=Path, nargs="+", help="folders to read instead")
    parser.add_argument("--scans", type=int, help="how many pages to recognise")
    settings = parser.parse_args()
    files = list(_found(settings) if settings.files else _made(settings.small))
    figures: dict[str, Any] = {"formats": by_format(files, repeats=1 if settings.small else 5)}
    figures["children"] = in_children(files, least=20 if settings.small else 1000)
    if recognise := recogniser():
        pages = 2 if settings.scans is None and settings.small else settings.scans or 20
        figures["recognition"] = recognition(files, recognise, pages)
    finish("readers", figures, settings)


def by_format(files: list[File], repeats: int) -> dict[str, Any]:
    """The time of a file is its best of `repeats`."""
    totals: defaultdict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for file in files:
        total = totals[Path(file.name).suffix.lower()]
        total["files"] += 1
        try:
            found = check_file(file.name, file.data)
        except RagError:
            total["refused"] += 1
            continue
        total["words"] += found.words
        total["words_told"] += found.told.total()
        total["words_lost"] += found.lost.total()
        total["pages"] += _pages(file)
        total["mb"] += len(file.data) / 1e6
        total["seconds"] += min(_seconds(file) for _ in range(repeats))
    for ending, total in totals.items():
        due = total["words"] - total["words_told"]
        total["share_of_words_kept"] = 1 - total["words_lost"] / due if due else 1.0
        read = total["files"] - total["refused"]
        if total["seconds"]:
            total["files_per_s"] = read / total["seconds"]
            total["pages_per_s"] = total["pages"] / total["seconds"]
        say(f"{ending}: {total['share_of_words_kept']:.4f} of the words kept")
    return {ending: dict(total) for ending, total in sorted(totals.items())}


def in_children(files: list[File], least: int) -> dict[str, float]:
    """Files a second in this process, in one child and in two, of the same files, `least` at
    least; the best of a few times, in turns."""
    documents = [read_push(push) for file in files for push in _pushes(file)]
    documents *= -(-least // len(documents))
    figures: dict[str, float] = {"files": len(documents)}
    pools = {f"{size}_children": ReaderPool(size, LIMITS) for size in (1, 2)}
    ways: dict[str, Read] = {"in_process": parse_each}
    ways |= {name: pool.read for name, pool in pools.items()}
    for _ in range(4):
        for name, read in ways.items():
            start = time.perf_counter()
            results = list(read(documents))
            rate = len(results) / (time.perf_counter() - start)
            figures[f"{name}_files_per_s"] = max(rate, figures.get(f"{name}_files_per_s", 0.0))
    for pool in pools.values():
        pool.close()
    return figures


def recognition(files: list[File], recognise: Recogniser, most: int) -> dict[str, float]:
    """Pages of PDFs that have a text are drawn as pictures; what is recognised is held against it.

    Letters alone count, in their order on the page: where lines end is no error.
    """
    errors = characters = pages = 0
    seconds = 0.0
    for picture, text in _drawn(files, most):
        start = time.perf_counter()
        lines = recognise(picture)
        seconds += time.perf_counter() - start
        read = "".join("".join(line.text for line in lines).split())
        errors += Levenshtein.distance(text, read)
        characters += len(text)
        pages += 1
    return {
        "pages": pages,
        "pages_per_minute": pages / seconds * 60 if seconds else 0.0,
        "character_accuracy": 1 - errors / characters if characters else 1.0,
    }


def _drawn(files: list[File], most: int) -> Iterator[tuple[PagePicture, str]]:
    left = most
    for file in files:
        if not file.name.endswith(".pdf"):
            continue
        document = pypdfium2.PdfDocument(file.data)
        for page in list(document)[: max(left, 0)]:
            text = "".join(page.get_textpage().get_text_range().replace("\ufffe", "-").split())
            if text:
                scale = DOTS_PER_INCH / 72
                pixels = page.render(scale=scale, rev_byteorder=True).to_numpy()[:, :, :3].copy()
                left -= 1
                yield PagePicture(pixels=pixels, scale=1 / scale), text
        document.close()


def _made(small: bool) -> Iterator[File]:
    for ending, make in MADE.items():
        yield File(f"made{ending}", make())
    yield File("long.pdf", pdf(10 if small else MADE_PAGES))


def _found(settings: argparse.Namespace) -> Iterator[File]:
    files = sorted(file for folder in settings.files for file in folder.rglob("*"))
    readable = [file for file in files if file.suffix.lower() in SOURCES and file.is_file()]
    for file in readable[: settings.limit]:
        yield File(file.name, file.read_bytes())


def _seconds(file: File) -> float:
    start = time.perf_counter()
    for push in _pushes(file):
        parse(read_push(push))
    return time.perf_counter() - start


def _pushes(file: File) -> Iterator[dict[str, Any]]:
    return pushes_of(file.name, file.data, f"upload://{file.name}")


def _pages(file: File) -> int:
    if not file.name.lower().endswith(".pdf"):
        return 1
    document = pypdfium2.PdfDocument(file.data)
    try:
        return len(document)
    finally:
        document.close()


if __name__ == "__main__":
    main()
