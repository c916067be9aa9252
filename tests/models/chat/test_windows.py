"""A prompt fits into what the model reads, whatever the setting allows."""

import asyncio
import json

import msgspec
import pytest
import tiny

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import assemble
from rag_service.conversations.messages import Sender
from rag_service.conversations.store import NewMessage
from rag_service.conversations.turns import Answered, Asked
from rag_service.documents import Document
from rag_service.models.chat import load_chat_model
from rag_service.settings import Settings

HOURS = "Our shop in Bern opens at nine in the morning and closes at six."
OPENS = "When does our shop in Bern open in the morning"
WINDOW = 2048


def said(text: str) -> NewMessage:
    return NewMessage(role="user", text=text, sender=Sender(type="user"))


@pytest.mark.parametrize("name", ["tiny", "tiny.gguf"])
def test_a_model_tells_its_window_before_it_is_loaded(folder, name):
    model = load_chat_model(Settings(chat_model=f"local:{folder / name}"))
    assert model.context_tokens == tiny.LONGEST


def test_a_prompt_fits_into_what_the_file_of_a_model_says(settings, folder, tmp_path):
    file = tmp_path / "model.gguf"
    data = (folder / "tiny.gguf").read_bytes()
    at = data.index(b"llama.context_length") + len("llama.context_length") + 4
    file.write_bytes(data[:at] + WINDOW.to_bytes(4, "little") + data[at + 4 :])
    changed = msgspec.structs.replace(
        settings, chat_model=f"local:{file}", chat_context_tokens=100_000
    )

    async def ask(service) -> Answered:
        asked = Asked(scope=ALL_BOTS, bot_id="default", said=said(OPENS), conversation_id="c")
        *_, answered = [event async for event in service.assistant.answer(asked)]
        await service.assistant.close()
        return answered

    with assemble(changed) as service:
        service.knowledge.upsert(
            ALL_BOTS, [Document(source_url="https://e.com/hours", content=HOURS)]
        )
        for _ in range(20):
            service.store.messages.add(
                ALL_BOTS, "default", "c", said("We open at nine soon and on " * 40), create=True
            )
        answered = asyncio.run(ask(service))
    assert answered.row.text == tiny.ANSWER
    assert WINDOW / 2 < answered.usage.prompt_tokens < WINDOW
    assert 0 < answered.row.metadata["cut"]["history"] < 20


@pytest.mark.parametrize("config", [{}, {"max_position_embeddings": "many"}, "garbage"])
def test_a_folder_need_not_tell_its_window(folder, tmp_path, config):
    target = tiny.without(folder / "tiny", tmp_path / "model")
    (target / "config.json").write_text(json.dumps(config))
    assert load_chat_model(Settings(chat_model=f"local:{target}")).context_tokens is None
