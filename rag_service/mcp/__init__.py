"""The service as a server of the Model Context Protocol: tools and resources for assistants.

A tool is a use case with the fields that its route has over HTTP, and wants the permissions of that
route. What goes out of a page is marked as a quotation (`quotations`), so that an instruction in a
page is not taken for one. `tools` knows no protocol; `server` hands its table to the SDK, which is
the extra `[mcp]`, and `endpoint` and `stdio` carry that to clients.
"""

from importlib.util import find_spec

NEEDS_EXTRA = "MCP needs an extra that is not installed: pip install 'rag-service[mcp]'"


def is_installed() -> bool:
    return find_spec("mcp") is not None
