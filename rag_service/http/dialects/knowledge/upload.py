"""/knowledge/upload: files as a multipart form, made into a batch."""

import base64
from asyncio import to_thread
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

import msgspec
from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import OpenAPIFormat, OpenAPIType, Schema

from rag_service.assembly import Service
from rag_service.background.jobs import spool_folder
from rag_service.documents import DEFAULT_BOT
from rag_service.errors import Invalid, Unreadable
from rag_service.fields import flag, read_bot_id, read_content_type, read_source_url
from rag_service.http.dialects.knowledge.batch import answer_batch
from rag_service.http.dialects.knowledge.knowledge import STRICT
from rag_service.http.documenting import (
    NDJSON,
    RATE_HEADERS,
    boolean,
    errors,
    form_body,
    operation,
    string,
)
from rag_service.http.forms import Form, FormFile
from rag_service.http.guarding import need, scope_of
from rag_service.http.parameters import Parameters, query_of
from rag_service.readers.containers import Push, Within, read_types
from rag_service.readers.formats import LABELS

_URL = string(
    "Of a single file; `upload://FILENAME` when left out, with its folders where two share a name."
)
_BOT = string("The bot whose knowledge it is.", default=DEFAULT_BOT)
_LABEL = string("A free label such as manual or report.", default="manual")
_OPTIONS = {
    "strict": STRICT,
    "attachments": boolean("Read what is attached to mails as documents of their own.", False),
    "types": string("Only entries of these types, such as `post,page`, of a WordPress export."),
}
_FILE = Schema(
    type=OpenAPIType.ARRAY,
    items=Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY),
    description="One or more files, in fields of any name, each within RAG_MAX_BODY_MB: "
    f"{LABELS}, or a WordPress export, of which every published entry becomes a document.",
)

Unpack = Callable[[str, bytes, str], Iterator[Push]]
"""Of a file's name, bytes and URL, the pushes in it."""


@post(
    "/knowledge/upload",
    status_code=202,
    guards=[need("knowledge")],
    response_headers=RATE_HEADERS,
    request_max_body_size=None,
    tags=["batch"],
    summary="Push files",
    operation_class=operation(
        query={
            "wait": boolean("Answer 200 with one NDJSON result a line as it goes on.", False),
            "source_url": _URL,
            "bot_id": _BOT,
            "content_type": _LABEL,
            **_OPTIONS,
        },
        body=form_body(
            {
                "files": _FILE,
                "source_url": _URL,
                "bot_id": _BOT,
                "content_type": _LABEL,
                **_OPTIONS,
            },
            ("files",),
            {"files": ["handbook.pdf"], "content_type": "handbook"},
        ),
    ),
    responses={
        200: ResponseSpec(
            data_container=str,
            media_type=NDJSON,
            description="With `wait`: `{line, source_url, file, success, ...}` a line, in order.",
        ),
        **errors(400),
    },
)
async def upload(
    request: Request[Any, Any, Any], service: NamedDependency[Service]
) -> Response[Any]:
    """A file that cannot be read is reported with its reason, and does not stop the others."""
    scope = scope_of(request)
    given = query_of(request)
    longest = service.settings.max_body_bytes
    async with Form(spool_folder(service.settings), longest) as form:
        await form.read(request)
        values = Parameters(given | form.fields)
        wait = values.take("wait", flag, False)
        source_url = values.take("source_url", read_source_url, None)
        bot_id = values.take("bot_id", read_bot_id, scope.default_bot)
        content_type = values.take("content_type", read_content_type, None)
        strict = values.take_flag("strict")
        within = Within(
            attachments=values.take_flag("attachments"),
            types=values.take("types", read_types, None),
        )
        values.done()
        scope.need(bot_id)
        if not form.files:
            raise Invalid("Invalid parameter(s): files", {"files": "has to be one file at least"})
        if source_url is not None and len(form.files) > 1:
            reason = "goes with a single file: leave it out, or send the files one by one"
            raise Invalid("Invalid parameter(s): source_url", {"source_url": reason})
        common = {"bot_id": bot_id, "content_type": content_type}
        unpack = partial(service.readers.unpack, within=within)
        lines = _lines(form, source_url, common, longest, unpack)
        job = await service.jobs.submit(scope, lines, strict=strict)
    return answer_batch(request, service, job, wait)


async def _lines(
    form: Form, source_url: str | None, common: dict[str, Any], longest: int, unpack: Unpack
) -> AsyncIterator[bytes]:
    """A batch in the order of the files; one of them is in memory at a time."""
    for file, url in zip(form.files, _urls(form.files), strict=True):
        url = source_url or url
        pushes = _pushes(form, file, url, longest, unpack)
        while (push := await to_thread(next, pushes, None)) is not None:
            body = msgspec.json.encode({"file": file.name, **push, **common})
            yield body + b"\n"


def _urls(files: Sequence[FormFile]) -> Iterator[str]:
    """One for each, of its name; where several have that, of their folders, or of their order."""
    names = Counter(file.name for file in files)
    seen: Counter[str] = Counter()
    for file in files:
        is_alone = names[file.name] == 1
        url = (
            f"upload://{quote(file.name if is_alone else file.path, safe='' if is_alone else '/')}"
        )
        seen[url] += 1
        yield url if seen[url] == 1 else f"{url}#{seen[url]}"


def _pushes(
    form: Form, file: FormFile, url: str, longest: int, unpack: Unpack
) -> Iterator[dict[str, Any]]:
    """What is wrong with a file becomes a line that says so."""
    try:
        if file.size > longest:
            raise Unreadable(f"is larger than {longest >> 20} MiB (RAG_MAX_BODY_MB)")
        if not file.size:
            raise Unreadable("is empty")
        for push in unpack(file.name, form.content(file), url):
            content = push.pop("content")
            if isinstance(content, bytes):
                yield {**push, "content_base64": base64.b64encode(content).decode()}
            else:
                yield {**push, "content": content}
    except Unreadable as error:
        yield {"source_url": url, "refused": error.told()}


handlers = [upload]
