"""sentence-transformers defines the model, OpenVINO runs it on a CPU.

The compiled model is made once and kept; reading it imports no PyTorch. Measured against plain
sentence-transformers by benchmarks/bench_embedding.py.
"""

import logging
import os
import subprocess
import sys
import threading
import weakref
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag_service.documents import Vectors
from rag_service.errors import ModelUnavailable
from rag_service.knowledge.embedder import Offsets, Span
from rag_service.models.embedders.kept import keep
from rag_service.models.embedders.model_folder import ModelFolder
from rag_service.models.embedders.pooling import pool_spans
from rag_service.models.embedders.tokens import ModelTokens
from rag_service.programs import program

# reports every import of openvino to its maker, unasked; what cannot be imported cannot report
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]

from openvino import AsyncInferQueue, Core, Model, __version__  # noqa: E402
from openvino.properties import inference_num_threads, num_streams  # noqa: E402
from openvino.properties.hint import (  # noqa: E402
    PerformanceMode,
    inference_precision,
    performance_mode,
)

_WINDOW = 256  # texts at a time: seconds, and then somebody else's have their turn
_BATCH_TOKENS = 2048  # padded; larger batches bring no speed and hold a core for longer
_STEP = 8  # lengths are padded to a multiple, so that few shapes are compiled
_QUERY_STEP = 16  # a change of shape costs a question more than some padding
_LAYOUT = 2  # raised when a compiled model gives other outputs
_NO_STATES = np.zeros((0, 0), np.float32)
_NOWHERE = np.zeros(0, np.int32)

log = logging.getLogger(__name__)


