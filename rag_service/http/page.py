"""/ui: the page for people, to which a browser is led from /.

Its files are read once, and nothing else can be reached by a path.
"""

import gzip
import hashlib
import mimetypes
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from msgspec import Struct

from rag_service import __version__

_FIRST = "index.html"
_SERVED = (".html", ".css", ".js", ".svg", ".txt")
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Vary": "Accept-Encoding",
    "Cache-Control": "no-cache",  # a new version shows at once; what is unchanged is a 304
}


_ABOUT = {
    "name": "rag-service",
    "version": __version__,
    "health": "/health",
    "api": "/schema",
    "page": "/ui/",
}


class _File(Struct, frozen=True):
    content: bytes
    packed: bytes
    """The same in gzip."""
    media_type: str
    etag: str


def handlers(prefix: str) -> list[HTTPRouteHandler]:
    """Of one application. `prefix` is the path below which a proxy serves it."""
    known = dict(_files(files("rag_service.web")))

    @get("/", include_in_schema=False, sync_to_thread=False)
    def home(request: Request[Any, Any, Any]) -> Response[Any]:
        if "text/html" in request.headers.get("accept", ""):
            to_page = {"Location": f"{prefix}/ui/", "Vary": "Accept"}
            return Response(None, status_code=303, headers=to_page)
        return Response(_ABOUT, headers={"Vary": "Accept"})

    @get(["/ui", "/ui/{path:path}"], include_in_schema=False, sync_to_thread=False)
    def page(request: Request[Any, Any, Any], path: FromPath[str] = "") -> Response[Any]:
        given = request.scope["raw_path"].partition(b"?")[0]
        if given.endswith(b"/ui"):  # its files are named beside it
            return Response(None, status_code=308, headers={"Location": f"{prefix}/ui/"})
        file = known.get(path.strip("/") or _FIRST)
        if file is None:
            raise NotFoundException
        headers = {**HEADERS, "ETag": file.etag}
        if _has(request, file.etag):
            return Response(None, status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            return Response(file.packed, media_type=file.media_type, headers=headers)
        return Response(file.content, media_type=file.media_type, headers=headers)

    return [home, page]


def _has(request: Request[Any, Any, Any], etag: str) -> bool:
    """Whether the caller holds this version of a file."""
    held = request.headers.get("if-none-match", "").split(",")
    wanted = etag.removeprefix("W/")
    return any(one.strip().removeprefix("W/") in (wanted, "*") for one in held)


def _files(folder: Traversable, within: str = "") -> list[tuple[str, _File]]:
    """With the names that they have in an address."""
    found: list[tuple[str, _File]] = []
    for one in folder.iterdir():
        if one.is_dir():
            found += _files(one, f"{within}{one.name}/")
        elif one.name.endswith(_SERVED):
            content = one.read_bytes()
            etag = f'W/"{hashlib.sha256(content).hexdigest()[:32]}"'  # packed or not
            kind = "text/javascript" if one.name.endswith(".js") else _media_type(one.name)
            found.append((within + one.name, _File(content, gzip.compress(content), kind, etag)))
    return found


def _media_type(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "text/plain"
