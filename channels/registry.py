"""The kinds of channel there are. A kind's module, and with it any library of its provider, is imported when `load` asks for it.

Must not know a configured channel; `gateway.compose` makes those from settings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Any, Protocol

from core.model.adapter import Adapter
from core.model.address import Address
from core.model.ids import ChannelId
from core.model.inbound import InboundEvent, RawRequest


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of channel: its name in settings, the module that implements it, and what it is in one line."""

    name: str
    module: str
    summary: str


class Make(Protocol):
    """A kind's factory."""

    def __call__(self, channel_id: ChannelId, our_address: Address, settings: Any, public_url: str, default_region: str) -> Adapter:
        """Build the adapter of one configured channel; raises ValueError with a sentence for settings that do not fit.

        `public_url` is the channel's whole webhook URL, path secret included, as its provider calls it; `default_region` is the ISO
        3166-1 code of the country that national phone numbers belong to.
        """
        ...


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a kind's module offers: its settings class, its factory, and its parser, which needs neither settings nor secrets.

    `parse(request, default_region)` is what the adapter's own `parse` does.
    """

    settings: type[Any]
    make: Make
    parse: Callable[[RawRequest, str], Sequence[InboundEvent]]


def _kinds(*kinds: Kind) -> Mapping[str, Kind]:
    return MappingProxyType({kind.name: kind for kind in kinds})


KINDS: Mapping[str, Kind] = _kinds(
    Kind("ussd", "channels.ussd", "USSD menus through an aggregator that speaks the Africa's Talking form"),
    Kind("sms_twilio", "channels.sms_twilio", "SMS and MMS through Twilio, or whoever speaks its API"),
    Kind("whatsapp_twilio", "channels.whatsapp_twilio", "WhatsApp through Twilio"),
    Kind("sms_africastalking", "channels.sms_africastalking", "SMS through Africa's Talking"),
    Kind("sms_vonage", "channels.sms_vonage", "SMS through Vonage"),
    Kind("telegram", "channels.telegram", "A Telegram bot"),
    Kind("sms_plivo", "channels.sms_plivo", "SMS and MMS through Plivo"),
    Kind("sms_infobip", "channels.sms_infobip", "SMS through Infobip"),
    Kind("smpp", "channels.smpp", "SMS or USSD straight from an operator's centre, by SMPP 3.4"),
    Kind("voice_twilio", "channels.voice_twilio", "Calls through Twilio, by keys and words"),
    Kind("sms_clickatell", "channels.sms_clickatell", "SMS through Clickatell"),
    Kind("http_generic", "channels.http_generic", "SMS or USSD through any other HTTP gateway, by settings alone"),
    Kind("email", "channels.email", "A mailbox: mails in by SMTP, LMTP or IMAP, mails out by SMTP"),
    Kind("email_sendgrid", "channels.email_sendgrid", "A mailbox at Twilio SendGrid: mails in by Inbound Parse"),
    Kind("email_mailgun", "channels.email_mailgun", "A mailbox at Mailgun: mails in by routes"),
    Kind("email_postmark", "channels.email_postmark", "A mailbox at Postmark: mails in by its inbound webhook"),
    Kind("email_ses", "channels.email_ses", "A mailbox at Amazon SES: mails in by notifications of SNS"),
    Kind("webchat", "channels.webchat", "The chat window on a web site, over its WebSocket"),
    Kind("console", "channels.console", "One person at the terminal of this machine"),
)


def load(kind: str, kinds: Mapping[str, Kind] = KINDS) -> Loaded:
    """Import the module of a kind and return what it offers; raises KeyError for a name that no kind has."""
    module = import_module(kinds[kind].module)
    return Loaded(settings=module.Settings, make=module.make, parse=module.parse)


def settings_of(kind: str) -> type[Any] | None:
    """Return the settings class of a kind, None if there is no such kind."""
    return load(kind).settings if kind in KINDS else None
