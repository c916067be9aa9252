"""Clients of the application in this process, whose routes are made once."""

from functools import cache

from litestar import Litestar
from litestar.testing import TestClient

from rag_service.http.app import create_app
from rag_service.settings import Settings


@cache
def _app() -> Litestar:
    return create_app(Settings())


def client_of(settings: Settings) -> TestClient[Litestar]:
    """Of a service of its own; one at a time.

    Making the routes takes longer than all else. Of the settings they know the longest body, the
    prefix and the origins: tests of these make an application of their own.
    """
    app = _app()
    app.state.settings = settings
    return TestClient(app)
