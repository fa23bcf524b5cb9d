"""The chat window on a web site: frames of our own WebSocket protocol, one JSON object each.

The socket itself, its tickets and limits are the gateway's; here a frame is a request with the method `WS`, the page's `origin` and
the visitor's token as headers. Replies are not sent: the window reads the record.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from channels import frames, texts, tokens
from core.model.address import Address, AddressKind
from core.model.capabilities import Capabilities, ChoiceStyle, Family
from core.model.ids import ChannelId
from core.model.inbound import (
    AuthenticationFailed,
    ContactSignal,
    Ignored,
    InboundEvent,
    InboundMessage,
    Media,
    RawRequest,
    UnreadableRequest,
)
from core.model.outbound import Answer, OutboundMessage, SendError, SendErrorCode, SendResult

METHOD = "WS"
TOKEN_HEADER = "x-parley-visitor"  # noqa: S105 - the name of a header
FILE_HEADER = "x-parley-file"  # the gateway's word for a file that it has kept; a frame cannot say so
TEXT_CHARS_MAX = 4_000
_OWN = "own"
_ORIGIN = rf"{_OWN}|https?://[^\s/?#@,]+"
_KEY_CHARS_MIN = 16
_FILE_KINDS = frozenset({"image", "audio", "video"})
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of a web chat."""

    origins: tuple[str, ...] = field(
        metadata={
            "doc": "Sites that may show the chat, as browsers name them: https://www.example.com; own for the gateway's pages.",
            "pattern": _ORIGIN,
        }
    )
    keys: tuple[str, ...] = field(
        default=(),
        repr=False,
        metadata={
            "doc": "Key that signs visitor tokens, by reference; two while it is being changed, the new first. None: the gateway's own."
        },
    )

    @property
    def entry(self) -> str:
        """Where people come in: the script that sites show the chat by, on the gateway."""
        return "/webchat/widget.js"

    def __post_init__(self) -> None:
        if not self.origins:
            raise ValueError("origins must name at least one web site")
        if any(len(key) < _KEY_CHARS_MIN for key in self.keys):
            raise ValueError(f"a key must have at least {_KEY_CHARS_MIN} characters")


class Webchat:
    """The adapter of one web chat."""

    kind = "webchat"
    capabilities = Capabilities(
        family=Family.WEB,
        text_max_chars=TEXT_CHARS_MAX,
        text_budget_chars=1_000,
        choices=ChoiceStyle.BUTTONS,
        media=frozenset({"image", "audio", "video", "document"}),
        pulled=True,
        secrets_allowed=True,
        provider_retries="the chat window repeats a message until it is acknowledged",
    )

    def __init__(self, our_address: Address, settings: Settings, own_origin: str) -> None:
        self._address = our_address
        self._origins = frozenset(own_origin if origin == _OWN else origin for origin in settings.origins)
        self._keys = settings.keys

    def authenticate(self, request: RawRequest) -> None:
        """Raise `AuthenticationFailed` for another method, an origin that is not listed, or a token that is not ours or too old."""
        if request.method != METHOD:
            raise AuthenticationFailed("not_a_frame")
        if request.headers.get("origin", "") not in self._origins:
            raise AuthenticationFailed("unknown_origin")
        tokens.verify(self._keys, request.headers.get(TOKEN_HEADER, ""), request.received_at)

    def parse(self, request: RawRequest) -> Sequence[InboundEvent]:
        """Return what the frame says."""
        return _events(request, self._address)

    def acknowledge(self, replies: Sequence[OutboundMessage]) -> Answer:
        """Return an empty answer; the window reads the record."""
        del replies
        return Answer()

    async def send(self, message: OutboundMessage) -> SendResult:
        """Raise `SendError`: there is nowhere to send to."""
        raise SendError(SendErrorCode.UNSUPPORTED, retryable=False, detail=f"{message.id}: the chat window reads the record itself")


def make(channel_id: ChannelId, our_address: Address, settings: Settings, public_url: str, default_region: str) -> Webchat:
    """Build the adapter of a web chat; raises ValueError without a key for visitor tokens."""
    del channel_id, default_region  # frames name neither a channel nor a country
    if not settings.keys:
        raise ValueError("a web chat needs a key for its visitor tokens")
    own = urlsplit(public_url)
    return Webchat(our_address, settings, f"{own.scheme}://{own.netloc}")


