"""SMS or USSD through any gateway that speaks HTTP: settings say which field is what, how a caller is proved and how a message is sent.

What the settings name is looked up, nothing is run: there are no expressions. Without settings, as for recorded requests, the fields
have their default names. Must not know a provider.
"""

from __future__ import annotations

import hmac
import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from urllib.parse import urlencode

from channels import admission, fields, http_reading, mapping, sms, ussd
from channels.forms import Form
from channels.http import Http, HttpAnswer, basic, refusal
from channels.http_generic_settings import ANSWERED, PLACES, Settings
from channels.http_reading import Fields
from core.model.address import Address
from core.model.ids import ChannelId
from core.model.inbound import AuthenticationFailed, InboundEvent, RawRequest, UnreadableRequest
from core.model.outbound import Answer, OutboundMessage, SendError, SendErrorCode, SendResult

__all__ = ["HttpGeneric", "Settings", "make", "parse"]

_AGAIN = {SendErrorCode.THROTTLED, SendErrorCode.PROVIDER_DOWN, SendErrorCode.TIMEOUT, SendErrorCode.NOT_CONNECTED}
_IN_QUERIES = {"auto", "query"}
_FIELD_CHARS_MAX = 200
_UNKNOWN = {SendErrorCode.TIMEOUT}


class HttpGeneric:
    """The adapter of one address at a gateway that settings describe."""

    kind = "http_generic"

    def __init__(self, our_address: Address, settings: Settings, public_url: str, default_region: str) -> None:
        self._screens = ussd.Ussd(our_address, ussd.Settings(answer_deadline_s=settings.answer_deadline_s), default_region)
        self.capabilities = (
            self._screens.capabilities
            if settings.medium == "ussd"
            else sms.capabilities(text_max_chars=settings.text_max_chars, provider_retries=settings.provider_retries)
        )
        if settings.format in _IN_QUERIES:
            self.capabilities = replace(self.capabilities, methods=sms.BY_GET)
        self._asked = settings.asked()
        self._address = our_address
        self._settings = settings
        self._sources = admission.networks(settings.sources)
        self._callback = public_url
        self._errors = mapping.table(settings.errors, SendErrorCode)
        self._fields = mapping.lines(settings.send_fields, PLACES)
        self._headers = mapping.lines(settings.send_headers, PLACES)
        self._continue = mapping.lines(settings.continue_fields, ANSWERED)
        self._end = mapping.lines(settings.end_fields, ANSWERED)
        self._events = sms.LastEvents(partial(http_reading.events, known=settings.fields(), ours=our_address), default_region)
        self._http = Http(timeout_s=settings.timeout_s)

    def authenticate(self, request: RawRequest) -> None:
        """Raise `AuthenticationFailed` unless everything that the settings ask for is there and right."""
        own = self._settings
        admission.check_source(self._sources, request.remote)
        admission.check_secret(own.secrets, request.headers.get(own.secret_header.lower(), ""))
        admission.check_basic(own.basic, request.headers.get("authorization", ""))
        if own.hmac_keys:
            self._check_hmac(request)
        self._events.check_recipient(request, self._address)

    def parse(self, request: RawRequest) -> Sequence[InboundEvent]:
        """Return the messages, session events or delivery reports of a request."""
        return self._events.of(request)

    def acknowledge(self, replies: Sequence[OutboundMessage]) -> Answer:
        """Return the screen of a session, or the fixed answer of a channel of short messages."""
        own = self._settings
        if own.medium == "sms":
            return Answer(content_type=own.answer_type, body=own.answer_text.encode())
        answer = self._screens.acknowledge(replies)
        return answer if self._asked else self._screen(answer, {})

    def answer_to(self, request: RawRequest, answer: Answer) -> Answer:
        """Return the answer to a step of a session, with the fields of the request that the gateway wants back."""
        if not self._asked or self._settings.medium == "sms":
            return answer
        try:
            form = http_reading.form_of(request, self._settings.format)
        except UnreadableRequest:
            form = {}
        given = {name: form.get(name, ("",))[0][:_FIELD_CHARS_MAX] for name in self._asked}
        return self._screen(answer, {f"{mapping.FIELD}{name}": value for name, value in given.items()})

    async def send(self, message: OutboundMessage) -> SendResult:
        """Hand one message to the gateway; raises `SendError`."""
        own = self._settings
        if own.medium == "ussd" or not own.send_url:
            raise SendError(SendErrorCode.UNSUPPORTED, retryable=False, detail=f"{message.id}: nothing can be sent outside a session")
        values = {
            "to": message.recipient.value,
            "to_digits": sms.digits(message.recipient),
            "from": message.sender.value,
            "from_digits": sms.digits(message.sender),
            "text": sms.outgoing(message, own.text_max_chars),
            "id": message.id,
            "callback": f"{self._callback}?m={message.id}",
            "secret": own.send_secret,
        }
        headers = mapping.form(self._headers, values)
        if own.send_basic:
            headers["Authorization"] = basic(own.send_basic)
        if own.send_format == "json":
            answer = await self._http.post(own.send_url, document=mapping.document(self._fields, values), headers=headers)
        elif own.send_format == "form":
            answer = await self._http.post(own.send_url, form=mapping.form(self._fields, values), headers=headers)
        else:
            mark = "&" if "?" in own.send_url else "?"
            url = f"{own.send_url}{mark}{urlencode(mapping.form(self._fields, values))}"
            answer = await (self._http.get(url, headers=headers) if own.send_format == "get" else self._http.post(url, headers=headers))
        return SendResult(self._taken(answer))

    async def close(self) -> None:
        """End the connections to the gateway."""
        await self._http.close()

    def _screen(self, answer: Answer, fields_asked: Mapping[str, str]) -> Answer:
        """Return a screen in the gateway's own form."""
        own = self._settings
        verb, _, screen = answer.body.decode().partition(" ")
        goes_on, values = verb == "CON", {"text": screen, **fields_asked}
        lines = self._continue if goes_on else self._end
        if lines:
            body = json.dumps(mapping.document(lines, values), ensure_ascii=False)
            return Answer(content_type="application/json; charset=utf-8", body=body.encode("utf-8", "replace"))
        return Answer(body=mapping.fill(own.continue_text if goes_on else own.end_text, values).encode("utf-8", "replace"))

    def _check_hmac(self, request: RawRequest) -> None:
        own = self._settings
        given = request.headers.get(own.hmac_header.lower(), "")
        if not given:
            raise AuthenticationFailed("missing_signature")
        signed = request.body if request.body or request.method != "GET" else request.url.partition("?")[2].encode("utf-8", "surrogatepass")
        valid = False
        for key in own.hmac_keys:
            mac = hmac.digest(key.encode(), signed, own.hmac_algorithm)
            text = own.hmac_prefix + (mac.hex() if own.hmac_encoding == "hex" else b64encode(mac).decode())
            valid |= hmac.compare_digest(text.encode(), given.encode("utf-8", "surrogatepass"))
        if not valid:
            raise AuthenticationFailed("bad_signature")

    def _taken(self, answer: HttpAnswer) -> str:
        """Return the gateway's id of the message, empty where it gives none; raises what its answer means."""
        own, text = self._settings, answer.body.decode("utf-8", "replace").strip()
        found = _flat(answer) if own.answer_is == "json" else {}
        code = _first(found, own.error_field) if own.answer_is == "json" else text
        for theirs, ours in self._errors.items():
            if code.lower() == theirs or (own.answer_is == "text" and code.lower().startswith(theirs)):
                raise _error_of(SendErrorCode(ours), theirs[:40])
        if not 200 <= answer.status < 300:
            raise refusal(answer, code[:40] if found else "", certain=bool(code and found))
        if own.answer_is == "none":
            return ""
        external_id = _first(found, own.sent_id_field) if own.answer_is == "json" else _word_after(text, own.sent_id_after)
        return sms.taken(external_id)


