"""What Plivo knows of messages of ours, from its list of all messages: each by its id, or by whom it went to and when.

Reads only. Must not know what a message said.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from channels.http import Http, HttpAnswer, refusal
from channels.sms import taken, unreadable
from core.model.inbound import DeliveryReport
from core.model.outbound import DeliveryStatus

_PAGE = 20  # as many as Plivo gives out at once


class PlivoLists:
    """The messages of one account; `messages_url` is where they are."""

    def __init__(self, http: Http, messages_url: str, headers: Mapping[str, str], statuses: Mapping[str, DeliveryStatus]) -> None:
        self._http = http
        self._url = messages_url
        self._headers = headers
        self._statuses = statuses

    async def look_up(self, external_id: str, *, to: str, from_: str, sent_at: int) -> DeliveryReport | None:
        """Return what became of a message by its id, or of the newest that was sent to a number since `sent_at`; raises `SendError`."""
        if external_id:
            answer = await self._get(f"{self._url}{external_id}/")
            return None if answer.status == 404 else self._report(_object(answer))
        since = datetime.fromtimestamp(sent_at / 1_000, UTC).strftime("%Y-%m-%d %H:%M:%S")  # as precise as is sure
        wanted = {"message_direction": "outbound", "to_number": to, "from_number": from_, "message_time__gte": since, "limit": _PAGE}
        answer = await self._get(f"{self._url}?{urlencode(wanted)}")
        listed = _object(answer).get("objects") if answer.status != 404 else None
        if not isinstance(listed, list):
            raise unreadable("a list of messages")
        ours = [one for one in listed if isinstance(one, dict) and _digits(one.get("to_number")) == _digits(to)]
        return self._report(ours[0]) if ours else None  # the newest: one is sent at a time

    async def _get(self, url: str) -> HttpAnswer:
        answer = await self._http.get(url, headers=self._headers)
        if answer.status != 404 and not 200 <= answer.status < 300:
            raise refusal(answer)
        return answer

    def _report(self, one: Mapping[str, Any]) -> DeliveryReport:
        external_id, code = taken(one.get("message_uuid")), one.get("error_code")
        status = self._statuses.get(str(one.get("message_state")).lower())
        if status is None:
            raise unreadable("a status that is known")
        return DeliveryReport(external_id, status, code=str(code)[:20] if code not in {None, "", "000"} else None)


def _object(answer: HttpAnswer) -> Mapping[str, Any]:
    document = answer.json_object()
    if not document:
        raise unreadable("an answer that can be read")
    return document


def _digits(number: object) -> str:
    return str(number).removeprefix("+")
