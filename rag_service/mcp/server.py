"""The tools and the pages as a server of the SDK, which speaks both eras of the protocol."""

import logging
from asyncio import to_thread
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote

import mcp_types as types
import msgspec
from mcp import MCPError
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from msgspec import Struct

from rag_service import __version__
from rag_service.access.caller import Caller
from rag_service.assembly import Service
from rag_service.errors import (
    AnswerFailed,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    RagError,
    RateLimited,
    StorageBusy,
    Unreadable,
)
from rag_service.fields import read_fields, request_schema
from rag_service.knowledge.store import DocumentFilter, DocumentInfo
from rag_service.mcp.quotations import NOTICE, quoted
from rag_service.mcp.tools import TOOLS, Tool

Context = ServerRequestContext[Any, Any]
INSTRUCTIONS = (
    "A knowledge base of pages. `search` finds the pages that answer a question, `fetch` reads "
    f"one, `ask` answers a question with sources. {NOTICE}"
)
_TEMPLATE = "rag://{bot_id}/{document_id}"
_SCHEME = "rag://"
_PAGE = 100
_TELLING = (
    AnswerFailed,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    RateLimited,
    StorageBusy,
    Unreadable,
)
_UNFORESEEN = "Something went wrong on the server; its log tells what."

log = logging.getLogger(__name__)
logging.getLogger("mcp.server").setLevel(logging.WARNING)  # it tells of the end of each request


def make_server(service: Service, caller_of: Callable[[Context], Caller]) -> Server[Any]:
    """`caller_of` tells who sends a request."""
    tools = _Tools(service, caller_of)
    pages = _Pages(service, caller_of)
    return Server(
        "rag-service",
        version=__version__,
        title="rag-service",
        instructions=INSTRUCTIONS,
        on_list_tools=tools.list,
        on_call_tool=tools.call,
        on_list_resources=pages.list,
        on_list_resource_templates=pages.templates,
        on_read_resource=pages.read,
    )


class _Tools:
    def __init__(self, service: Service, caller_of: Callable[[Context], Caller]) -> None:
        self._service = service
        self._caller_of = caller_of

    async def list(
        self, context: Context, _: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        """Those that the caller may use."""
        caller = self._caller_of(context)
        return types.ListToolsResult(tools=[_told(tool) for tool in TOOLS if tool.is_for(caller)])

    async def call(
        self, context: Context, params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        """What is wrong with the arguments or was refused is an answer that a model can read."""
        tool = next((tool for tool in TOOLS if tool.name == params.name), None)
        if tool is None:
            raise MCPError(types.INVALID_PARAMS, f"there is no tool {params.name[:100]!r}")
        try:
            answer = await self._run(tool, self._caller_of(context), params.arguments or {})
        except Exception as error:  # noqa: BLE001  this is where the request ends
            return types.CallToolResult(content=[_text(_reason(error))], is_error=True)
        data = msgspec.to_builtins(answer)
        text = msgspec.json.encode(data).decode()
        return types.CallToolResult(content=[_text(text)], structured_content=data)

    async def _run(self, tool: Tool, caller: Caller, arguments: dict[str, Any]) -> Struct:
        for permission in tool.permissions:
            caller.need(permission)
        if tool.rate is not None:
            self._service.limiter.take(caller, tool.rate)
        return await tool.run(self._service, caller, read_fields(tool.takes, arguments))


class _Pages:
    def __init__(self, service: Service, caller_of: Callable[[Context], Caller]) -> None:
        self._service = service
        self._caller_of = caller_of

    async def list(
        self, context: Context, params: types.PaginatedRequestParams | None
    ) -> types.ListResourcesResult:
        """The documents that the caller may see, newest first."""
        caller = self._caller_of(context)
        offset = _offset(params.cursor if params else None)
        if not caller.has("knowledge"):
            return types.ListResourcesResult(resources=[])
        total, found = await to_thread(
            self._service.store.knowledge.documents,
            caller.scope,
            DocumentFilter(),
            limit=_PAGE,
            offset=offset,
        )
        after = offset + len(found)
        return types.ListResourcesResult(
            resources=[_resource(info) for info in found],
            next_cursor=str(after) if found and after < total else None,
        )

    async def templates(
        self, context: Context, _: types.PaginatedRequestParams | None
    ) -> types.ListResourceTemplatesResult:
        page = types.ResourceTemplate(
            name="page",
            title="A page of the knowledge base",
            uri_template=_TEMPLATE,
            mime_type="text/plain",
        )
        return types.ListResourceTemplatesResult(resource_templates=[page])

    async def read(
        self, context: Context, params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        caller = self._caller_of(context)
        uri = str(params.uri)
        try:
            caller.need("knowledge")
            bot_id, document_id = _parts(uri)
            stored = await to_thread(
                self._service.store.knowledge.document, caller.scope, document_id
            )
            if stored.info.bot_id != bot_id:
                raise NotFound(f"no document {document_id!r}")
        except NotFound as error:
            raise MCPError(types.INVALID_PARAMS, f"there is no page {uri[:200]}") from error
        except Exception as error:
            raise MCPError(types.INVALID_REQUEST, _reason(error)) from error
        text = types.TextResourceContents(uri=uri, mime_type="text/plain", text=quoted(stored.text))
        return types.ReadResourceResult(contents=[text])


def _told(tool: Tool) -> types.Tool:
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.about,
        input_schema=request_schema(tool.takes),
        output_schema=_schema(tool.answers),
        annotations=types.ToolAnnotations(
            title=tool.title,
            read_only_hint=tool.reads_only,
            destructive_hint=tool.replaces,
            idempotent_hint=tool.is_idempotent,
            open_world_hint=False,
        ),
    )


def _schema(answer: type[Struct]) -> dict[str, Any]:
    """Clients want an object at its root, and not a reference to one."""
    schema = msgspec.json.schema(answer)
    definitions = schema["$defs"]
    return {**definitions[schema["$ref"].rpartition("/")[2]], "$defs": definitions}


def _text(text: str) -> types.TextContent:
    return types.TextContent(type="text", text=text)


def _reason(error: Exception) -> str:
    if isinstance(error, _TELLING):
        return error.told() if isinstance(error, Invalid) else str(error)
    log.error("a request of MCP failed", exc_info=error)
    return _UNFORESEEN if not isinstance(error, RagError) else f"{_UNFORESEEN} Try again later."


def _offset(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 10):
        raise MCPError(types.INVALID_PARAMS, f"the cursor {cursor[:100]!r} is none of this server")
    return int(cursor)


def _resource(info: DocumentInfo) -> types.Resource:
    bot_id = quote(info.bot_id, safe="@:")
    return types.Resource(
        uri=f"{_SCHEME}{bot_id}/{info.document_id}",
        name=info.source_url,
        title=info.title or info.source_url,
        mime_type="text/plain",
    )


def _parts(uri: str) -> tuple[str, str]:
    """Raises NotFound."""
    bot_id, slash, document_id = uri.removeprefix(_SCHEME).partition("/")
    if not uri.startswith(_SCHEME) or not slash:
        raise NotFound(f"no page {uri!r}")
    return unquote(bot_id), unquote(document_id)
