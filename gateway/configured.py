"""Makes the channels of an installation: settings from the configuration, adapters from the registry, webhook addresses from the key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from channels import registry
from config.keys import Keys
from config.load import read_channels
from config.problems import ConfigWrong, Problem
from config.settings import Settings
from core.model.adapter import AnswersRequests, LooksUp, Prepares, SaysSorry
from core.model.address import Address, AddressKind
from core.model.capabilities import Capabilities, Family
from core.model.channel import Channel
from core.model.ids import ChannelId
from gateway.patience import Patience
from gateway.runtime import ConfiguredChannel

SORRY_AFTER_S = 1.0  # beyond the deadline of a channel; by then its answer is under way, unless something is wrong
_REACHES = {
    Family.SMS: AddressKind.MSISDN,
    Family.USSD: AddressKind.MSISDN,
    Family.VOICE: AddressKind.MSISDN,
    Family.WEB: AddressKind.VISITOR,
    Family.CONSOLE: AddressKind.VISITOR,
    Family.TELEGRAM: AddressKind.TELEGRAM,
    Family.WHATSAPP: AddressKind.WHATSAPP,
    Family.EMAIL: AddressKind.EMAIL,
}


def webhook_secret(keys: Keys, channel_id: str) -> str:
    """Return the secret in the path of a channel's webhook."""
    return keys.token(f"webhook/{channel_id}")


def webhook_url(url: str, channel_id: str, secret: str) -> str:
    """Return the address that a provider calls."""
    return f"{url}/c/{channel_id}/{secret}"


def make_channels(
    settings: Settings, environ: Mapping[str, str], keys: Keys, url: str, *, simulator: str = "", relay_port: int = 9
) -> dict[str, ConfiguredChannel]:
    """Return every configured channel; raises `ConfigWrong`.

    `simulator` is the address of the stand-in for `api_base = "simulator"`, `relay_port` the port of that for `smtp_host = "simulator"`.
    """
    typed = read_channels(settings, registry.settings_of, environ, keys)
    made, problems = {}, []
    for channel in settings.channels.values():
        values = _at_stand_ins(typed[channel.id], simulator, relay_port)
        secret = webhook_secret(keys, channel.id)
        address = _our_address(channel.address, settings.operator.country)
        hook = webhook_url(url, channel.id, secret)
        try:
            adapter = registry.load(channel.kind).make(ChannelId(channel.id), address, values, hook, settings.operator.country)
        except ValueError as error:
            problems.append(Problem(channel.where, str(error)))
            continue
        able = adapter.capabilities
        unknown = (able.transfers | able.lines).difference(("", *settings.desk.queues))
        problems += [Problem(channel.where, f"desk.queues has no {queue}, whose callers are put through") for queue in sorted(unknown)]
        core = Channel(
            ChannelId(channel.id),
            channel.kind,
            address,
            _at_its_rates(able, channel.rates),
            _REACHES[able.family],
            adapter.acknowledge,
            looks_up=isinstance(adapter, LooksUp),
        )
        answers = adapter if isinstance(adapter, AnswersRequests) else None
        sorry = adapter.sorry() if isinstance(adapter, SaysSorry) else None
        prepares = adapter if isinstance(adapter, Prepares) else None
        patience = Patience((able.answer_deadline_s or 0.0) + SORRY_AFTER_S) if sorry else None
        made[channel.id] = ConfiguredChannel(core, adapter, values, secret, hook, answers, sorry, patience, prepares)
    if problems:
        raise ConfigWrong(problems)
    return made


def _at_stand_ins(values: Any, simulator: str, relay_port: int) -> Any:
    """Return the settings of a channel with where the built-in stand-ins are, where they name these."""
    if getattr(values, "api_base", "") == "simulator":
        values = replace(values, api_base=simulator or "http://127.0.0.1:9")
    if getattr(values, "smtp_host", "") == "simulator":
        values = replace(values, smtp_host="127.0.0.1", smtp_port=relay_port)
    return values


def _at_its_rates(able: Capabilities, rates: Mapping[str, float]) -> Capabilities:
    per_s, per_recipient_s = rates.get("sends_per_s", able.sends_per_s), rates.get("sends_per_recipient_s", able.sends_per_recipient_s)
    return replace(able, sends_per_s=per_s, sends_per_recipient_s=per_recipient_s)


def _our_address(text: str, country: str) -> Address:
    from channels.numbers import sender  # noqa: PLC0415 - the phone number library is slow to import

    if text.startswith("*"):
        return Address(AddressKind.SHORT_CODE, text)
    if "@" in text.removeprefix("@"):
        from channels.email_addresses import mailbox  # noqa: PLC0415 - as above

        return mailbox(text) or Address(AddressKind.ALIAS, text)
    return sender(text, country) or Address(AddressKind.ALIAS, text)


def describe(channel: ConfiguredChannel) -> dict[str, Any]:
    """Return what operators want to know of a channel; `entry` is where its messages come in."""
    elsewhere = getattr(channel.settings, "entry", None)  # of kinds that nobody calls by a webhook
    return {
        "id": channel.channel.id,
        "kind": channel.channel.kind,
        "address": channel.channel.address.value,
        "webhook_url": channel.webhook_url if elsewhere is None else None,
        "entry": channel.webhook_url if elsewhere is None else elsewhere,
        "state": "configured",
    }
