"""What Twilio knows of messages: what became of one of ours, and those that came in, from its list of all messages.

Reads only. What came in is handed on in the form of the webhook that should have brought it. Must not know a channel's addresses.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

from channels import forms, twilio_messages
from channels.http import Http, HttpAnswer, basic, refusal
from channels.twilio_hooks import ApiAccount
from core.model.adapter import Missed
from core.model.inbound import DeliveryReport, RawRequest
from core.model.outbound import SendError, SendErrorCode

_PAGE = 100
_PAGE_BYTES_MAX = 4_194_304
_PAGES_MAX = 500
_MEDIA_MAX = 10
_FORM = {"content-type": forms.TYPE}


class TwilioLists:
    """The messages of one account."""

    def __init__(self, account: ApiAccount) -> None:
        self._base = account.api_base.rstrip("/")
        self._sid = account.account_sid
        self._headers = {"Authorization": basic(f"{account.account_sid}:{account.auth_token[0]}"), "Accept": "application/json"}
        self._http = Http(timeout_s=account.timeout_s, answer_bytes_max=_PAGE_BYTES_MAX)

    async def look_up(self, sid: str, *, to: str, from_: str, sent_at: int) -> DeliveryReport | None:
        """Return what became of a message by its SID, or by what was sent to a number since `sent_at`; raises `SendError`."""
        if sid:
            answer = await self._get(f"{self._messages()}/{sid}.json")
            return None if answer.status == 404 else _report(_read(answer))
        page = _read(await self._get(f"{self._messages()}.json?{urlencode({'To': to, 'From': from_, 'PageSize': _PAGE})}"))
        since = sent_at // 1_000 * 1_000  # as precise as Twilio's own time
        ours = [
            one
            for one in _objects(page, "messages")
            if one.get("direction") == "outbound-api" and (_time(one, "date_created") or 0) >= since
        ]
        return _report(ours[0]) if ours else None  # the newest: one is sent at a time

    async def missed(self, ours: str, since_ms: int) -> Missed:
        """Return what came in for a number of ours since then; raises `SendError`."""
        since = datetime.fromtimestamp(since_ms / 1_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        query = urlencode({"To": ours, "DateSent>": since, "PageSize": _PAGE})
        found = []
        async for one in self._everything(f"{self._messages()}.json?{query}"):
            at = _time(one, "date_sent") or _time(one, "date_created")
            if one.get("direction") == "inbound" and at is not None and at >= since_ms:
                found.append(await self._request(one, at))
        found.reverse()  # theirs begins with the newest, and several have the same second
        return Missed(sorted(found, key=lambda request: request.received_at))

    async def close(self) -> None:
        """End the connections to Twilio."""
        await self._http.close()

    async def _everything(self, url: str) -> AsyncIterator[Mapping[str, Any]]:
        for _ in range(_PAGES_MAX):
            page = _read(await self._get(url))
            for one in _objects(page, "messages"):
                yield one
            following = page.get("next_page_uri")
            if not isinstance(following, str) or not following.startswith("/"):
                return
            url = self._base + following

    async def _request(self, one: Mapping[str, Any], at: int) -> RawRequest:
        """Return a message of the list as its webhook would have been."""
        fields = {
            "MessageSid": one.get("sid"),
            "AccountSid": self._sid,
            "From": one.get("from"),
            "To": one.get("to"),
            "Body": one.get("body"),
        }
        media = await self._media(one) if str(one.get("num_media") or "0") != "0" else []
        fields["NumMedia"] = str(len(media))
        for index, (url, content_type) in enumerate(media):
            fields |= {f"MediaUrl{index}": url, f"MediaContentType{index}": content_type}
        body = urlencode({name: value if isinstance(value, str) else "" for name, value in fields.items()})
        return RawRequest("POST", "", _FORM, body.encode(), at)

    async def _media(self, one: Mapping[str, Any]) -> list[tuple[str, str]]:
        page = _read(await self._get(f"{self._messages()}/{one.get('sid')}/Media.json"))
        found = _objects(page, "media_list")[:_MEDIA_MAX]
        return [(self._base + str(item.get("uri", "")).removesuffix(".json"), str(item.get("content_type", ""))) for item in found]

    def _messages(self) -> str:
        return f"{self._base}/2010-04-01/Accounts/{self._sid}/Messages"

    async def _get(self, url: str) -> HttpAnswer:
        answer = await self._http.get(url, headers=self._headers)
        if answer.status != 404 and not 200 <= answer.status < 300:
            raise refusal(answer)
        return answer


def _read(answer: HttpAnswer) -> Mapping[str, Any]:
    document = answer.json_object()
    if not 200 <= answer.status < 300 or not document:
        raise SendError(SendErrorCode.UNREADABLE_ANSWER, retryable=True, detail=f"HTTP {answer.status} without a list")
    return document


def _objects(page: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = page.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _report(one: Mapping[str, Any]) -> DeliveryReport | None:
    sid, status = one.get("sid"), twilio_messages.STATUS.get(str(one.get("status")).lower())
    if not isinstance(sid, str) or status is None:
        return None
    code = one.get("error_code")
    return DeliveryReport(sid, status, code=str(code)[:20] if code else None)


def _time(one: Mapping[str, Any], name: str) -> int | None:
    try:
        return round(parsedate_to_datetime(str(one.get(name))).timestamp() * 1_000)
    except (ValueError, TypeError, OverflowError):
        return None
