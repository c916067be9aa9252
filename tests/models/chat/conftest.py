import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from model_server import ModelServer, serving
from tiny import tiny_models

from rag_service.conversations.chat_model import ChatModel
from rag_service.models.chat import load_chat_model
from rag_service.settings import Settings

Load = Callable[[str], ChatModel]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the tiny models; one for all workers of this run."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # third parties', while they are imported
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: F401
    torch.set_num_threads(1)  # or those of all workers wait for each other
    base = tmp_path_factory.getbasetemp()
    return tiny_models((base.parent if base.name.startswith("popen") else base) / "chat-models")


@pytest.fixture(scope="session")
def server() -> Iterator[ModelServer]:
    with serving() as server:
        yield server


@pytest.fixture
def load(folder: Path, server: ModelServer) -> Load:
    """A model by RAG_CHAT_MODEL, in which `local:NAME` is a tiny model and `openai:WAY` is served
    by `server` in that way.
    """

    def load(spec: str) -> ChatModel:
        kind, _, name = spec.partition(":")
        return load_chat_model(
            Settings(
                chat_model=f"local:{folder / name}" if kind == "local" else spec,
                chat_base_url=server.url(name),
                chat_timeout_s=5,
            )
        )

    return load
