"""Each damaged file is read or refused with the reason, and none ends the process that reads it.

`benchmarks/fuzz_readers.py` does the same with thousands, through a running server.
"""

import random
import sys
from pathlib import Path

import pytest
from promises import keeps_promises

from rag_service.documents import Document
from rag_service.errors import Unreadable
from rag_service.readers.formats import BY_EXTENSION
from rag_service.readers.messages import Limits
from rag_service.readers.pool import ReaderPool

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from fuzz_readers import LOST, made
from mutations import mutated

FILES = made()
COUNT = 25
LIMITS = Limits(memory_mb=2048, seconds=60, output_bytes=80 << 20)


@pytest.mark.parametrize("ending", FILES)
def test_a_damaged_file_is_read_or_refused_with_the_reason(ending: str) -> None:
    chance = random.Random(ending)
    others = [data for files in FILES.values() for data in files]
    documents = [
        Document(
            source_url=f"{number}{ending}",
            content=mutated(FILES[ending][0], chance.choice(others), chance),
            format=BY_EXTENSION[ending].name,
        )
        for number in range(COUNT)
    ]
    pool = ReaderPool(1, LIMITS)
    try:
        results = list(pool.read(documents))
    finally:
        pool.close()
    assert len(results) == COUNT
    for result in results:
        if isinstance(result, Unreadable):
            assert result.reason
            assert not result.reason.startswith(LOST)
        else:
            assert keeps_promises(result)
