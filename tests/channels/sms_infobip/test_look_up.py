"""What Infobip is asked about a message whose outcome is unknown, and what its log means."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from core.model.inbound import DeliveryReport
from core.model.outbound import SendError
from tests.channels.sms_infobip.subject import adapter
from tests.conformance.subject import MESSAGE_ID


async def asked(document: Any, status: int = 200) -> tuple[DeliveryReport | None, list[str]]:
    """Look a message up where the log is `document`; returns the report and the queries."""
    queries: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        queries.append(request.query_string)
        return web.json_response(document, status=status)

    app = web.Application()
    app.router.add_get("/sms/3/logs", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    made = adapter(f"http://{host}:{port}")
    try:
        return await made.look_up(MESSAGE_ID, "", "+254711000111", 0), queries
    finally:
        await made.close()
        await runner.cleanup()


def log(group: str, name: str) -> dict[str, Any]:
    return {"results": [{"messageId": "another"}, {"messageId": MESSAGE_ID, "status": {"groupName": group, "name": name}}]}


@pytest.mark.parametrize(
    ("group", "name", "status"),
    [("DELIVERED", "DELIVERED_TO_HANDSET", "delivered"), ("PENDING", "PENDING_ENROUTE", "sent"), ("NEW", "NEW", "accepted")],
)
async def test_what_it_knows_is_a_report(group: str, name: str, status: str) -> None:
    told, queries = await asked(log(group, name))
    assert told is not None
    assert (told.external_id, told.status) == (MESSAGE_ID, status)
    assert queries == [f"messageId={MESSAGE_ID}"]


async def test_what_it_never_had_is_nothing() -> None:
    assert (await asked({"results": []}))[0] is None


@pytest.mark.parametrize(("document", "status"), [({}, 200), ([], 200), ({"results": []}, 500), ({"errorCode": "E401"}, 401)])
async def test_no_answer_is_an_error_and_not_an_absence(document: Any, status: int) -> None:
    with pytest.raises(SendError):
        await asked(document, status)
