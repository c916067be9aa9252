"""/widget.js: the chat itself, one file that any page may load."""

import hashlib
from functools import cache
from importlib.resources import files
from typing import Any

from litestar import Request, Response, get

_KEPT_S = 3600


@get("/widget.js", include_in_schema=False, sync_to_thread=False)
def widget_script(request: Request[Any, Any, Any]) -> Response[bytes]:
    script, tag = _script()
    headers = {
        "Cache-Control": f"public, max-age={_KEPT_S}",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "ETag": tag,
        "X-Content-Type-Options": "nosniff",
    }
    if tag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers)
    return Response(script, media_type="text/javascript; charset=utf-8", headers=headers)


@cache
def _script() -> tuple[bytes, str]:
    script = files(__package__).joinpath("widget.js").read_bytes()
    return script, f'"{hashlib.sha256(script).hexdigest()[:16]}"'
