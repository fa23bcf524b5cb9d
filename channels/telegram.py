"""Telegram bots: updates in by webhook, messages out by the Bot API with buttons of opaque tokens.

Only what a person says to the bot in private counts; groups and channels are ignored. A shared contact is marked as the sender's own
only if Telegram says so. Must not show texts as markup, and must not log: the library's address of a bot holds its token.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from channels import frames, telegram_updates
from core.model.adapter import MediaSource
from core.model.address import Address
from core.model.capabilities import Capabilities, ChoiceStyle, Family, FileLimits
from core.model.ids import ChannelId
from core.model.inbound import AuthenticationFailed, InboundEvent, Media, RawRequest
from core.model.outbound import Answer, OutboundMessage, SendError, SendErrorCode, SendResult

if TYPE_CHECKING:
    from channels.telegram_bot import TelegramBot

POLLED = "GETUPDATES"  # no web request has this method
TEXT_CHARS_MAX = 4_096
_CAPTION_CHARS_MAX = 1_024
_FILE_BYTES_MAX = 50_000_000
_BUTTONS_MAX = 20
_HEADER = "x-telegram-bot-api-secret-token"
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_MEDIA = frozenset({"image", "audio", "video", "document", "attachment"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of a Telegram bot; its address is the bot's name, such as `@example_bot`."""

    bot_token: str = field(repr=False, metadata={"doc": "Token of the bot, by reference."})
    updates: Literal["webhook", "polling"] = field(
        default="webhook",
        metadata={"doc": "How updates arrive: webhook, Telegram calls us; polling, we ask for them, as on a machine without address."},
    )
    webhook_secret: tuple[str, ...] = field(
        default=(), repr=False, metadata={"doc": "The secret_token of setWebhook, by reference; two while it is being changed."}
    )
    api_base: str = field(
        default="https://api.telegram.org",
        metadata={"doc": "Base address of the Bot API; simulator for the built-in stand-in.", "pattern": r"simulator|https?://[^\s?#@]+"},
    )
    timeout_s: float = field(default=15.0, metadata={"doc": "Seconds that one call of the API may take.", "least": 1, "most": 60})

    def __post_init__(self) -> None:
        if not self.bot_token or (self.updates == "webhook" and not self.webhook_secret):
            raise ValueError("bot_token and webhook_secret must not be empty")
        if not all(_SECRET.fullmatch(secret) for secret in self.webhook_secret):
            raise ValueError("a webhook_secret has 1 to 256 letters, digits, _ or -")


class Telegram:
    """The adapter of one bot."""

    kind = "telegram"
    capabilities = Capabilities(
        family=Family.TELEGRAM,
        text_max_chars=TEXT_CHARS_MAX,
        text_budget_chars=1_000,
        choices=ChoiceStyle.BUTTONS,
        choices_max=_BUTTONS_MAX,
        media=_MEDIA,
        file_limits=FileLimits(max_bytes=_FILE_BYTES_MAX, caption_max_chars=_CAPTION_CHARS_MAX),
        shares_number=True,
        sends_per_s=30.0,
        sends_per_recipient_s=1.0,
        merge_replies=True,
        provider_retries="until it gets a 2xx, for at most 24 hours; the next message of a person waits for that",
    )

    def __init__(self, settings: Settings, bot: TelegramBot) -> None:
        self._secrets = [secret.encode() for secret in settings.webhook_secret]
        self._api_host = urlsplit(settings.api_base).hostname or ""
        self.bot = bot
        self.polls = settings.updates == "polling"

    def authenticate(self, request: RawRequest) -> None:
        """Raise `AuthenticationFailed` unless the request carries the webhook's secret, or was asked for by ourselves."""
        if self.polls and request.method == POLLED:
            return
        given = request.headers.get(_HEADER, "").encode("utf-8", "surrogatepass")
        if not given:
            raise AuthenticationFailed("missing_secret")
        valid = False
        for secret in self._secrets:
            valid |= hmac.compare_digest(secret, given)
        if not valid:
            raise AuthenticationFailed("bad_secret")

    def parse(self, request: RawRequest) -> Sequence[InboundEvent]:
        """Return the message, choice or consent signal of an update."""
        return [telegram_updates.read(frames.read_object(request.body))]

    def acknowledge(self, replies: Sequence[OutboundMessage]) -> Answer:
        """Return an empty answer; replies are sent."""
        del replies
        return Answer()

    def answer_to(self, request: RawRequest, answer: Answer) -> Answer:
        """Return the call that ends the waiting sign on a pressed button; Telegram carries out a call that it reads in an answer."""
        query_id = telegram_updates.pressed_in(request.body)
        if not query_id:
            return answer
        call = {"method": "answerCallbackQuery", "callback_query_id": query_id}
        return replace(answer, content_type="application/json", body=json.dumps(call).encode())

    async def send(self, message: OutboundMessage) -> SendResult:
        """Hand one message to Telegram; raises `SendError`."""
        reply = message.reply
        limit = _CAPTION_CHARS_MAX if reply.media else TEXT_CHARS_MAX
        if len(reply.text) > limit:
            raise SendError(SendErrorCode.TOO_LONG, retryable=False, detail=f"{len(reply.text)} characters, at most {limit}")
        if not all(_sendable(item) for item in reply.media) or len(reply.media) > 1:
            raise SendError(SendErrorCode.UNSUPPORTED, retryable=False, detail="one attachment with content or public address can be sent")
        return SendResult(external_id=await self.bot.send(message.recipient.value, reply))

    def request_of(self, update: Mapping[str, Any], at: int) -> RawRequest:
        """Return an update that was asked for as a request that `parse` reads; `at` in ms UTC."""
        return RawRequest(POLLED, "", {"content-type": "application/json"}, json.dumps(update).encode(), at)

    async def media_source(self, media: Media) -> MediaSource:
        """Say from where a file is fetched, which Telegram tells anew each time; raises `SendError`."""
        file_id = media.values.get("file_id", "")
        if not file_id:
            raise SendError(SendErrorCode.UNSUPPORTED, retryable=False, detail="the attachment names no file")
        return MediaSource(await self.bot.file_address(file_id), (self._api_host,))

    async def close(self) -> None:
        """End the connections to Telegram."""
        await self.bot.close()


def make(channel_id: ChannelId, our_address: Address, settings: Settings, public_url: str, default_region: str) -> Telegram:
    """Build the adapter of a bot; raises ValueError for a token that cannot be."""
    from channels.telegram_bot import TelegramBot  # noqa: PLC0415 - the library is for configured channels only

    del channel_id, our_address, public_url, default_region  # the token is all that Telegram needs
    return Telegram(settings, TelegramBot(settings.bot_token, settings.api_base, settings.timeout_s))


def parse(request: RawRequest, default_region: str) -> Sequence[InboundEvent]:
    """Return the events of a request; raises `UnreadableRequest`."""
    del default_region  # Telegram writes numbers with their country code
    return [telegram_updates.read(frames.read_object(request.body))]


def _sendable(media: Media) -> bool:
    return media.kind in _MEDIA and (bool(media.content) or media.url.startswith("https://"))