def parse(request: RawRequest, default_region: str) -> Sequence[InboundEvent]:
    """Return the events of a frame; raises `UnreadableRequest`."""
    del default_region
    return _events(request, Address(AddressKind.ALIAS, "webchat"))


def _events(request: RawRequest, here: Address) -> Sequence[InboundEvent]:
    visitor = tokens.visitor_of(request.headers.get(TOKEN_HEADER, ""))
    if not visitor:
        raise UnreadableRequest("no_visitor")
    frame = frames.read_object(request.body)
    if FILE_HEADER in request.headers:
        return [_file(frame, _Ends(Address(AddressKind.VISITOR, visitor), here), request)]
    read = _FRAMES.get(frames.text_member(frame, "type"))
    if read is None:
        return [Ignored("unknown_frame")]
    return [read(frame, _Ends(Address(AddressKind.VISITOR, visitor), here), request.received_at)]


class _Ends(NamedTuple):
    visitor: Address
    here: Address


def _message(frame: Mapping[str, Any], ends: _Ends, at: int) -> InboundMessage:
    return InboundMessage(
        external_id=_message_id(frame, ends),
        sender=ends.visitor,
        recipient=ends.here,
        text=texts.clean(frames.text_member(frame, "text")),
        sent_at=at,
        language_hint=_language(frame),
    )


def _file(frame: Mapping[str, Any], ends: _Ends, request: RawRequest) -> InboundEvent:
    """Return a message with a file, which the gateway has kept and described before."""
    file = frames.read_object(request.headers[FILE_HEADER].encode())
    content_type = frames.text_member(file, "content_type")
    kind = content_type.partition("/")[0]
    values = {name: frames.text_member(file, name) for name in ("digest", "size")}
    media = Media(
        kind if kind in _FILE_KINDS else "document", content_type=content_type, name=frames.text_member(file, "name"), values=values
    )
    return replace(_message(frame, ends, request.received_at), media=(media,))


def _choice(frame: Mapping[str, Any], ends: _Ends, at: int) -> InboundEvent:
    token = frames.text_member(frame, "token")
    if not 1 <= len(token.encode("utf-8", "replace")) <= 64:
        raise UnreadableRequest("bad_token")
    return InboundMessage(
        external_id=_message_id(frame, ends),
        sender=ends.visitor,
        recipient=ends.here,
        text=texts.clean(frames.text_member(frame, "label", "")),
        choice=texts.clean(token),
        sent_at=at,
        language_hint=_language(frame),
    )


def _typing(frame: Mapping[str, Any], ends: _Ends, at: int) -> InboundEvent:
    del frame
    return ContactSignal(external_id=f"{ends.visitor.value}:typing:{at}", sender=ends.visitor, recipient=ends.here, signal="typing")


def _read(frame: Mapping[str, Any], ends: _Ends, at: int) -> InboundEvent:
    del at
    up_to = frame.get("up_to")
    if type(up_to) is not int or not 0 <= up_to < 2**53:
        raise UnreadableRequest("bad_member", "up_to")
    return ContactSignal(
        external_id=f"{ends.visitor.value}:read:{up_to}",
        sender=ends.visitor,
        recipient=ends.here,
        signal="read",
        value=str(up_to),
    )


def _joined(frame: Mapping[str, Any], ends: _Ends, at: int) -> InboundEvent:
    del at
    return ContactSignal(
        external_id=f"{ends.visitor.value}:joined:{_own_id(frame)}",
        sender=ends.visitor,
        recipient=ends.here,
        signal="joined",
        value=_language(frame) or "",
    )


_FRAMES: Mapping[str, Callable[[Mapping[str, Any], _Ends, int], InboundEvent]] = {
    "message": _message,
    "choice": _choice,
    "typing": _typing,
    "read": _read,
    "joined": _joined,
}


def _message_id(frame: Mapping[str, Any], ends: _Ends) -> str:
    """Return an id that is unique in the channel: the window numbers its own messages, so the visitor belongs to it."""
    return f"{ends.visitor.value}:{_own_id(frame)}"


def _own_id(frame: Mapping[str, Any]) -> str:
    own = frames.text_member(frame, "id")
    if not _ID.fullmatch(own):
        raise UnreadableRequest("bad_id")
    return own


def _language(frame: Mapping[str, Any]) -> str | None:
    """Return the page's language if the frame names one; it is a hint, so anything odd is left out."""
    language = frame.get("language")
    return language if isinstance(language, str) and re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}", language) else None
