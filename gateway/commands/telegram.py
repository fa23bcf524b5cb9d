"""`parley telegram`: tells Telegram where to deliver the updates of a bot, and shows what it says about that."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from gateway.cli import Failed
from gateway.commands import show
from gateway.commands.installation import Installation, installation_options, json_option, told
from gateway.commands.running import url_of_running

if TYPE_CHECKING:
    from channels.telegram import Telegram
    from gateway.runtime import ConfiguredChannel

Work = Callable[["Telegram", "ConfiguredChannel"], Awaitable[None]]

_channel_option = click.option("--channel", metavar="ID", help="The channel, where there are several bots.")

_UNREACHED = "Look at the network, and at api_base: the demo's stand-in for Telegram answers only the gateway that it runs in."


@click.group
def command() -> None:
    """Tell Telegram where the updates of a bot go, and ask it how that works."""


@command.command("webhook")
@installation_options
@_channel_option
@json_option
def webhook_command(*, installation: Installation, channel: str | None, as_json: bool) -> None:
    """Show what Telegram says of the bot's webhook."""
    _show(_with_bot(installation, channel, _nothing), as_json=as_json)


@command.command("set-webhook", short_help="Have Telegram deliver the updates of a bot.")
@installation_options
@_channel_option
@json_option
def set_webhook_command(*, installation: Installation, channel: str | None, as_json: bool) -> None:
    """Have Telegram deliver the bot's updates to the channel's webhook URL, and show what it says then."""
    _show(_with_bot(installation, channel, _set), as_json=as_json)


@command.command("delete-webhook", short_help="Have Telegram keep the updates of a bot.")
@installation_options
@_channel_option
@json_option
def delete_webhook_command(*, installation: Installation, channel: str | None, as_json: bool) -> None:
    """Have Telegram keep the bot's updates until they are asked for, and show what it says then."""
    _show(_with_bot(installation, channel, _delete), as_json=as_json)


async def _nothing(adapter: Telegram, configured: ConfiguredChannel) -> None:
    del adapter, configured


async def _set(adapter: Telegram, configured: ConfiguredChannel) -> None:
    if adapter.polls:
        raise Failed(f'channel {configured.channel.id} asks for its updates. Set updates = "webhook" in its table first.')
    await adapter.bot.set_webhook(configured.webhook_url, configured.settings.webhook_secret[0])


async def _delete(adapter: Telegram, configured: ConfiguredChannel) -> None:
    del configured
    await adapter.bot.delete_webhook()


def _with_bot(installation: Installation, channel_id: str | None, work: Work) -> Mapping[str, Any]:
    """Do `work` with the bot of a channel and return what Telegram says of its webhook."""
    from core.model.outbound import SendError, SendErrorCode
    from gateway.configured import make_channels

    settings = installation.settings()
    url = url_of_running(installation.data) or settings.server.origin(settings.server.port)
    with told():
        channels = make_channels(settings, os.environ, installation.keys(), url)
    bots = {name: configured for name, configured in channels.items() if configured.channel.kind == "telegram"}
    if channel_id is None and len(bots) == 1:
        channel_id = next(iter(bots))
    if channel_id not in bots:
        names = ", ".join(sorted(bots))
        raise Failed(f"name one of the bots by --channel: {names}." if names else "no channel of kind telegram is configured.")
    try:
        return asyncio.run(_ask(bots[channel_id], work))
    except SendError as error:
        if error.code is SendErrorCode.NOT_CONNECTED:
            raise Failed(f"Telegram cannot be reached: {error.detail}. {_UNREACHED}") from None
        raise Failed(f"Telegram did not do it: {error}.") from None


async def _ask(configured: ConfiguredChannel, work: Work) -> Mapping[str, Any]:
    from channels.telegram import Telegram

    if not isinstance(configured.adapter, Telegram):
        raise TypeError(configured.channel.kind)
    try:
        await work(configured.adapter, configured)
        return await configured.adapter.bot.webhook()
    finally:
        await configured.adapter.close()


def _show(info: Mapping[str, Any], *, as_json: bool) -> None:
    """Print what Telegram says, but for the secret in the path of the address."""
    url, failed_at = str(info.get("url", "")), info.get("last_error_date")
    shown = {
        "url": f"{url.rpartition('/')[0]}/…" if url else "",
        "waiting": info.get("pending_update_count", 0),
        "last_error": info.get("last_error_message", ""),
        "last_error_at": datetime.fromtimestamp(failed_at, UTC).isoformat() if isinstance(failed_at, int) else "",
        "updates": list(info.get("allowed_updates", ())),
    }
    if as_json:
        show.as_json(shown)
        return
    click.echo(f"Telegram delivers to {shown['url']}" if url else "Telegram keeps updates until they are asked for.")
    click.echo(f"Waiting: {shown['waiting']}")
    if shown["last_error"]:
        click.echo(f"Last failure, {shown['last_error_at']}: {show.one_line(shown['last_error'])}")
