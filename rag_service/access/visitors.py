"""Visitors of pages with the widget: whoever they are, each has a session of its own.

A session is `VISITOR.EXPIRY.SIGNATURE`, signed with a key of the base (HMAC-SHA256) for the token
and the bot it was given under. Nothing of it is kept, and every process that has the base reads it.
"""

import hmac
import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime

from msgspec import Struct

from rag_service.access.caller import Caller
from rag_service.clock import Clock, SystemClock, written
from rag_service.errors import BadSession

LASTS_S = 3600
"""How long a session opens anything."""
_RENEWABLE_S = 24 * 3600
"""How long after that it can still be renewed, so that a visitor who was away goes on."""
_SESSION = re.compile(r"(v[0-9a-f]{32})\.([0-9]{1,12})\.([0-9a-f]{64})")


class Session(Struct, frozen=True, kw_only=True):
    session: str
    visitor: str
    expires_at: str


class Visitors:
    def __init__(self, signing_key: Callable[[], bytes], clock: Clock | None = None) -> None:
        self._signing_key = signing_key
        self._clock = clock or SystemClock()

    def begin(self, caller: Caller, former: str = "") -> Session:
        """Of the visitor of the former session, where that can be renewed; else of a new one."""
        try:
            visitor = self._read(caller, former, spare=_RENEWABLE_S)
        except BadSession:
            visitor = f"v{secrets.token_hex(16)}"
        expiry = int(self._clock.now().timestamp()) + LASTS_S
        return Session(
            session=f"{visitor}.{expiry}.{self._signature(caller, visitor, expiry)}",
            visitor=visitor,
            expires_at=written(datetime.fromtimestamp(expiry, UTC)),
        )

    def identify(self, caller: Caller, session: str | None) -> str:
        """The visitor whose session this is. Raises BadSession."""
        return self._read(caller, session or "", spare=0)

    def _read(self, caller: Caller, session: str, *, spare: int) -> str:
        match = _SESSION.fullmatch(session)
        if match is None:
            raise BadSession("This needs a session: POST /widget/session gives one.")
        visitor, expiry, signature = match[1], int(match[2]), match[3]
        if not hmac.compare_digest(signature, self._signature(caller, visitor, expiry)):
            raise BadSession("This session is not one of ours.")
        if self._clock.now().timestamp() >= expiry + spare:
            raise BadSession("This session has expired: POST /widget/session renews it.")
        return visitor

    def _signature(self, caller: Caller, visitor: str, expiry: int) -> str:
        signed = f"{caller.name}\n{caller.scope.one_bot}\n{visitor}\n{expiry}"
        return hmac.digest(self._signing_key(), signed.encode(), "sha256").hex()
