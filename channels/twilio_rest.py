"""Sends messages through Twilio's library, over our own connections.

The library builds the request and reads the answer; its connection is replaced by ours, because its own hides Retry-After, has no
separate limit for connecting, and cannot be pointed at another address. Must not try again.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from typing import Any
from urllib.parse import urlsplit

from twilio.http import AsyncHttpClient  # type: ignore[import-untyped]  # the library ships no types; met here only
from twilio.http.response import Response  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]

from channels.http import Http, HttpAnswer, basic, refusal, retry_after_s
from channels.twilio_hooks import ApiAccount
from channels.twilio_lists import TwilioLists
from core.model.outbound import SendError, SendErrorCode

# Twilio's error codes with a meaning of their own; for any other the HTTP status decides.
_OPTED_OUT = {21610}
_BAD_ADDRESS = {21211, 21214, 21217, 21265, 21401, 21614, 21635, 63003, 63024}
_TOO_LONG = {21605, 21617}
_THROTTLED = {14107, 20429, 21611, 63018, 63038}
_CREDENTIALS = {20003, 20005, 20008}
_OUR_FAULT = {20404, 21212, 21408, 21602, 21603, 21606, 21609, 21612, 21659, 21660, 21703, 63007, 63020, 63027, 63028}
_WINDOW_CLOSED = {63016}
_CALL_OVER = {"21220", "20404"}  # not in progress, or forgotten


class TwilioRest:
    """The REST API of one account; `lists` reads, `close` ends its connections."""

    def __init__(self, account: ApiAccount) -> None:
        self._http = Http(timeout_s=account.timeout_s)
        connection = _Connection(account.api_base, self._http)
        self.lists = TwilioLists(account)
        client = Client(account.account_sid, account.auth_token[0], http_client=connection)
        self._messages, self._calls = client.messages, client.calls

    async def create(self, *, to: str, from_: str, status_callback: str, **content: object) -> str:
        """Hand over one message and return its SID; raises `SendError`. `content` is named as in the library: `body`, `content_sid`."""
        return await self._created(self._messages.create_async(to=to, from_=from_, status_callback=status_callback, **content))

    async def call(self, *, to: str, from_: str, url: str, status_callback: str, ring_s: int) -> str:
        """Call a number and return the SID of the call; `url` is asked what to say when somebody answers. Raises `SendError`."""
        return await self._created(
            self._calls.create_async(
                to=to,
                from_=from_,
                url=url,
                method="POST",
                status_callback=status_callback,
                status_callback_method="POST",
                status_callback_event=["initiated", "ringing", "answered", "completed"],
                machine_detection="DetectMessageEnd",
                timeout=ring_s,
            )
        )

    async def redirect(self, call: str, url: str) -> bool:
        """Have a call ask `url` what is next; False if it is over. Raises `SendError`."""
        try:
            await self._created(self._calls(call).update_async(url=url, method="POST"))
        except SendError as error:
            if error.provider_code in _CALL_OVER:
                return False
            raise
        return True

    async def _created(self, creating: Awaitable[Any]) -> str:
        try:
            created = await creating
        except (ValueError, TypeError, AttributeError, LookupError, RecursionError):  # what the library makes of an unreadable answer
            raise _unreadable() from None
        if not isinstance(created.sid, str) or not created.sid:
            raise _unreadable()
        return created.sid

    async def close(self) -> None:
        """End the connections to Twilio; a later `create` opens new ones."""
        await self._http.close()
        await self.lists.close()


def connect(account: ApiAccount) -> TwilioRest:
    """Return the REST API of an account; raises ValueError for an `api_base` that is no web address."""
    if not account.api_base.startswith(("http://", "https://")):
        raise ValueError(f"api_base must be a web address, not {account.api_base!r}")
    return TwilioRest(account)


class _Connection(AsyncHttpClient):  # type: ignore[misc]  # its base is untyped
    """What the library calls to reach Twilio."""

    def __init__(self, api_base: str, http: Http) -> None:
        super().__init__(logging.getLogger(__name__), is_async=True)
        self._api_base = api_base.rstrip("/")
        self._http = http

    async def request(
        self,
        method: str,
        url: str,
        params: Any = None,
        data: Any = None,
        headers: Any = None,
        auth: Any = None,
        timeout: Any = None,  # noqa: ASYNC109 - the library's signature; limits are the connection's
        allow_redirects: Any = None,
    ) -> Response:
        """POST the form of the library's request; raises `SendError` for any answer but a 2xx."""
        del method, params, timeout, allow_redirects  # messages are created by POST, and limits are our own
        headers = {**headers, "Authorization": basic(":".join(auth))}
        answer = await self._http.post(self._api_base + urlsplit(url).path, form=data, headers=headers)
        if not 200 <= answer.status < 300:
            raise _refused(answer)
        return Response(answer.status, answer.body.decode("utf-8", "replace"), answer.headers)


def _refused(answer: HttpAnswer) -> SendError:
    """Return the error for Twilio's own code if it gives one, else for the status."""
    number = answer.json_object().get("code")
    code = number if type(number) is int else 0
    text = str(code)
    if code in _OPTED_OUT:
        return SendError(SendErrorCode.OPTED_OUT, retryable=False, provider_code=text)
    if code in _BAD_ADDRESS:
        return SendError(SendErrorCode.BAD_ADDRESS, retryable=False, provider_code=text)
    if code in _TOO_LONG:
        return SendError(SendErrorCode.TOO_LONG, retryable=False, provider_code=text)
    if code in _CREDENTIALS:
        return SendError(SendErrorCode.BAD_CREDENTIALS, retryable=False, ours=True, provider_code=text)
    if code in _THROTTLED:
        return SendError(SendErrorCode.THROTTLED, retryable=True, provider_code=text, retry_after_s=retry_after_s(answer.headers))
    if code in _WINDOW_CLOSED:
        return SendError(SendErrorCode.REFUSED, retryable=False, provider_code=text, detail="the 24 hours for text are over")
    if code in _OUR_FAULT:
        return SendError(SendErrorCode.REFUSED, retryable=False, ours=True, provider_code=text)
    return refusal(answer, text if code else "", certain=bool(code))


def _unreadable() -> SendError:
    return SendError(SendErrorCode.UNREADABLE_ANSWER, retryable=True, unknown=True, detail="2xx without a message resource")
