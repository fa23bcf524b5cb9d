"""What Twilio's webhooks have in common: whether a request is Twilio's and meant for us, its fields, and the account behind it.

Must not know messages from calls, and must not believe a field before the signature holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from channels import fields, forms, signatures, sms, texts
from core.model.inbound import AuthenticationFailed, RawRequest, UnreadableRequest
from core.model.outbound import OutboundMessage

_SIGNATURE = "x-twilio-signature"
METHODS = frozenset({"GET", "POST"})  # as the operator has set it for the number
_NOT_XML = re.compile("[\ufffe\uffff\ud800-\udfff]")
one = fields.only


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Settings of every channel at Twilio."""

    account_sid: str = field(repr=False, metadata={"doc": "SID of the Twilio account, by reference."})
    auth_token: tuple[str, ...] = field(
        repr=False, metadata={"doc": "Auth token of the account, by reference; two while it is being changed, the one for sending first."}
    )

    def __post_init__(self) -> None:
        if not self.account_sid or not self.auth_token or not all(self.auth_token):
            raise ValueError("account_sid and auth_token must not be empty")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiAccount(Account):
    """Settings of a channel that calls Twilio's API."""

    api_base: str = field(
        default="https://api.twilio.com",
        metadata={"doc": "Base address of the API; simulator for the built-in stand-in.", "pattern": r"simulator|https?://[^\s?#@]+"},
    )
    timeout_s: float = field(default=15.0, metadata={"doc": "Seconds that one call of the API may take.", "least": 1, "most": 60})


class Signed:
    """Tells Twilio's requests for one account from others; fields named in `once` must not be repeated in them."""

    def __init__(self, account: Account, once: Iterable[str], last_form: forms.LastForm) -> None:
        self._account_sid = account.account_sid
        self._auth_tokens = account.auth_token
        self._once = tuple(once)
        self._forms = last_form

    def form_of(self, request: RawRequest) -> forms.Form | None:
        """Return the form of a request that Twilio signed for our account, None if it is signed JSON; raises `AuthenticationFailed`."""
        given = request.headers.get(_SIGNATURE, "")
        content_type = request.headers.get("content-type", "")
        if content_type.partition(";")[0].strip().lower() == "application/json":
            signatures.check_twilio(self._auth_tokens, request.url, {}, given)
            signatures.check_body_hash(request.url, request.body)
            return None
        try:
            form = _form(request, self._forms)
        except (forms.NotAForm, UnreadableRequest) as error:
            raise AuthenticationFailed("unsigned_body", error.code) from None
        signatures.check_twilio(self._auth_tokens, request.url, {} if request.method == "GET" else form, given)
        for name in self._once:
            if len(form.get(name, ())) > 1:
                raise AuthenticationFailed("repeated_field", name)
        if one(form, "AccountSid") != self._account_sid:
            raise AuthenticationFailed("other_account")
        return form


def check_parties(form: forms.Form, ours: str, value: str) -> None:
    """Raise `AuthenticationFailed` unless the form names both parties, and `ours`, the field that must be us, has our `value`."""
    if not one(form, "From") or not one(form, "To"):  # their place in the signed string keeps a text from running into them
        raise AuthenticationFailed("missing_field")
    if one(form, ours) != value:
        raise AuthenticationFailed("other_number")


def read(request: RawRequest, last_form: forms.LastForm) -> forms.Form:
    """Return the form of a request; raises `UnreadableRequest`."""
    try:
        return _form(request, last_form)
    except forms.NotAForm as error:
        raise UnreadableRequest(error.code) from None


def _form(request: RawRequest, last_form: forms.LastForm) -> forms.Form:
    """Return the fields of a request, which are in the query of a GET; raises `NotAForm`, `UnreadableRequest`."""
    return fields.query(request.url) if request.method == "GET" else last_form.of(request)


def url_about(url: str, message: OutboundMessage) -> str:
    """Return the webhook URL with our id of a message in it, which Twilio's signature will cover."""
    return f"{url}?m={message.id}"


def url_for(url: str, message_id: str, purpose: str) -> str:
    """Return the webhook URL for a request about one of our messages that is no answer to it but has another `purpose`."""
    return f"{url}?m={message_id}&s={purpose}"


def purpose(url: str) -> str:
    """Return what a request to a signed URL is for, empty for an answer to a message and for one that begins something."""
    return fields.asked(url, "s")


def our_id(url: str) -> str | None:
    """Return our own id of a message from a signed URL, None if there is none."""
    return sms.our_id(fields.asked(url, "m"))


def printable(text: str) -> str:
    """Return a text without the characters that XML cannot hold."""
    return _NOT_XML.sub("\ufffd", texts.clean(text))