class OpenVinoEmbedder:
    """Questions and passages have compiled models of their own, and passages run at low priority:
    the operating system lets a question in at once, and nobody waits for a batch.
    """

    def __init__(self, folder: ModelFolder, cache: Path) -> None:
        self._query_prefix, self._passage_prefix = folder.prompts
        pooling = folder.settings("1_Pooling/config.json")
        if any(folder.prompts) and not pooling.get("include_prompt", True):
            raise ModelUnavailable(
                f"{folder.path} leaves its prompts out of the mean, which is not done here: "
                "put `sentence-transformers:` in front of it"
            )
        core = Core()
        can_bf16 = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        self._precision = "bf16" if can_bf16 else "f32"
        self._core = core
        self._tokens = ModelTokens(folder)
        self._model = _read(core, folder, cache, self._precision)
        self._query_model = self._compile(PerformanceMode.LATENCY)
        self._requests: list[Any] = []  # those at rest; the last used one is the warmest
        self._bulk_thread = ThreadPoolExecutor(1, "embed", initializer=_be_nice)
        self.name = folder.name
        self.languages = folder.languages
        self.window = self._tokens.window - len(self._tokens.offsets([self._passage_prefix])[0])
        # at exit: threads of a compiled model that outlive the interpreter abort the process
        weakref.finalize(self, vars(self).clear)
        self.dimension = int(self._model.output(0).partial_shape[1].get_length())
        self._has_states = len(self._model.outputs) > 1

    def token_offsets(self, texts: Sequence[str]) -> list[Offsets]:
        return self._tokens.offsets(texts)

    def known_share(self, text: str) -> float:
        return self._tokens.known_share(text)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return self.embed_spans(texts, [[]] * len(texts))[0]

    def embed_spans(
        self, texts: Sequence[str], spans: Sequence[Sequence[Span]]
    ) -> tuple[Vectors, list[Vectors]]:
        windows = [slice(start, start + _WINDOW) for start in range(0, len(texts), _WINDOW)]
        done: list[tuple[Vectors, list[Vectors]]] = []
        ahead: deque[Future[Any]] = deque()
        for w in windows:  # two at a time, so that others have their turn between them
            ahead.append(self._bulk_thread.submit(self._embed_window, texts[w], spans[w]))
            if len(ahead) == 2:
                done.append(ahead.popleft().result())
        done += [job.result() for job in ahead]
        none = np.zeros((0, self.dimension), np.float32)
        return (
            np.concatenate([none, *(vectors for vectors, _ in done)]),
            [part for _, parts in done for part in parts],
        )

    def embed_few(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        return self._embed_at_once([self._passage_prefix + text for text in texts])

    def embed_query(self, text: str) -> Vectors:
        return self._embed_at_once([self._query_prefix + text])

    def _embed_at_once(self, prompted: Sequence[str]) -> Vectors:
        tokens = self._tokens.ids(prompted)
        try:
            request = self._requests.pop()
        except IndexError:
            request = self._query_model.create_infer_request()
        try:
            request.infer(_padded(tokens, self._tokens.longest, _QUERY_STEP))
            return np.array(request.get_output_tensor(0).data, np.float32)
        except RuntimeError as error:
            raise ModelUnavailable(f"the embedding model failed: {error}") from error
        finally:
            self._requests.append(request)

    def _compile(self, mode: PerformanceMode, **options: Any) -> Any:
        settings = {performance_mode: mode, inference_precision: self._precision, **options}
        # without the states of the tokens, which only passages want
        model = Model([self._model.output(0)], self._model.get_parameters(), "questions")
        return self._core.compile_model(model, "CPU", settings)

    @cached_property
    def _queue(self) -> AsyncInferQueue:
        """One stream for each core; compiled in the bulk thread, whose priority they inherit."""
        cores = os.cpu_count() or 1
        settings = {num_streams: cores, inference_num_threads: cores}
        config = {performance_mode: PerformanceMode.THROUGHPUT, **settings}
        model = self._core.compile_model(
            self._model, "CPU", {**config, inference_precision: self._precision}
        )
        return AsyncInferQueue(model, cores)

    def _embed_window(
        self, texts: Sequence[str], spans: Sequence[Sequence[Span]]
    ) -> tuple[Vectors, list[Vectors]]:
        prompted = [self._passage_prefix + text for text in texts]
        tokens = self._tokens.ids(prompted)
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        parts = [np.zeros((0, self.dimension), np.float32)] * len(texts)
        places = (
            self._tokens.places(prompted, len(self._passage_prefix))
            if self._has_states and any(spans)
            else [_NOWHERE] * len(texts)
        )

        def keep(request: Any, rows: NDArray[np.int64]) -> None:
            vectors[rows] = request.get_output_tensor(0).data
            if any(spans):
                states = request.get_output_tensor(1).data if self._has_states else None
                for at, row in enumerate(rows):
                    of_text = states[at] if states is not None else _NO_STATES
                    parts[row] = pool_spans(vectors[row], of_text, places[row], spans[row])

        try:
            self._queue.set_callback(keep)
            for rows in _batches(np.array([len(ids) for ids in tokens], np.int64)):
                self._queue.start_async(
                    _padded([tokens[row] for row in rows], self._tokens.longest), rows
                )
            self._queue.wait_all()
        except RuntimeError as error:
            raise ModelUnavailable(f"the embedding model failed: {error}") from error
        return vectors, parts


def _batches(lengths: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Rows of about equal length together, long ones first; a batch has _BATCH_TOKENS at most."""
    order = np.argsort(-lengths, kind="stable")
    batches = []
    start = 0
    while start < len(order):
        size = max(1, _BATCH_TOKENS // _rounded(int(lengths[order[start]])))
        batches.append(order[start : start + size])
        start += size
    return batches


def _padded(tokens: list[list[int]], most: int, step: int = _STEP) -> list[NDArray[np.int64]]:
    """input_ids and attention_mask, each of shape (texts, longest text)."""
    longest = min(_rounded(max(len(ids) for ids in tokens), step), most)
    ids = np.zeros((len(tokens), longest), np.int64)
    mask = np.zeros_like(ids)
    for row, text in enumerate(tokens):
        ids[row, : len(text)] = text
        mask[row, : len(text)] = 1
    return [ids, mask]


def _rounded(length: int, step: int = _STEP) -> int:
    return -(-length // step) * step


def _be_nice() -> None:
    """Lower this thread's priority, and that of the threads it will start."""
    if sys.platform == "linux":  # elsewhere priority belongs to the whole process
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)


# -- the compiled model, kept -----------------------------------------------------------------


def _read(core: Core, folder: ModelFolder, cache: Path, precision: str) -> Any:
    """From the cache; made there first where it is missing or damaged."""
    version = __version__.split("-")[0]
    target = cache / f"{folder.short_name}-{folder.digest[:16]}-{precision}-{version}-{_LAYOUT}"
    keep(target, lambda partial: _make(folder, partial, precision))
    try:
        return core.read_model(target / "model.xml")
    except RuntimeError as error:
        raise ModelUnavailable(f"the compiled model in {target} cannot be read: {error}") from error


def _make(folder: ModelFolder, partial: Path, precision: str) -> None:
    log.info("compiling the embedding model %s, once (10 to 30 seconds)", folder.name)
    command = program("rag_service.models.embedders.compiling")
    done = subprocess.run(  # nothing in it comes from outside
        [
            *command,
            str(folder.path),
            str(partial),
            precision,
            "states" if folder.pools_means else "",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise ModelUnavailable(
            f"{folder.path} could not be compiled ({reason[0]}): "
            "put `sentence-transformers:` in front of it to run it without OpenVINO"
        )
