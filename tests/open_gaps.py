"""What the tests of gaps share."""

import time
from typing import Any

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import Service
from rag_service.gaps.gap import Gap, GapFilter

WAIT_S = 60


def considered(client: Any, **params: Any) -> list[dict[str, Any]]:
    """The gaps, once the ledger of a running service has nothing left to consider."""
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        answer = client.get("/gaps", params={"state": "all", **params})
        assert answer.status_code == 200, answer.text
        if answer.json()["pending"] == 0:
            items: list[dict[str, Any]] = answer.json()["items"]
            return items
        time.sleep(0.02)
    raise AssertionError("the ledger does not come to an end")


def gaps_of(service: Service, state: str | None = None) -> list[Gap]:
    """The same in this process, whose ledger is followed here."""
    service.ledger.follow()
    where = GapFilter(state=state)
    return service.store.gaps.page(
        ALL_BOTS, where, sort="people", descending=True, limit=1000, offset=0
    )[1]
