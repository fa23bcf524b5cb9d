"""A caller in a queue at Twilio, as tests see one: what Twilio asks and tells, what it is asked, and the work at the desk."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from typing import Any
from urllib.parse import parse_qs

from aiohttp import web

from tests.channels.voice_twilio.calling import answer, heard, ring
from tests.channels.voice_twilio.vocabulary import check_in_queue
from tests.gateway.desk.signed import Signed
from tests.gateway.running import Running

HERE, PHONE = "+254711082000", "+254711082112"
IN = {"CallStatus": "in-progress"}


class Api:
    """The part of Twilio that changes calls; it writes down what it is asked, and refuses with `status`."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.status = 200

    async def change(self, request: web.Request) -> web.Response:
        form = {name: values[0] for name, values in parse_qs(await request.text()).items()}
        self.asked.append((request.match_info["call"], form))
        if self.status != 200:
            over = {"code": 21220, "message": "Call is not in-progress."} if self.status == 400 else {}
            return web.json_response(over, status=self.status)
        return web.json_response({"sid": request.match_info["call"], "status": "in-progress"})


async def enqueued(parley: Running) -> ET.Element:
    """Ask for a person; return the Enqueue."""
    people = await answer(parley, await ring(parley, CallStatus="ringing"), Digits="0")
    assert [node.tag for node in people] == ["Say", "Enqueue"]
    assert heard(people) == "One moment, I am putting you through to a colleague."
    assert people[1].text == "helpers"
    return people[1]


async def wait(parley: Running, enqueue: ET.Element, **given: str) -> ET.Element:
    """Ask what the caller hears who waits."""
    document = await ring(parley, enqueue.attrib["waitUrl"], **{**IN, "QueuePosition": "2", "QueueTime": "0", **given})
    check_in_queue(document)
    return document


async def out(parley: Running, enqueue: ET.Element, result: str, **given: str) -> ET.Element:
    """Tell how the caller left the queue."""
    return await ring(parley, enqueue.attrib["action"], **{**IN, "QueueResult": result, "QueueTime": "12", **given})


async def work(parley: Running) -> tuple[str, str, dict[str, Any]]:
    ((item, state, card),) = await parley.rows("select id, state, card from work_item order by number desc limit 1")
    return item, state, json.loads(card)


async def claim(desk: Signed, item: str) -> str:
    status, document = await desk.post(f"/desk/api/items/{item}/claim", {})
    assert status == 200
    return str(document["call"])


async def waiting(parley: Running, desk: Signed) -> tuple[ET.Element, str]:
    """Let a caller wait; return the Enqueue and the work."""
    enqueue = await enqueued(parley)
    await wait(parley, enqueue)
    return enqueue, (await work(parley))[0]
