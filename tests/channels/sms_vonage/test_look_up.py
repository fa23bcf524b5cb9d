"""What the Reports API of Vonage is asked about a message whose outcome is unknown, and what its records mean."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import pytest

from channels.http import basic
from core.model.inbound import DeliveryReport
from core.model.outbound import SendError, SendErrorCode
from tests.channels.sms_vonage.subject import ID, KEY, SECRET, adapter
from tests.channels.stand_in import Call, StandIn
from tests.conformance.subject import MESSAGE_ID

SENT_AT = 1_767_225_600_123


async def asked(document: Any, status: int = 200) -> tuple[DeliveryReport | None, Call]:
    """Look a message up where the records are `document`; returns the report and the request."""
    vonage = StandIn(status, document)
    async with vonage.running() as base:
        made = adapter("http://127.0.0.1:1", reports_base=base)
        try:
            told = await made.look_up(MESSAGE_ID, "", "+447700900111", SENT_AT)
        finally:
            await made.close()
    return told, vonage.calls[0]


def record(status: str, **changed: Any) -> dict[str, Any]:
    known = {
        "account_id": KEY,
        "message_id": ID,
        "client_ref": MESSAGE_ID,
        "direction": "outbound",
        "to": "447700900111",
        "error_code": "0",
    }
    return {**known, "status": status, **changed}


@pytest.mark.parametrize(
    ("status", "known"), [("delivered", "delivered"), ("expired", "undelivered"), ("submitted", "sent"), ("rejected", "failed")]
)
async def test_the_record_with_our_id_is_a_report(status: str, known: str) -> None:
    told, call = await asked({"records": [record("delivered", client_ref="another"), "x", record(status)]})
    assert told == DeliveryReport(ID, known, message_id=MESSAGE_ID)
    assert call.headers["authorization"] == basic(f"{KEY}:{SECRET}")
    assert SECRET not in call.target
    path, _, query = call.target.partition("?")
    assert path == "/v2/reports/records"
    assert dict(parse_qsl(query)) == {
        "account_id": KEY,
        "product": "SMS",
        "direction": "outbound",
        "date_start": "2025-12-31T23:59:58Z",
        "date_end": "2026-01-01T00:01:00Z",
        "to": "447700900111",
        "client_ref": MESSAGE_ID,
    }


async def test_a_status_that_nobody_knows_says_at_least_that_it_was_taken() -> None:
    told, _ = await asked({"records": [record("unknown", error_code="5")]})
    assert told == DeliveryReport(ID, "accepted", message_id=MESSAGE_ID, code="5")


async def test_that_there_is_no_record_yet_proves_nothing_and_pauses_nothing() -> None:
    for records in ([], [record("delivered", client_ref="another")]):
        with pytest.raises(SendError) as raised:
            await asked({"records": records})
        assert (raised.value.code, raised.value.unknown) == (SendErrorCode.REFUSED, False)


@pytest.mark.parametrize(("document", "status"), [({}, 200), ([], 200), ({"records": []}, 500), ({"title": "no"}, 401)])
async def test_no_answer_is_an_error(document: Any, status: int) -> None:
    with pytest.raises(SendError):
        await asked(document, status)


async def test_a_record_without_its_id_is_no_answer() -> None:
    with pytest.raises(SendError):
        await asked({"records": [record("delivered", message_id=None)]})
