"""/knowledge/upload: files as a multipart form, made into a batch."""

import base64
from asyncio import to_thread
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import partial
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from litestar import Request, Response, post
from litestar.di import NamedDependency
from msgspec import Struct

from rag_service.assembly import Service
from rag_service.background.jobs import spool_folder
from rag_service.errors import Invalid, Unreadable
from rag_service.fields import (
    Field,
    flag,
    read_fields,
    read_source_url,
)
from rag_service.http.dialects.knowledge.batch import RESULTS, WAIT, Queued, answer_batch
from rag_service.http.documenting import NDJSON, errors, form_body, operation
from rag_service.http.forms import Form, FormFile
from rag_service.http.guarding import need, scope_of
from rag_service.http.parameters import query_of
from rag_service.knowledge.pushes import BOT, LABEL, STRICT
from rag_service.readers.containers import Push, Within, read_types
from rag_service.readers.formats import LABELS


class UploadRequest(Struct, frozen=True, kw_only=True):
    wait: Annotated[bool, WAIT] = False
    source_url: Annotated[
        str | None,
        Field(
            "Of a single file; `upload://FILENAME` when left out, with its folders where two share "
            "a name.",
            read_source_url,
        ),
    ] = None
    bot_id: Annotated[str | None, BOT] = None
    content_type: Annotated[str | None, LABEL] = None
    strict: Annotated[bool, STRICT] = False
    attachments: Annotated[
        bool,
        Field(
            "Read what is attached to mails as documents of their own.", flag, may_be_blank=False
        ),
    ] = False
    types: Annotated[
        tuple[str, ...] | None,
        Field(
            "Only entries of these types, such as `post,page`, of a WordPress export.", read_types
        ),
    ] = None


_FILES = {
    "type": "array",
    "items": {"type": "string", "format": "binary", "contentMediaType": "application/octet-stream"},
    "minItems": 1,
    "description": "One or more files, in fields of any name, each within RAG_MAX_BODY_MB: "
    f"{LABELS}, or a WordPress export, of which every published entry becomes a document.",
}
_EXAMPLE = {"files": ["handbook.pdf"], "content_type": "handbook"}

Unpack = Callable[[str, bytes, str], Iterator[Push]]
"""Of a file's name, bytes and URL, the pushes in it."""


@post(
    "/knowledge/upload",
    status_code=202,
    guards=[need("knowledge")],
    request_max_body_size=None,
    tags=["batch"],
    summary="Push files",
    operation_class=operation(
        in_place_of_body=UploadRequest,
        body=form_body(UploadRequest, {"files": _FILES}, _EXAMPLE),
        streams={NDJSON: RESULTS},
    ),
    responses=errors(400),
)
async def upload_files(
    request: Request[Any, Any, Any], service: NamedDependency[Service]
) -> Response[Queued]:
    """A file that cannot be read is reported with its reason, and does not stop the others."""
    scope = scope_of(request)
    longest = service.settings.max_body_bytes
    async with Form(spool_folder(service.settings), longest) as form:
        await form.read(request)
        asked = read_fields(UploadRequest, query_of(request, UploadRequest) | form.fields)
        bot_id = asked.bot_id or scope.default_bot
        scope.need(bot_id)
        if not form.files:
            raise Invalid("Invalid parameter(s): files", {"files": "has to be one file at least"})
        if asked.source_url is not None and len(form.files) > 1:
            reason = "goes with a single file: leave it out, or send the files one by one"
            raise Invalid("Invalid parameter(s): source_url", {"source_url": reason})
        common = {"bot_id": bot_id, "content_type": asked.content_type}
        within = Within(attachments=asked.attachments, types=asked.types)
        unpack = partial(service.readers.unpack, within=within)
        lines = _lines(form, asked.source_url, common, longest, unpack)
        job = await service.jobs.submit(scope, lines, strict=asked.strict)
    return answer_batch(request, service, job, asked.wait)


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


handlers = [upload_files]
