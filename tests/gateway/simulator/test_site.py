"""The simulator over HTTP: what it takes, what it refuses, and that production has none of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway.simulator.phones import Phones
from tests.gateway.running import ANNA, Running, running

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def parley(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    async with running(tmp_path_factory.mktemp("simulator")) as parley:
        yield parley


async def call(parley: Running, method: str, path: str, **options: Any) -> tuple[int, Any]:
    async with parley.http.request(method, f"{parley.gateway.url}/simulator/api/{path}", **options) as answer:
        text = await answer.text()
        return answer.status, json.loads(text) if answer.content_type == "application/json" else text


async def test_a_text_goes_to_the_webhook_and_its_answer_to_the_phone(parley: Running) -> None:
    phone = "+254700000099"
    async with parley.http.get(f"{parley.gateway.url}/simulator/api/stream") as stream:
        assert await stream.content.readline() == b"retry: 1000\n"
        assert await call(parley, "POST", "sms", json={"msisdn": phone, "text": "balance"}) == (200, {"status": 200})
        texts: list[dict[str, Any]] = []
        async with asyncio.timeout(10):
            while len(texts) < 2:
                if await stream.content.readline() == b"event: sms\n":
                    texts.append(json.loads((await stream.content.readline()).removeprefix(b"data: ")))
    assert [text["sent"] for text in texts] == [True, False]
    _, memory = await call(parley, "GET", "phone", params={"msisdn": phone})
    assert [text["id"] for text in memory["sms"]] == [text["id"] for text in texts]
    assert memory["whatsapp"] == []
    _, exchanges = await call(parley, "GET", "exchanges")
    assert {"webhook", "api"} <= {exchange["what"] for exchange in exchanges if exchange["phone"] == phone}


async def test_a_ussd_session_over_http(parley: Running) -> None:
    status, screen = await call(parley, "POST", "ussd", json={"msisdn": ANNA, "code": "*384*100#"})
    assert (status, screen["goes_on"]) == (200, True)
    status, screen = await call(parley, "POST", f"ussd/{screen['session']}", json={"text": "1"})
    assert status == 200
    assert "KES" in screen["text"]
    assert (await call(parley, "DELETE", f"ussd/{screen['session']}"))[0] == 204
    assert (await call(parley, "POST", f"ussd/{screen['session']}", json={"text": "1"}))[0] == 404


async def test_the_billing_system_is_told_how_to_behave(parley: Running) -> None:
    assert (await call(parley, "PUT", "bss", json={"mode": "fail"}))[0] == 200
    assert (await call(parley, "GET", "bss"))[1]["mode"] == "fail"
    assert (await call(parley, "PUT", "bss", json={"mode": "strange"}))[0] == 400
    assert (await call(parley, "PUT", "bss", json={"mode": "ok"}))[0] == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("sms", {"msisdn": ANNA}),
        ("sms", {"msisdn": ANNA, "text": "  "}),
        ("sms", {"msisdn": ANNA, "text": "x" * 1_601}),
        ("sms", {"msisdn": "abc", "text": "x"}),
        ("sms", {"msisdn": 7, "text": "x"}),
        ("ussd", {"msisdn": ANNA, "code": 7}),
        ("ussd", {"msisdn": ANNA, "code": "*" * 200}),
        ("ussd/none", {}),
        ("sms", []),
        ("whatsapp", {"msisdn": ANNA}),
        ("whatsapp", {"msisdn": ANNA, "button": "x", "message": "none"}),
        ("whatsapp/window", {"msisdn": "x"}),
        ("call", {"msisdn": ANNA, "number": 7}),
        ("call", {"msisdn": ANNA, "number": "help"}),
        ("call/none", {"key": "12"}),
        ("call/none", {"agent": "sleep"}),
        ("mail", {"msisdn": ANNA, "subject": " ", "text": ""}),
        ("mail", {"msisdn": ANNA, "subject": "x" * 201, "text": ""}),
    ],
)
async def test_requests_that_make_no_sense_are_refused(parley: Running, path: str, body: object) -> None:
    assert (await call(parley, "POST", path, json=body))[0] == 400


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("call/none", {"key": "1"}),
        ("call/none/end", {}),
        ("call/none/end", {"drop": True}),
        ("mail/none", {"msisdn": ANNA, "how": "usual", "text": "x"}),
    ],
)
async def test_what_is_not_there_is_not_found(parley: Running, path: str, body: object) -> None:
    assert (await call(parley, "POST", path, json=body))[0] == 404


async def test_other_web_sites_cannot_have_a_browser_press_the_keys(parley: Running) -> None:
    body = json.dumps({"msisdn": ANNA, "text": "x"}).encode()
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        assert (await call(parley, "POST", "sms", data=body, headers={"Content-Type": kind}))[0] == 415


async def test_the_front_page_leads_to_the_address_that_the_chat_is_allowed_on(parley: Running) -> None:
    port = parley.gateway.url.rpartition(":")[2]
    async with parley.http.get(parley.gateway.url, headers={"Host": f"localhost:{port}"}, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (302, f"{parley.gateway.url}/")


async def test_production_has_no_simulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int) -> None:
    monkeypatch.setenv("CHAT_KEY", "k" * 40)
    config = tmp_path / "parley.toml"
    config.write_text(
        'mode = "production"\n[operator]\nname = "O"\ncountry = "KE"\ncurrency = "KES"\n'
        '[server]\npublic_url = "https://parley.example"\n[backend]\nurl = "https://bss.example"\n'
        '[channels.web]\nkind = "webchat"\naddress = "chat"\norigins = ["https://www.example"]\nkeys = { env = "CHAT_KEY" }\n'
    )
    async with running(tmp_path / "data", config=config, overrides={"server.port": unused_tcp_port}) as parley:
        for path in ("/", "/simulator/shop", "/simulator/api/phone", "/simulator/api/exchanges"):
            async with parley.http.get(f"http://127.0.0.1:{unused_tcp_port}{path}") as answer:
                assert answer.status == 404


async def test_a_phone_keeps_its_messages_and_forgets_half_a_line(tmp_path: Path) -> None:
    phones = Phones(tmp_path)
    kept = [phones.keep("sms", ANNA, "SM1", {"sent": True, "text": "hello \u2028 😀", "at": 1})]
    with (tmp_path / "simulator-devices.jsonl").open("a") as file:
        file.write('{"msisdn": "+2547')
    kept.append(Phones(tmp_path).keep("sms", ANNA, "SM2", {"sent": False, "text": "hi", "at": 2}))
    assert Phones(tmp_path).thread("sms", ANNA) == kept
    assert Phones(tmp_path).thread("whatsapp", ANNA) == []
    read = Phones(tmp_path).keep("sms", ANNA, "SM1", {"sent": True, "text": "hello", "at": 1, "status": "read"})
    assert Phones(tmp_path).thread("sms", ANNA) == [read, kept[1]]
    assert Phones(tmp_path).find("sms", ANNA, "SM2") == kept[1]
