"""What was kept is read: by the conversation's flow, by a person where nobody could read it, and never in the way of the others."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest

from channels.email import parse
from core.model.inbound import InboundMessage, RawRequest
from core.model.mail_ids import thread_address
from core.record import MASK
from core.store import journal, kept_requests
from gateway import mail_parsing
from gateway.mail import reading
from gateway.mail.kept import keep, mail_request
from gateway.mail_parsing import MailParsers, UnreadableMail
from tests.channels.mail.test_hostile import BOMBS
from tests.gateway.mail.room import ANNA, OURS, Room, letter, mailroom

EVE = "eve@evil.example"


async def texts(room: Room, direction: str = "inbound") -> list[str]:
    return [row[0] for row in await room.rows("select text from message where direction = ? order by created_at, seq", direction)]


async def test_a_thread_goes_on_though_the_client_drops_references_and_a_stranger_is_kept_out(tmp_path: Path) -> None:
    async with mailroom(tmp_path) as room:
        await room.post(letter("balance", 1))
        (first,) = await room.answers(1)
        reply_to = str(first["Reply-To"])
        assert reply_to != OURS
        await room.post(letter("help", 2, Subject="Something else"), recipients=(reply_to,))
        await room.answers(2)
        stolen = letter("balance", 3, From=EVE, **{"In-Reply-To": str(first["Message-ID"]), "Subject": "Re: My balance"})
        await room.post(stolen, sender=EVE, recipients=(reply_to,))
        answers = await room.answers(3)
        assert [answer["To"] for answer in answers] == [ANNA, ANNA, EVE]
        rows = await room.rows("select address, count(distinct thread), count(distinct conversation_id) from letter group by address")
        assert sorted(rows) == [(ANNA, 1, 1), (EVE, 1, 1)]
        assert str(answers[2]["Reply-To"]) != reply_to


async def test_an_answer_that_is_quicker_than_the_relay_finds_its_thread(tmp_path: Path) -> None:
    async with mailroom(tmp_path) as room:
        room.relay.answers["DATA"] = "451 4.3.0 later"
        await room.post(letter("balance", 1))
        (first,) = await room.answers(1)
        await room.post(letter("thanks", 2, **{"In-Reply-To": str(first["Message-ID"]), "Subject": "x"}))
        await room.read(2)
        assert await room.rows("select count(distinct thread) from letter where direction = 'inbound'") == [(1,)]


async def test_what_a_machine_writes_gets_no_answer(tmp_path: Path) -> None:
    async with mailroom(tmp_path) as room:
        await room.post(letter("I am away", 1, **{"Auto-Submitted": "auto-replied"}))
        await room.post(letter("Mail returned", 2, From="mailer-daemon@relay.example"), sender="")
        await room.post(letter("from ourselves", 3, From=thread_address(OURS, "0" * 20)))
        await room.post(letter("balance", 4))
        (only,) = await room.answers(1)
        assert only["In-Reply-To"] == "<a4@customer.example>"
        assert len(await texts(room)) == 4


async def test_a_mail_through_a_group_of_ours_is_answered_to_its_author_and_one_through_a_foreign_list_is_not(tmp_path: Path) -> None:
    group = {"List-Id": "<help.operator.example>", "List-Post": "<mailto:help@operator.example>", "Precedence": "list"}
    via = {"From": "'Anna' via Help <help@operator.example>", "Reply-To": f"Anna <{ANNA}>", "To": "help@operator.example"}
    async with mailroom(tmp_path) as room:
        await room.post(letter("balance", 1, **{**group, "List-Id": "<users.lists.example>"}), sender="users-bounces@lists.example")
        await room.post(letter("balance", 2, **group, **via), sender="help+bnc@operator.example", recipients=("help@operator.example",))
        (only,) = await room.answers(1)
        await room.read(2)
        assert (only["To"], only["In-Reply-To"]) == (ANNA, "<a2@customer.example>")
        assert await room.rows("select distinct address from letter where automatic = 'list'") == [(ANNA,)]


async def test_a_bounce_marks_the_message_and_the_address(tmp_path: Path) -> None:
    async with mailroom(tmp_path) as room:
        await room.post(letter("balance", 1))
        (answer,) = await room.answers(1)
        bounce = (
            "From: mailer-daemon@relay.example\r\nSubject: failed\r\nMIME-Version: 1.0\r\n"
            "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nSorry\r\n"
            "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
            f"Final-Recipient: rfc822; {ANNA}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
            f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {answer['Message-ID']}\r\n\r\n--b--\r\n"
        )
        await room.post(bounce.encode(), sender="")
        await room.until(lambda: room.rows("select 1 from message where status = 'undelivered'"))
        assert await room.rows("select value from contact_medium where unreachable_at is not null") == [(ANNA,)]


def carried(raw: bytes) -> bytes:
    """Return a mail as a server would hand it over: lines with their ends, none longer than the protocol can carry."""
    whole = re.sub(rb"\r\n|\r|\n", b"\r\n", raw)[:9_500_000]
    return b"\r\n".join(re.sub(rb"(.{900})(?=.)", rb"\1\r\n ", line) if len(line) > 60_000 else line for line in whole.split(b"\r\n"))


async def test_hostile_mails_are_taken_and_hold_nobody_up(tmp_path: Path) -> None:
    bombs = [raw for raw, _ in BOMBS.values()][:10]
    assert len(bombs) == 10
    async with mailroom(tmp_path) as room:
        before_s = time.thread_time()  # not on the wall: others may keep this machine busy
        for number, raw in enumerate(bombs):
            await room.post(b"X-Number: %d\r\n" % number + carried(raw), sender=EVE)
        await room.post(letter("balance", 1))
        await room.read(11)
        await room.until(lambda: room.rows("select 1 from letter where address = ?", ANNA))
        assert await room.rows("select count(*) from kept_request where attempts > 1") == [(0,)]
        assert await room.rows("select count(*) from inbound where channel_id = 'mail'") == [(11,)]
        assert time.thread_time() - before_s < 5, "the gateway took them apart itself"


async def test_a_mail_over_the_limits_is_an_interaction_that_a_person_gets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parse = MailParsers.events_in_child

    async def too_much(parsers: MailParsers, kind: str, request: RawRequest, region: str) -> Any:
        if b"bomb" in request.body:
            raise UnreadableMail("over the limit of time")
        return await parse(parsers, kind, request, region)

    monkeypatch.setattr(MailParsers, "events_in_child", too_much)
    async with mailroom(tmp_path) as room:
        await room.post(letter("bomb", 1), sender="Eve@Evil.example")
        await room.post(letter("bomb", 2), sender="")
        await room.post(letter("balance", 3))
        await room.answers(1)
        assert sorted(await texts(room)) == [reading.UNREADABLE, reading.UNREADABLE, "balance"]
        assert await room.rows("select state from work_item where reason = 'unreadable_mail'") == [("waiting",)] * 2
        people = [row[0] for row in await room.rows("select value from contact_medium where kind = 'email' order by value")]
        assert people[1:] == [ANNA, EVE]
        assert people[0].endswith("@no-sender.invalid")
        (body,) = (await room.rows("select body from kept_request where state = 'unreadable' order by received_at"))[0]
        assert b"bomb" in room.parley.gateway.blobs.read(body)


async def test_a_child_that_is_killed_by_somebody_is_tried_once_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    do, lost = mail_parsing._Child.do, []

    async def killed(child: Any, job: Any) -> Any:
        if not lost:
            lost.append(job)
            child._process.kill()
        return await do(child, job)

    monkeypatch.setattr(mail_parsing._Child, "do", killed)
    async with mailroom(tmp_path) as room:
        await room.post(letter("balance", 1))
        await room.answers(1)
        assert await texts(room) == ["balance"]
    assert len(lost) == 1


async def test_a_mail_during_which_the_process_ends_again_and_again_goes_to_a_person(tmp_path: Path) -> None:
    async with mailroom(tmp_path) as room:
        gateway = room.parley.gateway
        body = gateway.blobs.keep(b"poison")
        described = '{"method": "MAIL", "url": "", "headers": {"mail-from": "eve@evil.example"}, "received_at": 1, "remote": ""}'

        def unit(tx: Any) -> None:
            kept_requests.keep(tx, "p", "mail", described, body, 1)
            tx.execute("update kept_request set attempts = ? where id = 'p'", (reading.TRIES_MAX,))

        await gateway.store.write(unit)
        gateway.hints.wake("kept_requests")
        await room.read(1)
        assert await room.rows("select state, code from kept_request") == [("unreadable", "ends_the_process")]
        assert await texts(room) == [reading.UNREADABLE]


async def test_a_content_that_is_gone_is_said_so(tmp_path: Path) -> None:
    async with mailroom(tmp_path) as room:
        gateway = room.parley.gateway
        described = '{"method": "MAIL", "url": "", "headers": {"mail-from": "eve@evil.example"}, "received_at": 1, "remote": ""}'
        await gateway.store.write(lambda tx: kept_requests.keep(tx, "g", "mail", described, "0" * 64, 1))
        gateway.hints.wake("kept_requests")
        await room.read(1)
        assert await room.rows("select code from kept_request") == [("content_gone",)]
        assert await texts(room) == [reading.UNREADABLE]


async def test_a_mail_of_a_channel_that_is_gone_waits_for_it(tmp_path: Path) -> None:
    async with mailroom(tmp_path) as room:
        gateway = room.parley.gateway
        body = gateway.blobs.keep(letter("balance", 1))
        described = '{"method": "MAIL", "url": "", "headers": {}, "received_at": 1, "remote": ""}'
        await gateway.store.write(lambda tx: kept_requests.keep(tx, "w", "other", described, body, 1))
        gateway.hints.wake("kept_requests")
        await room.until(lambda: room.rows("select 1 from kept_request where due_at > ?", gateway.clock.now_ms() + 3_000_000))
        assert await room.rows("select state, attempts from kept_request") == [("waiting", 0)]


async def test_a_mail_that_is_found_to_be_a_secret_is_not_kept_as_it_came(tmp_path: Path) -> None:
    async with mailroom(tmp_path) as room:
        raw = letter("4711", 1)
        (said,) = parse(mail_request(raw, sender=ANNA, recipients=(OURS,), at=1), "KE")
        assert isinstance(said, InboundMessage)
        taken_in = ("mail", said.external_id, "earlier", None, 1, MASK, None)
        await room.parley.gateway.store.write(lambda tx: journal.insert(tx, *taken_in))
        for _ in range(2):
            await room.post(raw)
        await room.read(1)
        assert await room.rows("select body from kept_request") == [("",)]


async def test_secrets_of_a_request_are_not_kept(tmp_path: Path) -> None:
    async with mailroom(tmp_path) as room:
        configured = room.parley.gateway.channels["mail"]
        headers = {"authorization": "Basic canary", "cookie": "canary", "mail-from": EVE, "rcpt-to": OURS}
        request = RawRequest("MAIL", f"{configured.webhook_url}?a=b", headers, letter("hi", 1), 1, "127.0.0.1")
        assert await keep(room.parley.gateway, configured, request)
        assert not await keep(room.parley.gateway, configured, request)
        (kept,) = (await room.rows("select request from kept_request"))[0]
        assert "canary" not in kept
        assert configured.secret not in kept
        assert '"?a=b"' in kept


def test_a_mail_as_a_request() -> None:
    made = mail_request(b"x", sender=ANNA, recipients=(OURS, thread_address(OURS, "0" * 20)), at=5, remote="::1")
    assert made.headers == {"mail-from": ANNA, "rcpt-to": f"{OURS}, support+{'0' * 20}@operator.example"}
