"""`widget demo`: a page of another site with the widget on it, to try it before yours has it."""

import html
import signal
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import click

from rag_service.cli.group import cli, open_service, settings_of

_NAME = "widget-demo"
_POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; "
    "script-src {service}; connect-src {service}; style-src 'self'"
)
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>A page with the widget</title>
<link rel="stylesheet" href="/style.css">
<h1>A page with the widget</h1>
<p>This page is of another origin than the service, and forbids inline styles and scripts. It needs
this one line:</p>
<pre>{snippet}</pre>
{script}
</html>
"""

_STYLE = """:root { color-scheme: light dark; }
body { font: 1.05rem/1.6 system-ui, sans-serif; max-width: 38rem; margin: 12vh auto;
  padding: 0 1rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid; padding: 1rem;
  border-radius: .5rem; }
"""


@cli.group()
def widget() -> None:
    """The chat that any page can have."""


@widget.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8100, show_default=True)
@click.option("--bot", help="The bot that answers.")
@click.option("--url", help="Where the service is; RAG_HOST and RAG_PORT otherwise.")
def demo(port: int, bot: str | None, url: str | None) -> None:
    """Serve a page with the widget until interrupted, beside a running service.

    Its key is for that page alone and is revoked in the end.
    """
    settings = settings_of()
    service_url = (url or f"http://{settings.host}:{settings.port}{settings.prefix}").rstrip("/")
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), BaseHTTPRequestHandler)
    except OSError as error:
        raise click.UsageError(f"port {port} is taken: use --port") from error
    origin = f"http://127.0.0.1:{server.server_address[1]}"
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # also revokes
    key = _key(origin, bot)
    try:
        server.RequestHandlerClass = partial(_Page, service_url, key)
        click.echo(f"{origin}  (Ctrl-C ends it and revokes its key)", err=True)
        server.serve_forever()
    except KeyboardInterrupt:
        click.echo("", err=True)
    finally:
        server.server_close()
        _revoke()


def _key(origin: str, bot: str | None) -> str:
    _revoke()
    with open_service() as service:
        key: str = service.access.create(_NAME, ["widget"], bot, None, [origin])
        return key


def _revoke() -> None:
    with open_service() as service:
        if any(token.name == _NAME for token in service.access.tokens()):
            service.access.revoke(_NAME)


class _Page(BaseHTTPRequestHandler):
    def __init__(self, service_url: str, key: str, *rest: object) -> None:
        self._service_url, self._key = service_url, key
        super().__init__(*rest)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        match self.path.partition("?")[0]:
            case "/":
                self._answer("text/html", self._page())
            case "/style.css":
                self._answer("text/css", _STYLE)
            case _:
                self.send_error(404)

    def _page(self) -> str:
        source, key = (html.escape(text, quote=True) for text in (self._service_url, self._key))
        script = f'<script src="{source}/widget.js" data-key="{key}" async></script>'
        return _PAGE.format(snippet=html.escape(script), script=script)

    def _answer(self, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", _POLICY.format(service=self._service_url))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing of each request."""