def make(channel_id: ChannelId, our_address: Address, settings: Settings, public_url: str, default_region: str) -> HttpGeneric:
    """Build the adapter of an address at a gateway that settings describe."""
    del channel_id  # the gateway knows the channel by its URL
    return HttpGeneric(our_address, settings, public_url, default_region)


def parse(request: RawRequest, default_region: str) -> Sequence[InboundEvent]:
    """Return the events of a request whose fields have their default names; raises `UnreadableRequest`."""
    return http_reading.events(request, default_region, Fields(), None)


def _error_of(code: SendErrorCode, theirs: str) -> SendError:
    """Return the error that the settings make of a gateway's own code."""
    again = code in _AGAIN
    return SendError(code, retryable=again, unknown=code in _UNKNOWN, ours=code is SendErrorCode.BAD_CREDENTIALS, provider_code=theirs)


def _flat(answer: HttpAnswer) -> Form:
    try:
        return fields.flat(answer.json_object())
    except UnreadableRequest:
        return {}


def _first(found: Form, name: str) -> str:
    return found[name][0] if name in found else ""


def _word_after(text: str, sign: str) -> str:
    """Return the word that follows a sign, empty if the sign is not there."""
    _, met, after = text.partition(sign) if sign else ("", "", text)
    words = after.split(maxsplit=1) if met or not sign else []
    return words[0] if words else ""
