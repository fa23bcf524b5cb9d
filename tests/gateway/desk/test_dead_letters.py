"""Dead letters at the desk and on the command line: seen by those who may, tried again for real, discarded with a reason."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from pathlib import Path
from typing import Any

from core.model.inbound import InboundMessage, RawRequest, UnreadableRequest
from core.model.outbound import SendError, SendErrorCode, SendResult
from core.reports.invariants import check
from core.store import kept_requests, pauses
from tests.gateway.desk.signed import Signed, signed_in
from tests.gateway.running import ANNA, Running, running
from tests.house.parley import parley as command

SMS = "+254711082000"


async def until(parley: Running, sql: str, *args: Any) -> None:
    async with asyncio.timeout(30):
        with parley.gateway.hints.listen("events", "outbox") as listener:
            while not await parley.rows(sql, *args):
                await listener.wait(0.05)


async def letters(signed: Signed) -> list[dict[str, Any]]:
    status, answer = await signed.get("/desk/api/dead-letters")
    assert status == 200
    return list(answer["letters"])


async def act(signed: Signed, what: str, ids: list[str], **more: str) -> list[str]:
    status, answer = await signed.post(f"/desk/api/dead-letters/{what}", {"ids": ids, **more})
    assert status == 200
    return [one["outcome"] for one in answer["outcomes"]]


async def test_what_failed_by_our_fault_is_replayed_when_it_is_mended(tmp_path: Path, monkeypatch: Any) -> None:
    async with running(tmp_path, overrides={"channels.sms.replies": "rest"}) as parley, signed_in(parley, "supervisor") as supervisor:
        adapter = parley.gateway.channels["sms"].adapter

        async def refuses(_: Any) -> SendResult:
            raise SendError(SendErrorCode.BAD_CREDENTIALS, retryable=False, ours=True, provider_code="20003")

        monkeypatch.setattr(adapter, "send", refuses)
        assert parley.gateway.demo is not None
        await parley.gateway.demo.twilio.deliver(ANNA, SMS, "menu")
        await until(parley, "select 1 from outbox where dead_at is not null")
        (letter,) = await letters(supervisor)
        assert (letter["kind"], letter["code"], letter["who"]) == ("unsent", "20003", ANNA)
        assert (await supervisor.get("/desk/api/delivery"))[1] == {"dead_letters": 1, "paused": [], "code_stops": []}
        monkeypatch.undo()
        assert await act(supervisor, "replay", [letter["id"], "mbm9uZQ"]) == ["queued", "not_found"]
        await until(parley, "select 1 from message where direction = 'outbound' and status in ('accepted', 'sent', 'delivered')")
        assert await letters(supervisor) == []
        ((body,),) = await parley.rows("select body from event where kind = 'dead_letter.replayed'")
        assert json.loads(body) == {"by": "supervisor"}
        assert await parley.gateway.store.read(check) == []


async def refused_by_provider(parley: Running, monkeypatch: Any) -> None:
    """Let the bot's answer to a message fail by our own fault, and mend that."""

    async def refuses(_: Any) -> SendResult:
        raise SendError(SendErrorCode.BAD_CREDENTIALS, retryable=False, ours=True, provider_code="20003")

    monkeypatch.setattr(parley.gateway.channels["sms"].adapter, "send", refuses)
    assert parley.gateway.demo is not None
    await parley.gateway.demo.twilio.deliver(ANNA, SMS, "menu")
    await until(parley, "select 1 from outbox where dead_at is not null")
    monkeypatch.undo()


async def test_a_corrected_message_goes_out_to_the_corrected_number(tmp_path: Path, monkeypatch: Any) -> None:
    async with running(tmp_path, overrides={"channels.sms.replies": "rest"}) as parley, signed_in(parley, "supervisor") as supervisor:
        await refused_by_provider(parley, monkeypatch)
        (letter,) = await letters(supervisor)
        edit = "/desk/api/dead-letters/edit"
        for changes, code in (({"address": "nobody"}, "bad_address"), ({}, "unchanged"), ({"text": "\n"}, "empty")):
            status, answer = await supervisor.post(edit, {"id": letter["id"], **changes})
            assert (status, answer["error"]["code"]) == (409, code)
        assert (await supervisor.post(edit, {"id": "mbm9uZQ", "text": "x"}))[0] == 404
        status, answer = await supervisor.post(edit, {"id": letter["id"], "text": "Your number was wrong.", "address": "0700 000 009"})
        assert status == 200
        await until(parley, "select 1 from message where id = ? and status in ('accepted', 'sent', 'delivered')", answer["message"])
        assert parley.gateway.demo is not None
        assert await parley.rows("select address, text from message where id = ?", answer["message"]) == [
            ("+254700000009", "Your number was wrong.")
        ]
        assert await letters(supervisor) == []
        assert await parley.gateway.store.read(check) == []


async def test_a_mail_that_breaks_its_limits_is_listed_and_read_again(tmp_path: Path) -> None:
    async with running(tmp_path) as parley, signed_in(parley, "supervisor") as supervisor:
        about = json.dumps({"headers": {"mail-from": "jo@example.org", "rcpt-to": "help@demo.example"}})
        keep = partial(kept_requests.keep, request_id="k1", channel_id="gone", request=about, body="d" * 64, at=1)
        await parley.gateway.store.write(keep)
        await parley.gateway.store.write(lambda tx: kept_requests.end(tx, "k1", "over_limits"))
        (letter,) = await letters(supervisor)
        assert (letter["kind"], letter["who"]) == ("kept", "jo@example.org")
        assert await act(supervisor, "replay", [letter["id"]]) == ["marked"]
        assert await parley.rows("select state, handled_by from kept_request") == [("waiting", "supervisor")]


