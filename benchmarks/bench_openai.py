"""Do streams that their readers cut, and repeats, leave whole rows and no second question?"""

import asyncio
import time
from typing import Any

import openai
from figures import arguments, finish, say
from harness import Server, workspace

PAGE = "Our shop in Bern opens at nine in the morning. " * 4
QUESTION = "When does our shop in Bern open in the morning?"
AT_ONCE = 20
WAIT_S = 60


def main() -> None:
    settings = arguments(__doc__).parse_args()
    count = 20 if settings.small else 200
    with workspace(settings.model) as work:
        base = work.base("openai")
        with Server(base, RAG_CHAT_MODEL="echo:0.02") as server:
            with server.client() as client:
                page = {"source_url": "https://example.com/hours", "content": PAGE}
                client.post("/knowledge", json=page).raise_for_status()
            figures = asyncio.run(measure(server, count))
    finish("openai", figures, settings)


async def measure(server: Server, count: int) -> dict[str, Any]:
    url = f"{server.url}/v1"
    async with openai.AsyncOpenAI(base_url=url, api_key=server.token, max_retries=0) as client:
        begun = time.perf_counter()
        for start in range(0, count, AT_ONCE):
            await asyncio.gather(*(leave(client, start + n) for n in range(AT_ONCE)))
        say(f"{count} streams were cut in {time.perf_counter() - begun:.1f} s")
        await asyncio.gather(*(ask(client, "again") for _ in range(AT_ONCE)))
        await ask(client, "again")
    with server.client() as reader:

        def rows(role: str) -> list[dict[str, Any]]:
            params: dict[str, Any] = {"role": role, "limit": 1000}
            found: list[dict[str, Any]] = reader.get("/transcripts", params=params).json()["items"]
            return found

        deadline = time.monotonic() + WAIT_S
        while len(rows("assistant")) < count + 1 and time.monotonic() < deadline:
            await asyncio.sleep(0.2)
        cut = [row for row in rows("assistant") if row["user_id"] != "again"]
        return {
            "streams_cut": count,
            "rows_of_cut_answers": len(cut),
            "of_them_beginnings_of_the_answer": sum(
                bool(row["message"]) and QUESTION.startswith(row["message"]) for row in cut
            ),
            "questions_of_cut_answers": sum(row["user_id"] != "again" for row in rows("user")),
            "repeats": AT_ONCE + 1,
            "questions_of_repeats": sum(row["user_id"] == "again" for row in rows("user")),
        }


async def leave(client: openai.AsyncOpenAI, number: int) -> None:
    """After the first word."""
    stream = await client.chat.completions.create(
        model="default",
        messages=[{"role": "user", "content": QUESTION}],
        user=f"reader{number}",
        stream=True,
    )
    async with stream:
        async for chunk in stream:
            if chunk.choices[0].delta.content:
                return


async def ask(client: openai.AsyncOpenAI, user: str) -> None:
    messages: Any = [{"role": "user", "content": QUESTION}]
    await client.chat.completions.create(model="default", messages=messages, user=user)


if __name__ == "__main__":
    main()
