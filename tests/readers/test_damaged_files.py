"""Each damaged file is read or refused with the reason, and none ends the process that reads it.

`benchmarks/fuzz_readers.py` does the same with thousands, through a running server.
"""

import random
import sys
from pathlib import Path

import pytest
from promises import keeps_promises

from rag_service.documents import ParsedDocument
from rag_service.errors import Unreadable
from rag_service.knowledge.pushes import read_push
from rag_service.readers.containers import Within, pushes_of
from rag_service.readers.formats import BY_NAME, EXTENSIONS, MAILBOX, WORDPRESS
from rag_service.readers.messages import Limits
from rag_service.readers.pool import ReaderPool

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from fuzz_readers import LOST, made
from mutations import mutated

FILES = made()
COUNT = 25
EVERYTHING = Within(attachments=True)
LIMITS = Limits(memory_mb=2048, seconds=60, output_bytes=80 << 20)


@pytest.mark.parametrize("ending", FILES)
def test_a_damaged_file_is_read_or_refused_with_the_reason(ending: str) -> None:
    chance = random.Random(ending)
    others = [data for files in FILES.values() for data in files]
    documents = []
    results: list[ParsedDocument | Unreadable] = []
    for number in range(COUNT):
        data = mutated(FILES[ending][0], chance.choice(others), chance)
        try:
            pushes = pushes_of(f"{number}{ending}", data, f"file:{number}", EVERYTHING)
            documents += [read_push(push) for push in pushes if "refused" not in push]
        except Unreadable as error:
            results.append(error)
    pool = ReaderPool(1, LIMITS)
    try:
        results += pool.read(documents)
    finally:
        pool.close()
    assert len(results) >= COUNT
    for result in results:
        if isinstance(result, Unreadable):
            assert result.reason
            assert not result.reason.startswith(LOST)
        else:
            assert keeps_promises(result)


def test_each_format_is_among_the_files_that_are_damaged() -> None:
    missing = {one.name for one in BY_NAME.values() if not FILES.keys() & set(one.extensions)}
    assert not missing
    assert {WORDPRESS, MAILBOX} <= FILES.keys() <= set(EXTENSIONS)
