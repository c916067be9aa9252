"""A reading child that fails as a document asks for: `python failing_child.py LIMITS`."""

import ctypes
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from rag_service.documents import Block, Document, ParsedDocument
from rag_service.errors import Unreadable
from rag_service.readers import parse
from rag_service.readers.child import main
from rag_service.readers.slow_pages import slow_page_done


def read(document: Document) -> ParsedDocument:
    what, _, argument = document.data.decode().partition(" ")
    if what not in WAYS:
        return parse(document)
    text = str(WAYS[what](argument))
    return ParsedDocument(
        title="", text=text, blocks=[Block(kind="paragraph", start=0, end=len(text))]
    )


def endless(_: str) -> None:
    while True:
        pass


def unforeseen(what: str) -> None:
    raise KeyError(what)


def unreadable(reason: str) -> None:
    raise Unreadable(reason)


def output(text: str) -> str:
    os.write(1, text.encode())
    return "printed"


def wait(file: str) -> str:
    while not Path(file).exists():
        time.sleep(0.01)
    return "waited"


def end(_: str) -> str:
    for told in (signal.SIGTERM, signal.SIGINT):
        os.kill(os.getpid(), told)
    return "goes on"


def descriptors(_: str) -> str:
    found = set()
    for file in Path("/dev/fd").iterdir():
        with suppress(OSError):  # the folder itself, which is closed by now
            found.add(str(file.readlink()).partition(":")[0])
    return " ".join(sorted(found))


KEPT: list[bytes] = []


def pages(count: str) -> str:
    """Slow ones."""
    for _ in range(int(count)):
        time.sleep(0.2)
        slow_page_done()
    return "all pages"


WAYS: dict[str, Any] = {
    "segfault": lambda _: ctypes.string_at(0),
    "abort": lambda _: os.abort(),
    "exit": lambda _: sys.exit(0),
    "endless": endless,
    "sleep": lambda _: time.sleep(3600),
    "memory": lambda _: bytearray(8 << 30),
    "recursion": lambda what: WAYS["recursion"](what),
    "unforeseen": unforeseen,
    "unreadable": unreadable,
    "grow": lambda _: KEPT.append(b"x" * (600 << 20)),
    "output": output,
    "wait": wait,
    "pages": pages,
    "end": end,
    "pid": lambda _: os.getpid(),
    "variables": lambda _: " ".join(os.environ),
    "descriptors": descriptors,
}


if __name__ == "__main__":
    main(read)
