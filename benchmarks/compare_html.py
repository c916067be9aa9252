"""How do libraries that extract the text of web pages compare with our reader?

Of each page in `--files`, the share of the words that somebody sees (word_sources.py finds them
among the text nodes, menus included) that is in the text; and pages a second, the best of five.
Our reader tells what it leaves out: `accounted` has that as well. Libraries that are not
installed are passed over: `pip install trafilatura resiliparse`, in an environment of its own.
"""

import time
from collections import Counter
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from figures import arguments, finish, say
from word_check import check_file, words_of
from word_sources import html

from rag_service.documents import Document
from rag_service.readers import parse
from rag_service.readers.encodings import decode

Extract = Callable[[bytes], str]


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--files", type=Path, nargs="+", required=True, help="folders of pages")
    settings = parser.parse_args()
    files = [file for folder in settings.files for file in sorted(folder.rglob("*.htm*"))]
    pages = {file.name: file.read_bytes() for file in files}
    figures: dict[str, Any] = {"pages": len(pages)}
    for name, extract in readers().items():
        figures[name] = measured(extract, pages)
        say(f"{name}: {figures[name]}")
    checks = [check_file(name, data) for name, data in pages.items()]
    lost = sum(check.lost.total() for check in checks)
    figures["rag-service"]["accounted"] = 1 - lost / sum(check.words for check in checks)
    finish("compare_html", figures, settings)


def readers() -> dict[str, Extract]:
    found: dict[str, Extract] = {"rag-service": _ours}
    for name, make in (("trafilatura", _trafilatura), ("resiliparse", _resiliparse)):
        try:
            found |= make()
        except ImportError:
            say(f"{name} is not installed")
    return found


def measured(extract: Extract, pages: dict[str, bytes]) -> dict[str, float]:
    kept = total = 0
    seconds = 0.0
    for data in pages.values():
        seen = Counter(word for passage in html(data) for word in words_of(passage.text))
        kept += (seen & Counter(words_of(extract(data)))).total()
        total += seen.total()
        seconds += min(_seconds(extract, data) for _ in range(5))
    return {"words_kept": kept / total, "pages_per_s": len(pages) / seconds}


def _seconds(extract: Extract, data: bytes) -> float:
    start = time.process_time()
    extract(data)
    return time.process_time() - start


def _ours(data: bytes) -> str:
    return parse(Document(source_url="page", content=data, format="html")).text


def _trafilatura() -> dict[str, Extract]:
    extract = import_module("trafilatura").extract
    return {
        "trafilatura": lambda data: extract(decode(data)) or "",
        "trafilatura, recall": lambda data: extract(decode(data), favor_recall=True) or "",
    }


def _resiliparse() -> dict[str, Extract]:
    extract = import_module("resiliparse.extract.html2text").extract_plain_text
    return {
        "resiliparse": lambda data: str(extract(decode(data))),
        "resiliparse, main content": lambda data: str(extract(decode(data), main_content=True)),
    }


if __name__ == "__main__":
    main()
