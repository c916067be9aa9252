"""A server with nothing but a job, until it is killed: `python serving.py FOLDER LINES`.

It writes the job's id, and then the results as they come.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
from shelf import settings_in

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import assemble


def pushes(count: int, text: str = "Item") -> bytes:
    bodies = (
        {"source_url": f"https://example.com/p{n}", "content": f"{text} {n}."} for n in range(count)
    )
    return b"".join(msgspec.json.encode(body) + b"\n" for body in bodies)


async def stream(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 1000):
        yield data[start : start + 1000]


async def main(folder: Path, count: int) -> None:
    with assemble(settings_in(folder)) as service:
        async with service.jobs.running():
            job = await service.jobs.submit(ALL_BOTS, stream(pushes(count)))
            sys.stdout.buffer.write(job.id.encode() + b"\n")
            sys.stdout.buffer.flush()
            async for data in service.jobs.follow(job.id):
                sys.stdout.buffer.write(data)
                sys.stdout.buffer.flush()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
