"""A server with something of everything, as the page is shown with."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
from open_gaps import considered
from served import served

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import assemble
from rag_service.conversations.messages import Sender
from rag_service.conversations.store import NewMessage
from rag_service.settings import Settings

PAGES = {
    "https://example.com/hours": ("Opening hours", "We open at nine in the morning on weekdays."),
    "https://example.com/returns": ("Returns", "Parcels can be returned within thirty days."),
}
QUESTION, UNANSWERED = "When do you open in the morning?", "Which zebra sells umbrellas?"
ROWS = 400
"""Transcript rows, more than a screen has and more than the page reads at once."""


class Site(NamedTuple):
    url: str
    token: str
    api: httpx.Client

    @property
    def door(self) -> str:
        """The link that `serve --first-token` prints."""
        return f"{self.url}/ui/#token={self.token}"


@contextmanager
def site_in(folder: Path, rows: int = ROWS) -> Iterator[Site]:
    """A server of its own, until it is left."""
    settings = Settings(
        data_dir=folder / "data", index_dir=folder / "indexes", embedding_model="hashing:1024"
    )
    rates = {"data": "off", "chat": "off", "webhook": "off"}
    with assemble(settings) as service:
        token = service.access.create("first", ["admin"], rates=rates)
        for number in range(rows):
            said = NewMessage(
                role="user", text=f"Row {number} of many.", sender=Sender(type="user", id="u1")
            )
            service.store.messages.add(ALL_BOTS, "crowd", f"c{number}", said, create=True)
    with served(settings) as (client, _):
        client.headers["Authorization"] = f"Bearer {token}"
        for url, (title, text) in PAGES.items():
            body = {"source_url": url, "title": title, "content": text}
            client.post("/knowledge", json=body).raise_for_status()
        for question in (QUESTION, UNANSWERED):
            body = {"message": question, "metadata": {"userId": "u7"}}
            client.post("/chat/default/message", json=body).raise_for_status()
        contact = {"email": "ann@example.com", "name": "Ann Lee", "userId": "u7"}
        client.post("/contacts", json=contact).raise_for_status()
        hook = {"url": "http://93.184.216.34/", "events": ["gap.*"], "enabled": False}
        client.post("/webhooks", json=hook).raise_for_status()
        considered(client)
        yield Site(str(client.base_url).rstrip("/"), token, client)
