"""What Plivo is asked about a message whose outcome is unknown, and what its list means."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import pytest

from channels.http import basic
from core.model.inbound import DeliveryReport
from core.model.outbound import SendError
from tests.channels.sms_plivo.subject import ACCOUNT, NEW, UUID, adapter
from tests.channels.stand_in import Call, StandIn
from tests.conformance.subject import MESSAGE_ID

TO = "+14151234567"
SENT_AT = 1_767_225_600_123


async def asked(document: Any, status: int = 200, external_id: str = "") -> tuple[DeliveryReport | None, Call]:
    """Look a message up where the answer is `document`; returns the report and the request."""
    plivo = StandIn(status, document)
    async with plivo.running() as base:
        made = adapter(base)
        try:
            told = await made.look_up(MESSAGE_ID, external_id, TO, SENT_AT)
        finally:
            await made.close()
    return told, plivo.calls[0]


def record(state: str, **changed: Any) -> dict[str, Any]:
    return {
        "error_code": "000",
        "from_number": "14157654321",
        "message_direction": "outbound",
        "message_state": state,
        "message_time": "2026-01-01 00:00:01+00:00",
        "message_uuid": UUID,
        "to_number": "14151234567",
        **changed,
    }


@pytest.mark.parametrize(("state", "status"), [("queued", "accepted"), ("sent", "sent"), ("delivered", "delivered"), ("failed", "failed")])
async def test_what_went_to_the_number_since_then_is_a_report(state: str, status: str) -> None:
    told, call = await asked({"objects": [record(state), record("failed", message_uuid="older")]})
    assert told == DeliveryReport(UUID, status)
    assert call.headers["authorization"] == basic(f"{ACCOUNT}:{NEW}")
    path, _, query = call.target.partition("?")
    assert path == f"/v1/Account/{ACCOUNT}/Message/"
    assert dict(parse_qsl(query)) == {
        "message_direction": "outbound",
        "to_number": TO,
        "from_number": "+14157654321",
        "message_time__gte": "2026-01-01 00:00:00",
        "limit": "20",
    }


async def test_a_message_whose_id_is_known_is_asked_for_by_it() -> None:
    told, call = await asked(record("undelivered", error_code="30"), external_id=UUID)
    assert told == DeliveryReport(UUID, "undelivered", code="30")
    assert call.target == f"/v1/Account/{ACCOUNT}/Message/{UUID}/"


@pytest.mark.parametrize(
    ("document", "status", "external_id"),
    [
        ({"objects": []}, 200, ""),
        ({"objects": [record("sent", to_number="14151234568"), "x"]}, 200, ""),
        ({"error": "not found"}, 404, UUID),
    ],
)
async def test_what_it_never_had_is_nothing(document: Any, status: int, external_id: str) -> None:
    assert (await asked(document, status, external_id))[0] is None


@pytest.mark.parametrize(
    ("document", "status"),
    [
        ({}, 200),
        ([], 200),
        ({"objects": {}}, 200),
        ({"objects": [record("strange")]}, 200),
        ({"objects": [record("sent", message_uuid=7)]}, 200),
        ({"objects": []}, 404),
        ({"objects": []}, 500),
        ({"error": "too many requests"}, 429),
        ({"error": "no"}, 401),
    ],
)
async def test_no_answer_is_an_error_and_not_an_absence(document: Any, status: int) -> None:
    with pytest.raises(SendError):
        await asked(document, status)
