"""The contract of webhooks: who is told of events, and what became of each telling."""

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol, runtime_checkable

from msgspec import UNSET, Struct, UnsetType

from rag_service.access.scope import Scope
from rag_service.events.happenings import Event

TEST = "webhook.test"
"""The type of what a test sends; it is no event of the feed."""
FAILING_AFTER = 5
"""Attempts in a row that fail; from then on a webhook counts as failing."""
DeliveryState = Literal["pending", "delivered", "failed"]


class Secret(Struct, frozen=True, kw_only=True):
    """`value` begins with whsec_; after `until`, where there is one, it signs no more."""

    value: str
    until: str | None = None


def rotated(former: Sequence[Secret], value: str, until: str | None, now: str) -> list[Secret]:
    """A new secret before those that still sign: until then at the latest, or no more."""
    if until is None:
        return [Secret(value=value)]
    kept = [
        Secret(value=one.value, until=min(one.until or until, until))
        for one in former
        if one.until is None or one.until > now
    ]
    return [Secret(value=value), *kept]


class Webhook(Struct, frozen=True, kw_only=True):
    """`events` are types, or patterns such as `message.*` and `*`.

    `failures` counts the attempts since the last that succeeded, of which `failing_since` is the
    first; `reason` tells why it was disabled, where nobody disabled it.
    """

    id: str
    url: str
    events: list[str]
    bot_id: str | None
    description: str
    secrets: list[Secret]
    enabled: bool
    reason: str | None
    failures: int
    failing_since: str | None
    created_at: str
    updated_at: str


class WebhookChanges(Struct, frozen=True, kw_only=True):
    """What is not given stays."""

    url: str | UnsetType = UNSET
    events: list[str] | UnsetType = UNSET
    bot_id: str | UnsetType | None = UNSET
    description: str | UnsetType = UNSET
    secrets: list[Secret] | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


class Attempt(Struct, frozen=True, kw_only=True):
    """`response` is how the answer's body began; `error` says what went wrong."""

    at: str
    status: int | None
    duration_ms: int
    response: str
    error: str | None


class Delivery(Struct, frozen=True, kw_only=True):
    """One event for one webhook, with its attempts in order."""

    id: str
    event_id: str
    event_type: str
    state: DeliveryState
    attempts: list[Attempt]
    next_attempt_at: str | None
    created_at: str


class Due(Struct, frozen=True, kw_only=True):
    """A delivery whose time has come. `attempts` were made before."""

    row: int
    webhook_id: str
    event: Event
    attempts: int


class Outcome(Struct, frozen=True, kw_only=True):
    """What an attempt changes. A failed one is made again at `retry_at`, or never where that is
    None; `disable` is why its webhook is told no more.

    `updated_at` is the webhook's, as it was told: a failure says nothing of one that was changed
    meanwhile.
    """

    row: int
    updated_at: str
    attempt: Attempt
    delivered: bool
    retry_at: str | None = None
    disable: str | None = None


@runtime_checkable
class WebhookStore(Protocol):
    """Who is told of events.

    A webhook outside the scope is not found, and one of all bots is outside of any that has some.
    One that is made or moved there is Forbidden.
    """

    def add(self, scope: Scope, webhook: Webhook) -> None: ...

    def get(self, scope: Scope, webhook_id: str) -> Webhook:
        """Raises NotFound."""
        ...

    def all(self, scope: Scope) -> list[Webhook]:
        """The newest first."""
        ...

    def change(self, scope: Scope, webhook_id: str, changes: WebhookChanges) -> Webhook:
        """Enabling one, or a new URL, forgets its failures: what it is owed is due.

        Raises NotFound.
        """
        ...

    def rotate_secret(
        self, scope: Scope, webhook_id: str, secret: str, until: str | None
    ) -> Webhook:
        """`secret` signs from now on, and beside it the former ones until then at the latest;
        they are void where that is None. Raises NotFound.
        """
        ...

    def remove(self, scope: Scope, webhook_id: str) -> None:
        """With its deliveries. Raises NotFound."""
        ...


@runtime_checkable
class DeliveryStore(Protocol):
    """What became of each event that a webhook is told: a log."""

    def page(
        self, scope: Scope, webhook_id: str, state: DeliveryState | None, *, limit: int, offset: int
    ) -> tuple[int, list[Delivery]]:
        """How many there are, and a page of them, the newest first. Raises NotFound."""
        ...

    def get(self, scope: Scope, webhook_id: str, delivery_id: str) -> Delivery:
        """Raises NotFound."""
        ...

    def add_test(
        self, scope: Scope, webhook_id: str, event_id: str, attempt: Attempt, delivered: bool
    ) -> str:
        """Keep what a test brought, as a delivery; its id. Raises NotFound."""
        ...

    def redeliver(self, scope: Scope, webhook_id: str, delivery_id: str | None) -> int:
        """Owe one again, or all that failed (None), from now on; how many that is.

        One that is owed already is tried at once. Tests are not repeated. Raises NotFound.
        """
        ...


@runtime_checkable
class OutboxStore(Protocol):
    """Events are owed to the webhooks that were enabled, and wanted them, when they happened."""

    def owes(self) -> bool:
        """There is something to deliver, now or later."""
        ...

    def fan_out(self) -> bool:
        """Owe a number of events that happened since the last time to those who want them.

        True when there may be more. Forgets deliveries that ended long ago.
        """
        ...

    def due(
        self, room: Mapping[str, int], at_work: Sequence[int], now: str
    ) -> tuple[list[Due], str | None]:
        """For each of these webhooks at most so many deliveries that are due and not `at_work`,
        and when the next one will be. One at a time of each subject, in the order of events."""
        ...

    def settle(self, outcomes: Sequence[Outcome]) -> None:
        """Note attempts, in one step. Those of deliveries that are gone meanwhile are dropped.

        After the success of a webhook that was failing, what waits for another attempt is due;
        so is what failed while its webhook was changed.
        """
        ...
