"""A benchmark's options and its answer: figures, with the machine that they were measured on."""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

_PACKAGES = ("rag-service", "numpy", "openvino", "torch", "sentence-transformers", "faiss-cpu")
_CAPABILITIES = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8", "asimd")


def arguments(description: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--corpus", type=Path, help="records {source_url, title, text}, .jsonl[.gz]"
    )
    parser.add_argument("--limit", type=int, help="how many records at most")
    parser.add_argument(
        "--small", action="store_true", help="well under a minute; only a smoke test"
    )
    parser.set_defaults(busy_before=_busy_s())
    parser.add_argument("--model", default="all-MiniLM-L6-v2", help="RAG_EMBEDDING_MODEL")
    return parser


def add_existing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data-dir", type=Path, help="of a filled base, to use instead")
    parser.add_argument("--index-dir", type=Path, help="of the same base")


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def finish(name: str, figures: dict[str, Any], settings: argparse.Namespace) -> None:
    """The last line of standard output."""
    here = machine() | {"busy_elsewhere": _busy_elsewhere(settings.busy_before)}
    del settings.busy_before
    given = {key: str(v) if isinstance(v, Path) else v for key, v in vars(settings).items()}
    if given.get("corpus"):
        given["corpus"] = Path(given["corpus"]).name
    result = {"benchmark": name, **_rounded(figures)}
    print(
        json.dumps(
            {**result, "machine": _rounded(here), "versions": versions(), "settings": given},
            default=str,  # the paths of a list
        )
    )


def machine() -> dict[str, Any]:
    cpu = platform.processor() or platform.machine()
    flags: list[str] = []
    memory = None
    with suppress(OSError, ValueError):
        memory = round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                cpu = value.strip()
            elif key.strip() in ("flags", "Features"):
                flags = [flag for flag in _CAPABILITIES if flag in value.split()]
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "capabilities": flags,
        "memory_gb": memory,
        "platform": platform.platform(),
        "python": platform.python_version(),
    }


def versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        with suppress(ImportError):
            found[package] = version(package)
    return found


def latencies(seconds: Sequence[float]) -> dict[str, float]:
    """Percentiles in milliseconds; empty when there is nothing to tell."""
    if not len(seconds):
        return {"count": 0}
    p50, p95, p99 = np.percentile(np.array(seconds) * 1000, [50, 95, 99]).tolist()
    return {"count": len(seconds), "p50_ms": p50, "p95_ms": p95, "p99_ms": p99}


def ratio(a: float | None, b: float | None) -> float | None:
    return a / b if a is not None and b else None


def _busy_s() -> tuple[float, float] | None:
    """Now, and the core-seconds that this machine has worked; None where /proc does not tell."""
    with suppress(OSError, ValueError):
        ticks = [int(n) for n in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        idle = ticks[3] + ticks[4]
        return time.time(), (sum(ticks) - idle) / os.sysconf("SC_CLK_TCK")
    return None


def _busy_elsewhere(before: tuple[float, float] | None) -> float | None:
    """The share of all cores that others have had since. Above a few percent: measure again."""
    now = _busy_s()
    if before is None or now is None:
        return None
    spent = sum(os.times()[:4])
    return max(0.0, now[1] - before[1] - spent) / (now[0] - before[0]) / (os.cpu_count() or 1)


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value
