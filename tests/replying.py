"""A server that owes answers, until it is killed: `python replying.py FOLDER COUNT`.

It writes the number of messages when all are queued.
"""

import asyncio
import sys
from pathlib import Path

import msgspec
from shelf import settings_in

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import assemble
from rag_service.conversations.messages import Sender
from rag_service.conversations.store import NewMessage


async def main(folder: Path, count: int) -> None:
    settings = msgspec.structs.replace(settings_in(folder), chat_model="echo:0.02")
    with assemble(settings) as service:
        async with service.replies.running():
            for number in range(count):
                said = NewMessage(
                    role="user",
                    text=f"When does shop {number} open in the morning?",
                    sender=Sender(type="user"),
                    wants_reply=service.replies.owner,
                )
                service.store.messages.add(ALL_BOTS, "default", f"c{number}", said, create=True)
            service.replies.wake()
            print(count, flush=True)  # noqa: T201
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
