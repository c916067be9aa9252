"""MCP over standard input and output, for a client on this machine that starts the command."""

from typing import Any

import anyio
from mcp.server.stdio import stdio_server

from rag_service.access.caller import Caller
from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import Service
from rag_service.mcp.server import make_server


def serve(service: Service, bot_id: str | None) -> None:
    """Until the input ends. Whoever starts the command may do all that it does."""
    caller = Caller(
        name="stdio", permissions=["admin"], scope=ALL_BOTS.only(bot_id), rates={"chat": "off"}
    )
    server = make_server(service, lambda context: caller)

    async def run() -> None:
        async with stdio_server() as (read, write):
            options: Any = server.create_initialization_options()
            await server.run(read, write, options)

    anyio.run(run)
