"""Files that are streamed while they are read."""

from collections.abc import AsyncGenerator, Iterator
from typing import Any

from litestar import Response
from litestar.response import Stream

from rag_service.http.threads import Threads


def exported(parts: Iterator[bytes], threads: Threads, media_type: str, name: str) -> Response[Any]:
    """To be saved under this name."""
    return Stream(
        _read(parts, threads),
        media_type=media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


async def _read(parts: Iterator[bytes], threads: Threads) -> AsyncGenerator[bytes, None]:
    while (part := await threads.read(next, parts, None)) is not None:
        yield part
