"""Everything an operator can set, read once from RAG_* variables."""

import os
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from rag_service.errors import InvalidSettings

RATE = r"([1-9][0-9]{0,8})/(second|minute|hour)|off"
Rate = Annotated[
    str, Meta(pattern=f"^(?:{RATE})$", description="use N/second, N/minute, N/hour or off")
]
Switch = Annotated[bool, Meta(description="use true or false, or on or off")]
_SWITCHES = {"on": "true", "off": "false", "yes": "true", "no": "false"}
Weak = Annotated[
    str, Meta(pattern=r"^(?:0?\.[0-9]+|0|1|off)$", description="use a number from 0 to 1, or off")
]
Level = Annotated[
    str,
    Meta(pattern="^(debug|info|warning|error)$", description="use debug, info, warning or error"),
]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One field per variable: `data_dir` is RAG_DATA_DIR."""

    data_dir: Path = Path("data")
    """The rows: rag.db, running jobs, compiled models. Back this up."""
    index_dir: Path = Path("indexes")
    """Views of the rows; may be deleted, they are made again."""
    host: Annotated[str, Meta(min_length=1)] = "127.0.0.1"
    """The address `serve` listens on."""
    port: Annotated[int, Meta(ge=0, le=65535)] = 8000
    """The port `serve` listens on; 0 takes a free one."""
    embedding_model: str = "all-MiniLM-L6-v2"
    """A sentence-transformers model on this machine: its name, or the path of its folder."""
    rerank_model: str = ""
    """A sentence-transformers cross-encoder on this machine that orders the best passages again."""
    chat_model: str = "extractive"
    """What answers: `extractive`, `local:FOLDER`, `local:FILE.gguf` or `openai:NAME`."""
    chat_base_url: str = ""
    """Where `openai:NAME` is served, for instance http://127.0.0.1:11434/v1."""
    chat_api_key: str = ""
    """The key for it, if it wants one."""
    chat_timeout_s: Annotated[float, Meta(gt=0, le=3600)] = 60.0
    """How long `openai:NAME` may take to begin, and between two pieces of an answer."""
    chat_context_tokens: Annotated[int, Meta(ge=256, le=10_000_000)] = 4096
    """The model's context, or less; what does not fit into three quarters of it is left out."""
    nothing_found: Annotated[str, Meta(min_length=1)] = (
        "I found nothing about this in the knowledge base."
    )
    """The answer to a question without context, or whose sources do not hold it."""
    small_talk: Switch = True
    """Whether greetings, thanks and the like are answered as such: `on` or `off`."""
    small_talk_reply: str = ""
    """What is answered to all of them, instead of a reply of its kind in the visitor's language."""
    gaps_weak: Weak = "off"
    """The confidence from which an answer counts as one, such as 0.7, or `off`: gaps are also made
    of questions whose answer has less."""
    max_body_mb: Annotated[int, Meta(ge=1, le=1024)] = 20
    """The largest body, and the largest line of a batch, in MiB; a whole batch has no limit."""
    readers: Annotated[int, Meta(ge=1, le=64)] = 2
    """How many files are read side by side, each in a process of its own."""
    reader_memory_mb: Annotated[int, Meta(ge=256, le=1_048_576)] = 2048
    """The memory of a process that reads files, in MiB, where the system can limit it."""
    reader_seconds: Annotated[float, Meta(ge=1, le=86400)] = 60.0
    """The processor time that reading a file may take; on a busy machine it may wait longer."""
    lock_timeout_s: Annotated[float, Meta(gt=0, le=86400)] = 30.0
    """How long a write waits for another process's before it fails."""
    keep_jobs_days: Annotated[int, Meta(ge=1, le=36500)] = 30
    """How many days a job that has ended can be looked at, with its results."""
    keep_events_days: Annotated[int, Meta(ge=1, le=36500)] = 30
    """How many days an event stays in the feed of `/events`."""
    rate_chat: Rate = "100/minute"
    """Requests a token may make to chat: `N/second`, `N/minute`, `N/hour` or `off`."""
    rate_data: Rate = "1000/hour"
    """The same for knowledge, search, jobs and transcripts."""
    rate_webhook: Rate = "500/minute"
    """The same for webhooks."""
    rate_visitor: Rate = "10/minute"
    """What a visitor of a page with the widget may ask and rate."""
    rate_address: Rate = "60/minute"
    """The same for all visitors of one address together, with the sessions that they begin."""
    rate_wrong_tokens: Rate = "60/minute"
    """Wrong tokens that an address may send before it is answered 429; right ones always pass."""
    webhook_allow_private: Switch = False
    """Whether webhooks may reach private and local addresses: `true` or `false`."""
    cors_origins: str = ""
    """Origins whose pages may ask, such as `https://shop.example`, apart by commas; `*` is any."""
    mcp_hosts: str = ""
    """Hosts under which clients reach `/mcp`, such as `docs.example` or `docs.example:*` for any
    port, apart by commas; every other `Host` is refused. Empty takes any."""
    path_prefix: Annotated[str, Meta(pattern=r"^(/[A-Za-z0-9._~-]+)*/?$")] = ""
    """The path below which a proxy serves it, such as `/rag`."""
    log_level: Level = "info"
    """debug, info, warning or error."""

    @property
    def max_body_bytes(self) -> int:
        return self.max_body_mb * 1024 * 1024

    @property
    def weak_below(self) -> float | None:
        return None if self.gaps_weak == "off" else float(self.gaps_weak)

    @property
    def prefix(self) -> str:
        return self.path_prefix.rstrip("/")

    @property
    def origins(self) -> list[str]:
        return _listed(self.cors_origins)

    @property
    def hosts(self) -> list[str]:
        return _listed(self.mcp_hosts)

    def environ(self) -> dict[str, str]:
        """The variables that give these settings again, for a child process."""
        values = msgspec.structs.asdict(self)
        return {f"RAG_{name.upper()}": str(value) for name, value in values.items()}


def _listed(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


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
        except ValueError as error:
            faults[name] = f"{value!r}: {error}"
    if faults:
        lines = "; ".join(f"{name}: {reason}" for name, reason in faults.items())
        raise InvalidSettings(f"bad settings: {lines}", faults)
    return Settings(**values)


def _convert(field: str, value: str) -> Any:
    """Raises ValueError, which tells what is wanted."""
    type_ = next(f.type for f in msgspec.structs.fields(Settings) if f.name == field)
    if type_ is Path:
        try:
            return Path(value).expanduser()
        except RuntimeError as error:  # the home of an unknown user
            raise ValueError(str(error)) from error
    if type_ is Switch:
        value = _SWITCHES.get(value.lower(), value)
    try:
        return msgspec.convert(value, type_, strict=False)
    except msgspec.ValidationError as error:
        hints = [meta.description for meta in type_.__metadata__ if meta.description]
        raise ValueError(hints[0] if hints else str(error)) from error
