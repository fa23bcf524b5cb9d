"""USSD sessions over a real SMPP server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.channels.smpp.centre import Centre, Start

pytestmark = pytest.mark.smsc


async def step(centre: Centre, text: str, operation: int, info: str, sender: str = "254700000001") -> dict[str, Any]:
    assert await centre.deliver(text, sender=sender, to="384", pdu={"ussd_service_op": operation}, info=info) == 0
    return await centre.until("submit")


async def test_a_ussd_session_goes_from_menu_to_menu(start: Start, centre: Centre) -> None:
    async with start('service = "ussd"', address="*384*100#") as parley:
        await centre.until("bound")
        menu = await step(centre, "*384*100#", 1, "0700")
        assert menu["text"].count("\n") >= 3
        assert (menu["operation"], menu["info"], menu["from"], menu["to"], menu["receipt"]) == (2, "0700", "384", "254700000001", 0)
        question = await step(centre, "2", 18, "0702")
        assert (question["operation"], question["info"]) == (2, "0702")
        await step(centre, "50", 18, "0704")
        again = await step(centre, "*384*100#", 1, "0700")
        assert again["operation"] == 2
        assert await parley.rows("select count(*) from conversation where session_id is not null") == [(1,)]
        assert await centre.deliver("", to="384", pdu={"ussd_service_op": 18}, info="0701") == 0
        assert await parley.rows("select count(*) from conversation where session_id is not null") == [(0,)]
        assert await parley.rows("select count(*) from message where direction = 'inbound'") == [(4,)]
        dialled = await step(centre, "*384*100*1#", 1, "0900")
        assert "KES" in dialled["text"]
        assert (dialled["operation"], dialled["info"]) == (17, "0900")


async def test_a_ussd_answer_after_a_restart_begins_anew_instead_of_failing(start: Start, centre: Centre) -> None:
    async with start('service = "ussd"', address="*384*100#"):
        await centre.until("bound")
        await step(centre, "*384*100#", 1, "0700")
    async with start('service = "ussd"', address="*384*100#"):
        await centre.until("bound")
        assert (await step(centre, "1", 18, "0702"))["text"]
