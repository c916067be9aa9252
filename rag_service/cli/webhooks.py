"""`webhook`: who is told of events. A server that runs sees a change within a second."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any, get_args

import click

from rag_service.access.scope import ALL_BOTS
from rag_service.cli.group import cli, json_option, open_service
from rag_service.cli.terminal import Terminal
from rag_service.events.store import Delivery, DeliveryState, Webhook, WebhookChanges


@cli.group()
def webhook() -> None:
    """Have events posted to other programs, and see what became of them."""


@webhook.command("create")
@click.argument("url")
@click.option("--events", default="*", show_default=True, help="Types or patterns, with commas.")
@click.option("--bot", help="Only events of this bot.")
@click.option("--description", default="", help="For people to read.")
@json_option
def create_webhook(url: str, events: str, bot: str | None, description: str, as_json: bool) -> None:
    """Make one and print its secret, this once."""
    from rag_service.events.webhooks import read_webhook  # noqa: PLC0415

    fields = read_webhook({"url": url, "events": events, "botId": bot, "description": description})
    made: Webhook = _run(lambda service: service.webhooks.create(ALL_BOTS, fields))
    Terminal(as_json).fields({**_row(made), "secret": made.secrets[0].value})
    click.echo("Keep the secret: it is not shown again.", err=True)


@webhook.command("list")
@json_option
def list_webhooks(as_json: bool) -> None:
    """Show those there are."""
    with open_service() as service:
        rows = [_row(one) for one in service.store.webhooks.all(ALL_BOTS)]
    Terminal(as_json).table("Webhooks", rows, ["id", "url", "events", "enabled", "disabled_reason"])


@webhook.command("test")
@click.argument("id")
@json_option
def test_webhook(id: str, as_json: bool) -> None:
    """Post a `webhook.test` now; exit code 0 if it is taken."""
    tested: Delivery = _run(lambda service: service.webhooks.test(ALL_BOTS, id))
    Terminal(as_json).fields(_about(tested))
    sys.exit(0 if tested.state == "delivered" else 1)


@webhook.command("deliveries")
@click.argument("id")
@click.option("--status", type=click.Choice(get_args(DeliveryState)), help="Only these.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.option("--offset", type=click.IntRange(0), default=0)
@json_option
def list_deliveries(
    id: str, status: DeliveryState | None, limit: int, offset: int, as_json: bool
) -> None:
    """Show what became of its events, the newest first."""
    with open_service() as service:
        _, found = service.store.deliveries.page(ALL_BOTS, id, status, limit=limit, offset=offset)
    columns = ["id", "event", "status", "attempts", "last_status", "error", "next_attempt_at"]
    Terminal(as_json).table("Deliveries", [_about(one) for one in found], columns)


@webhook.command("redeliver")
@click.argument("id")
@click.argument("delivery", required=False)
@json_option
def redeliver(id: str, delivery: str | None, as_json: bool) -> None:
    """Have DELIVERY posted again, or all that failed, by the server that runs or the next one."""
    with open_service() as service:
        Terminal(as_json).fields(
            {"redelivered": service.store.deliveries.redeliver(ALL_BOTS, id, delivery)}
        )


@webhook.command("rotate")
@click.argument("id")
@json_option
def rotate(id: str, as_json: bool) -> None:
    """Print a new secret; the former one signs beside it for 24 hours."""
    changed: Webhook = _run(lambda service: service.webhooks.rotate(ALL_BOTS, id))
    Terminal(as_json).fields({"id": id, "secret": changed.secrets[0].value})


@webhook.command("enable")
@click.argument("id")
def enable(id: str) -> None:
    """Go on with what it is owed."""
    _switch(id, True)


@webhook.command("disable")
@click.argument("id")
def disable(id: str) -> None:
    """Keep what it is owed; what happens from now on is not sent."""
    _switch(id, False)


@webhook.command("delete")
@click.argument("id")
def delete(id: str) -> None:
    """With what it is owed and the log of its deliveries."""
    with open_service() as service:
        service.store.webhooks.remove(ALL_BOTS, id)
    click.echo(f"{id!r} is deleted.", err=True)


def _switch(webhook_id: str, enabled: bool) -> None:
    with open_service() as service:
        service.store.webhooks.change(ALL_BOTS, webhook_id, WebhookChanges(enabled=enabled))
    click.echo(f"{webhook_id!r} is {'enabled' if enabled else 'disabled'}.", err=True)


def _run(use: Callable[[Any], Coroutine[Any, Any, Any]]) -> Any:
    async def run() -> Any:
        with open_service() as service:
            try:
                return await use(service)
            finally:
                await service.webhooks.close()

    return asyncio.run(run())


def _row(one: Webhook) -> dict[str, Any]:
    return {
        "id": one.id,
        "url": one.url,
        "events": one.events,
        "bot_id": one.bot_id,
        "enabled": one.enabled,
        "disabled_reason": one.reason,
        "failing_since": one.failing_since,
        "description": one.description,
        "created_at": one.created_at,
    }


def _about(one: Delivery) -> dict[str, Any]:
    """With its last attempt."""
    last = one.attempts[-1] if one.attempts else None
    return {
        "id": one.id,
        "event": one.event_type,
        "event_id": one.event_id,
        "status": one.state,
        "attempts": len(one.attempts),
        "last_status": last and last.status,
        "duration_ms": last and last.duration_ms,
        "error": last and last.error,
        "response": last and last.response,
        "next_attempt_at": one.next_attempt_at,
        "created_at": one.created_at,
    }
