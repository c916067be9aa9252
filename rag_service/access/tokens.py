"""Who may do what: tokens, scopes and rates. Everything is closed until a token exists."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from typing import get_args

from rag_service.access.caller import Caller, Permission, RateClass
from rag_service.access.rates import read_rate
from rag_service.access.scope import ALL_BOTS
from rag_service.access.store import Token, TokenStore
from rag_service.clock import Clock, SystemClock, written
from rag_service.documents import DEFAULT_BOT
from rag_service.errors import BadToken, Invalid, NoTokens
from rag_service.fields import read_bot_id

DEFAULT_SCOPES: tuple[Permission, ...] = ("knowledge", "transcripts", "chat")
FIRST_SCOPES: tuple[Permission, ...] = (*DEFAULT_SCOPES, "admin")
_ORIGIN = re.compile(
    r"(?P<scheme>https?)://(?P<host>(?P<name>[^\s/?#@:\[\]*]+)|\[[0-9a-f:.]+\])"
    r"(:(?P<port>[0-9]{1,5}))?/?"
)
_USUAL_PORTS = {"http": 80, "https": 443}
_LAST_PORT = 65535
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,99}")


class Access:
    """Tokens, managed and checked. They are read again when anything was written, by whichever
    process, so a change holds at once."""

    def __init__(self, store: TokenStore, clock: Clock | None = None) -> None:
        self._store = store
        self._clock = clock or SystemClock()
        self._read: tuple[int, list[Token]] | None = None
        """The store's version before they were read, and the tokens."""

    def create(
        self,
        name: str,
        scopes: list[Permission] | None = None,
        bot_id: str | None = None,
        rates: Mapping[str, str] | None = None,
        origins: Sequence[str] = (),
    ) -> str:
        """The new token: 48 characters, shown this once. Raises Invalid or Conflict.

        The key of a widget stands on a public page: it has that scope alone, and one bot.
        """
        if not _NAME.fullmatch(name):
            raise Invalid(f"a token's name is 1 to 100 letters, digits or any of _ . @ -: {name!r}")
        granted = _checked(scopes or list(DEFAULT_SCOPES), origins)
        for kind, rate in (rates or {}).items():
            if kind not in get_args(RateClass):
                raise Invalid(f"unknown class {kind!r}: use {', '.join(get_args(RateClass))}")
            read_rate(rate)
        if bot_id is None and "widget" in granted:
            bot_id = DEFAULT_BOT
        if bot_id is not None:
            try:
                bot_id = read_bot_id(bot_id)
            except ValueError as error:
                raise Invalid(f"the bot {bot_id!r} {error}") from error
        token = _new_token()
        self._store.add(
            Token(
                name=name,
                digest=_digest(token),
                scopes=granted,
                bot_id=bot_id,
                rates=dict(rates or {}),
                origins=list(dict.fromkeys(map(read_origin, origins))),
                created_at=written(self._clock.now()),
            )
        )
        return token

    def rotate(self, name: str) -> str:
        """A new token in place of the old one, which is void at once. Raises NotFound."""
        token = _new_token()
        self._store.rotate(name, _digest(token))
        return token

    def revoke(self, name: str) -> None:
        """Raises NotFound."""
        self._store.revoke(name)

    def tokens(self) -> list[Token]:
        return self._store.all()

    def is_current(self) -> bool:
        """Whether `identify` will read no rows."""
        return self._read is not None and self._read[0] == self._store.version()

    def refresh(self) -> list[Token]:
        """As they are now; reads rows only when something was written."""
        version = self._store.version()
        known = self._read
        if known is None or known[0] != version:
            known = self._read = (version, self._store.all())
        return known[1]

    def identify(self, authorization: str | None) -> Caller:
        """From an Authorization header. Raises NoTokens or BadToken.

        Compares with every token in constant time, so the time taken tells nothing.
        """
        tokens = self.refresh()
        if not tokens:
            raise NoTokens("No API token has been created: run `rag-service token create NAME`.")
        kind, _, given = (authorization or "").partition(" ")
        digest = _digest(given.strip())
        matches = [token for token in tokens if hmac.compare_digest(token.digest, digest)]
        if kind.lower() != "bearer" or not matches:
            raise BadToken("Invalid bearer token.")
        token = matches[0]
        return Caller(
            name=token.name,
            permissions=token.scopes,
            scope=ALL_BOTS.only(token.bot_id),
            rates=token.rates,
            origins=token.origins,
        )


def _checked(scopes: list[Permission], origins: Sequence[str]) -> list[str]:
    """Each once. Raises Invalid."""
    for scope in scopes:
        if scope not in get_args(Permission):
            raise Invalid(f"unknown scope {scope!r}: use {', '.join(get_args(Permission))}")
    if "widget" in scopes and set(scopes) != {"widget"}:
        raise Invalid("the key of a widget is public: it can have no other scope")
    if origins and "widget" not in scopes:
        raise Invalid("origins belong to the scope 'widget'")
    return list(dict.fromkeys(scopes))


def read_origin(origin: str) -> str:
    """As browsers send it, such as `https://shop.example`. Raises Invalid."""
    match = _ORIGIN.fullmatch(origin.strip().lower())
    if match is None or int(match["port"] or 1) > _LAST_PORT:
        raise Invalid(f"an origin is a scheme and a host, such as https://shop.example: {origin!r}")
    try:
        host = match["host"].encode("idna").decode() if match["name"] else match["host"]
    except UnicodeError as error:
        raise Invalid(f"{origin!r} names no host") from error
    port = match["port"]
    is_usual = port is None or int(port) == _USUAL_PORTS[match["scheme"]]
    return f"{match['scheme']}://{host}" + ("" if is_usual else f":{int(port)}")


def _new_token() -> str:
    return secrets.token_urlsafe(36)


def _digest(token: str) -> bytes:
    """A token is 288 random bits, so one round of SHA-256 is enough."""
    return hashlib.sha256(token.encode(errors="replace")).digest()
