"""Parts of mails that the desk fetches on demand: for agents, of conversations that were handed over, in a frame without rights."""

from __future__ import annotations

from pathlib import Path

from tests.gateway.desk.signed import browser, signed_in
from tests.gateway.mail.room import Room, letter, mailroom

ASKED = (
    "I want to speak to an agent\r\n\r\n"
    "On Thu, 1 Jan 2026, Support <support@operator.example> wrote:\r\n> What can we do?\r\n\r\n-- \r\nAnna"
)


async def message_of(room: Room, number: int) -> str:
    (row,) = await room.rows("select message_id from letter where mail_id = ?", f"a{number}@customer.example")
    return str(row[0])


async def test_a_mail_in_the_timeline_says_whom_it_went_to_and_what_more_there_is(tmp_path: Path) -> None:
    async with mailroom(tmp_path) as room, signed_in(room.parley) as agent:
        await room.post(letter(ASKED, 1, Cc="ben@office.example", Subject="My <b>bill</b>"))
        await room.until(lambda: room.rows("select 1 from work_item"))
        (line,) = (await agent.lists())["queue"]
        document = await agent.conversation(line["conversation"])
        (message,) = [entry["message"] for entry in document["entries"] if entry.get("message", {}).get("author") == "customer"]
        assert message["text"] == "I want to speak to an agent"
        assert message["letter"] == {
            "subject": "My <b>bill</b>",
            "to": ["support@operator.example"],
            "cc": ["ben@office.example"],
            "more": ["quoted", "signature"],
        }
        status, parts = await agent.get(f"/desk/api/messages/{message['id']}/letter")
        assert status == 200
        assert "> What can we do?" in parts["quoted"]
        assert "Anna" in parts["signature"]
        assert (await agent.get(f"/desk/api/messages/{message['id']}/look"))[0] == 404


async def test_the_look_of_a_mail_is_for_a_frame_without_rights(tmp_path: Path) -> None:
    async with mailroom(tmp_path) as room, signed_in(room.parley) as agent:
        html = "<p>speak to an agent</p><script>alert(1)</script><img src=http://192.0.2.1/x>"
        await room.post(letter(html, 1, **{"MIME-Version": "1.0", "Content-Type": "text/html; charset=utf-8"}))
        await room.until(lambda: room.rows("select 1 from work_item"))
        async with agent.http.get(f"{agent.url}/desk/api/messages/{await message_of(room, 1)}/look") as answer:
            text = await answer.text()
            policy = answer.headers["Content-Security-Policy"]
            assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
        assert "speak to an agent" in text
        assert "script" not in text
        assert "192.0.2.1" not in text
        assert policy == "default-src 'none'; sandbox; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"


async def test_a_mail_that_was_not_handed_over_is_nobodys_to_read(tmp_path: Path) -> None:
    async with mailroom(tmp_path) as room, signed_in(room.parley) as agent:
        await room.post(letter("help", 1, **{"Content-Type": "text/html"}))
        await room.read(1)
        message = await message_of(room, 1)
        for path in ("letter", "look"):
            assert (await agent.get(f"/desk/api/messages/{message}/{path}"))[0] == 404
            assert (await agent.get(f"/desk/api/messages/nothing/{path}"))[0] == 404
            async with browser(room.parley) as nobody:
                assert (await nobody.get(f"/desk/api/messages/{message}/{path}"))[0] == 401
