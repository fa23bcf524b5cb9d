"""What Vonage knows of messages of ours, from the records of its Reports API, where each has our own id.

A record may come to be only some time after its message, so that there is none proves nothing. Reads only; must not ask for texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from channels.http import Http, basic, refusal
from channels.sms import taken, unreadable
from core.model.inbound import DeliveryReport
from core.model.outbound import DeliveryStatus, SendError, SendErrorCode

_BEFORE_MS, _AFTER_MS = 2_000, 60_000  # our clocks, and how long an attempt takes


class VonageReports:
    """The records of one account."""

    def __init__(self, http: Http, base: str, account: tuple[str, str], statuses: Mapping[str, DeliveryStatus]) -> None:
        self._http = http
        self._url = f"{base.rstrip('/')}/v2/reports/records"
        self._account = account[0]
        self._headers = {"Authorization": basic(":".join(account))}
        self._statuses = statuses

    async def look_up(self, message_id: str, *, to: str, sent_at: int) -> DeliveryReport:
        """Return what became of a message that was sent about then; raises `SendError`, also where nothing is known of it yet."""
        wanted = {
            "account_id": self._account,
            "product": "SMS",
            "direction": "outbound",
            "date_start": _time(sent_at - _BEFORE_MS),
            "date_end": _time(sent_at + _AFTER_MS),
            "to": to,
            "client_ref": message_id,
        }
        answer = await self._http.get(f"{self._url}?{urlencode(wanted)}", headers=self._headers)
        if not 200 <= answer.status < 300:
            raise refusal(answer)
        records = answer.json_object().get("records")
        if not isinstance(records, list):
            raise unreadable("a list of records")
        ours = [one for one in records if isinstance(one, dict) and one.get("client_ref") == message_id]
        if not ours:
            raise SendError(SendErrorCode.REFUSED, retryable=False, detail="there is no record of it yet")
        return self._report(ours[0], message_id)

    def _report(self, one: Mapping[str, Any], message_id: str) -> DeliveryReport:
        external_id, code = taken(one.get("message_id")), one.get("error_code")
        status = self._statuses.get(str(one.get("status")).lower(), DeliveryStatus.ACCEPTED)
        return DeliveryReport(external_id, status, message_id=message_id, code=str(code)[:40] if code not in {None, "", "0"} else None)


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
