"""/schema: the OpenAPI document and a page for people, complete without a network."""

from importlib.util import find_spec
from pathlib import Path

from litestar import Response, Router
from litestar.exceptions import NotFoundException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import SwaggerRenderPlugin
from litestar.openapi.spec import Components, Contact, License, SecurityScheme, Server
from litestar.static_files import create_static_files_router

from rag_service import __version__
from rag_service.http import documenting, event_schemas

_ASSETS = "/schema/assets"


def config(prefix: str) -> OpenAPIConfig:
    """One for each application, since its router keeps the handlers. The page finds its files below
    the prefix of a proxy."""
    files = prefix + _ASSETS
    return OpenAPIConfig(
        title="rag-service",
        version=__version__,
        description=(
            "A local-first knowledge service. Push documents, find them, lose nothing. "
            "Every route but /health needs a token: `rag-service token create NAME`."
        ),
        license=License(name="Apache-2.0", identifier="Apache-2.0"),
        contact=Contact(name="The rag-service authors"),
        servers=[Server(url=prefix or "/")],
        components=Components(
            headers=documenting.headers(),  # type: ignore[arg-type]  # a dict is invariant
            security_schemes={
                "token": SecurityScheme(
                    type="http", scheme="bearer", description="`rag-service token create NAME`"
                )
            },
        ),
        security=[{"token": []}],
        operation_id_creator=documenting.operation_id,
        webhooks=event_schemas.webhooks(),  # type: ignore[arg-type]  # a dict is invariant
        openapi_router=Router(
            "/schema",
            route_handlers=[],
            include_in_schema=False,
            after_request=_answer_404_as_elsewhere,
        ),
        render_plugins=[
            SwaggerRenderPlugin(
                path="/",
                js_url=f"{files}/swagger-ui-bundle.js",
                css_url=f"{files}/swagger-ui.css",
                standalone_preset_js_url=f"{files}/swagger-ui-standalone-preset.js",
                favicon="",
            )
        ],
    )


def assets() -> Router:
    """Swagger UI's own files, out of the package that carries them."""
    spec = find_spec("swagger_ui")
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent / "static"
    return create_static_files_router(_ASSETS, [folder], include_in_schema=False)


def _answer_404_as_elsewhere(response: Response[bytes]) -> Response[bytes]:
    if response.status_code == NotFoundException.status_code:
        raise NotFoundException
    return response