async def test_a_request_that_can_be_read_today_is_taken_in_as_one_that_came_late(tmp_path: Path, monkeypatch: Any) -> None:
    async with running(tmp_path) as parley, signed_in(parley, "supervisor") as supervisor:
        adapter = parley.gateway.channels["ussd"].adapter
        readable = adapter.parse

        def unreadable(_: RawRequest) -> list[InboundMessage]:
            raise UnreadableRequest("bad_number")

        monkeypatch.setattr(adapter, "parse", unreadable)
        await parley.dial("", session="s1")
        (letter,) = await letters(supervisor)
        assert await act(supervisor, "replay", [letter["id"]]) == ["marked"]
        await until(parley, "select 1 from unreadable where again_at is null")
        assert [one["state"] for one in await letters(supervisor)] == ["unreadable"]
        monkeypatch.setattr(adapter, "parse", readable)
        await act(supervisor, "replay", [letter["id"]])
        await until(parley, "select 1 from unreadable where handled_at is not null and handled_by = 'supervisor'")
        assert await parley.rows("select address from message where direction = 'inbound'") == [(ANNA,)]
        assert await parley.rows("select body from event where kind = 'message.in'") == [('{"late":true}',)]
        assert await letters(supervisor) == []


async def test_several_are_discarded_at_once_and_only_with_a_reason(tmp_path: Path) -> None:
    async with running(tmp_path) as parley, signed_in(parley, "supervisor") as supervisor:
        for number in range(3):
            await parley.post("ussd", data=b"nothing %d" % number, headers={"Content-Type": "text/plain"})
        ids = [letter["id"] for letter in await letters(supervisor)]
        assert len(ids) == 3
        status, answer = await supervisor.post("/desk/api/dead-letters/discard", {"ids": ids, "reason": " "})
        assert (status, answer["error"]["code"]) == (409, "no_reason")
        assert await act(supervisor, "discard", [*ids, ids[0]], reason="a test of theirs") == ["discarded"] * 3
        assert await parley.rows("select distinct handled_by, handled_reason from unreadable") == [("supervisor", "a test of theirs")]
        for bad in ([], ["x"], [1], ["a" * 2_000], ids * 300):
            assert (await supervisor.post("/desk/api/dead-letters/replay", {"ids": bad}))[0] == 400


async def test_a_paused_channel_is_told_at_the_desk_and_in_the_metrics(tmp_path: Path) -> None:
    overrides = {"server.health_port": 0}
    async with running(tmp_path, overrides=overrides) as parley, signed_in(parley, "supervisor") as supervisor:
        await parley.gateway.store.write(lambda tx: pauses.begin(tx, "sms", "provider_down", 1_000))
        _, answer = await supervisor.get("/desk/api/delivery")
        assert answer["paused"] == [{"channel_id": "sms", "code": "provider_down", "since": 1_000}]


async def test_the_command_corrects_while_the_gateway_is_stopped(tmp_path: Path, monkeypatch: Any) -> None:
    async with running(tmp_path, overrides={"channels.sms.replies": "rest"}) as parley:
        await refused_by_provider(parley, monkeypatch)
    data = ("--data", str(tmp_path))
    (listed,) = json.loads(command("dead-letters", "list", "--json", *data).out)
    assert "no address" in command("dead-letters", "edit", "--address", "nobody", listed["id"], *data).err
    assert "Nothing was corrected" in command("dead-letters", "edit", listed["id"], *data).err
    assert "is corrected: message" in command("dead-letters", "edit", "--text", "Said better.", listed["id"], *data).out
    async with running(tmp_path, overrides={"channels.sms.replies": "rest"}) as parley:
        await until(parley, "select 1 from message where text = 'Said better.' and status in ('accepted', 'sent', 'delivered')")
        assert await parley.rows("select handled_by, handled_reason from outbox where handled_at is not null") == [
            ("command line", "edited")
        ]


async def test_the_command_lists_beside_a_running_gateway_and_acts_on_a_stopped_one(tmp_path: Path) -> None:
    async with running(tmp_path) as parley:
        await parley.post("ussd", data=b"nothing", headers={"Content-Type": "text/plain"})
    data = ("--data", str(tmp_path))
    (listed,) = json.loads(command("dead-letters", "list", "--json", *data).out)
    assert (listed["kind"], listed["channel_id"]) == ("unreadable", "ussd")
    assert "nothing" not in json.dumps(listed)
    assert "nothing" in command("dead-letters", "show", listed["id"], *data).out
    assert "no dead letters" in command("dead-letters", "list", "--kind", "unsent", *data).out
    assert "is read again when the gateway runs" in command("dead-letters", "replay", listed["id"], *data).out
    async with running(tmp_path) as parley:
        await until(parley, "select 1 from unreadable where again_at is null")
    assert "is discarded" in command("dead-letters", "discard", "--reason", "a test", listed["id"], *data).out
    gone = command("dead-letters", "discard", "--reason", "a test", listed["id"], *data)
    assert (gone.code, "no such dead letter" in gone.err) == (1, True)
