"""Everything an operator can set, read once from RAG_* variables."""

import os
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from rag_service.errors import InvalidSettings

Count = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0)]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One field per variable: `data_dir` is RAG_DATA_DIR."""

    data_dir: Path = Path("data")
    """The rows: rag.db, running jobs, compiled models. Back this up."""
    index_dir: Path = Path("indexes")
    """Views of the rows; may be deleted, they are made again."""
    host: str = "127.0.0.1"
    """The address `serve` listens on."""
    port: Annotated[int, Meta(ge=0, le=65535)] = 8000
    """The port `serve` listens on; 0 takes a free one."""
    embedding_model: str = "all-MiniLM-L6-v2"
    """A sentence-transformers model on this machine: its name, or the path of its folder."""
    max_body_mb: Count = 20
    """The largest body, and the largest line of a batch, in MiB; a whole batch has no limit."""
    lock_timeout_s: Seconds = 30.0
    """How long a write waits for another process's before it fails."""
    rate_chat: str = "100/minute"
    """Requests a token may make to chat: `N/second`, `N/minute`, `N/hour` or `off`."""
    rate_data: str = "1000/hour"
    """The same for knowledge, search, jobs and transcripts."""
    rate_webhook: str = "500/minute"
    """The same for webhooks."""
    log_level: Annotated[str, Meta(pattern="^(debug|info|warning|error)$")] = "info"
    """debug, info, warning or error."""

    @property
    def max_body_bytes(self) -> int:
        return self.max_body_mb * 1024 * 1024

    def environ(self) -> dict[str, str]:
        """The variables that give these settings again, for a child process."""
        values = msgspec.structs.asdict(self)
        return {f"RAG_{name.upper()}": str(value) for name, value in values.items()}


def load_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Raises InvalidSettings, which names every variable at fault and the nearest known name."""
    known = {f"RAG_{name.upper()}": name for name in Settings.__struct_fields__}
    given = {name: value for name, value in environ.items() if name.startswith("RAG_")}
    faults = {}
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name not in known:
            near = get_close_matches(name, known, n=1, cutoff=0.0)[0]
            faults[name] = f"unknown setting; did you mean {near}?"
            continue
        try:
            values[known[name]] = _convert(known[name], value)
        except msgspec.ValidationError as error:
            faults[name] = f"{value!r}: {error}"
    if faults:
        lines = "; ".join(f"{name}: {reason}" for name, reason in faults.items())
        raise InvalidSettings(f"bad settings: {lines}", faults)
    return Settings(**values)


def _convert(field: str, value: str) -> Any:
    type_ = next(f.type for f in msgspec.structs.fields(Settings) if f.name == field)
    if type_ is Path:
        return Path(value).expanduser()
    return msgspec.convert(value, type_, strict=False)
