"""Who may do what: tokens, scopes and rates. Everything is closed until a token exists."""

import hashlib
import hmac
import re
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from typing import Literal, get_args

from msgspec import Struct

from rag_service.errors import BadToken, Forbidden, Invalid, NoTokens, RateLimited
from rag_service.events import now
from rag_service.pushes import read_bot_id
from rag_service.settings import RATE
from rag_service.stores import Token, TokenStore

Scope = Literal["knowledge", "transcripts", "chat", "admin"]
RateClass = Literal["chat", "data", "webhook"]

DEFAULT_SCOPES: tuple[Scope, ...] = ("knowledge", "transcripts", "chat")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,99}")
_RATE = re.compile(RATE)
_SECONDS = {"second": 1, "minute": 60, "hour": 3600}


class Caller(Struct, frozen=True, kw_only=True):
    """Whoever holds a valid token."""

    name: str
    scopes: list[str]
    bot_id: str | None
    rates: dict[str, str]

    def need(self, scope: Scope) -> None:
        """Raises Forbidden."""
        if scope not in self.scopes and not self.is_admin:
            raise Forbidden(f"This token lacks the scope {scope!r}.")

    def may_use(self, bot_id: str) -> None:
        """Raises Forbidden."""
        if self.bot_id not in (None, bot_id):
            raise Forbidden(f"This token is bound to the bot {self.bot_id!r}.")

    @property
    def is_admin(self) -> bool:
        return "admin" in self.scopes

    @property
    def bot_ids(self) -> list[str] | None:
        """The bots it may see; None for all."""
        return None if self.bot_id is None else [self.bot_id]


class Access:
    """Tokens, managed and checked. Reads them anew for each check, so a change holds at once."""

    def __init__(self, store: TokenStore) -> None:
        self._store = store

    def create(
        self,
        name: str,
        scopes: list[Scope] | None = None,
        bot_id: str | None = None,
        rates: Mapping[str, str] | None = None,
    ) -> str:
        """The new token: 48 characters, shown this once. Raises Invalid or Conflict."""
        if not _NAME.fullmatch(name):
            raise Invalid(f"a token's name is 1 to 100 letters, digits or any of _ . @ -: {name!r}")
        for scope in scopes or ():
            if scope not in get_args(Scope):
                raise Invalid(f"unknown scope {scope!r}: use {', '.join(get_args(Scope))}")
        for kind, rate in (rates or {}).items():
            if kind not in get_args(RateClass):
                raise Invalid(f"unknown class {kind!r}: use {', '.join(get_args(RateClass))}")
            read_rate(rate)
        if bot_id is not None:
            try:
                bot_id = read_bot_id(bot_id)
            except ValueError as error:
                raise Invalid(f"the bot {bot_id!r} {error}") from error
        token = _new_token()
        self._store.add_token(
            Token(
                name=name,
                digest=_digest(token),
                scopes=list(dict.fromkeys(scopes or DEFAULT_SCOPES)),
                bot_id=bot_id,
                rates=dict(rates or {}),
                created_at=now(),
            )
        )
        return token

    def rotate(self, name: str) -> str:
        """A new token in place of the old one, which is void at once. Raises NotFound."""
        token = _new_token()
        self._store.rotate_token(name, _digest(token))
        return token

    def revoke(self, name: str) -> None:
        """Raises NotFound."""
        self._store.revoke_token(name)

    def tokens(self) -> list[Token]:
        return self._store.tokens()

    def identify(self, authorization: str | None) -> Caller:
        """From an Authorization header. Raises NoTokens or BadToken.

        Compares with every token in constant time, so the time taken tells nothing.
        """
        tokens = self._store.tokens()
        if not tokens:
            raise NoTokens("No API token has been created: run `rag-service token create NAME`.")
        kind, _, given = (authorization or "").partition(" ")
        digest = _digest(given.strip())
        matches = [token for token in tokens if hmac.compare_digest(token.digest, digest)]
        if kind.lower() != "bearer" or not matches:
            raise BadToken("Invalid bearer token.")
        token = matches[0]
        return Caller(name=token.name, scopes=token.scopes, bot_id=token.bot_id, rates=token.rates)


class Allowance(Struct, frozen=True, kw_only=True):
    """What is left in the current window. `reset` is in Unix seconds."""

    limit: int
    remaining: int
    reset: int


class RateLimiter:
    """Fixed windows, one for each token and class, counted in this process."""

    def __init__(
        self, defaults: Mapping[RateClass, str], clock: Callable[[], float] = time.time
    ) -> None:
        self._defaults = {kind: read_rate(rate) for kind, rate in defaults.items()}
        self._clock = clock
        self._windows: dict[tuple[str, str], tuple[int, int]] = {}
        self._lock = threading.Lock()

    def take(self, caller: Caller, kind: RateClass) -> Allowance | None:
        """Count one request; None where there is no limit. Raises RateLimited."""
        given = caller.rates.get(kind)
        rate = self._defaults[kind] if given is None else read_rate(given)
        if rate is None:
            return None
        limit, seconds = rate
        moment = self._clock()
        window = int(moment // seconds)
        with self._lock:
            start, used = self._windows.get((caller.name, kind), (window, 0))
            used = used + 1 if start == window else 1
            self._windows[caller.name, kind] = (window, min(used, limit + 1))
        reset = (window + 1) * seconds
        allowance = Allowance(limit=limit, remaining=max(0, limit - used), reset=reset)
        if used > limit:
            raise RateLimited(
                "Too many requests. Please try again later.",
                limit=limit,
                reset=reset,
                retry_after=max(1, int(reset - moment)),
            )
        return allowance


def read_rate(rate: str) -> tuple[int, int] | None:
    """`N/second`, `N/minute` or `N/hour` -> (N, seconds); `off` -> None. Raises Invalid."""
    match = _RATE.fullmatch(rate.strip())
    if match is None:
        raise Invalid(f"bad rate {rate!r}: use N/second, N/minute, N/hour or off")
    return (int(match[1]), _SECONDS[match[2]]) if match[1] else None


def _new_token() -> str:
    return secrets.token_urlsafe(36)


def _digest(token: str) -> bytes:
    """A token is 288 random bits, so one round of SHA-256 is enough."""
    return hashlib.sha256(token.encode(errors="replace")).digest()
