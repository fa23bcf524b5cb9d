"""Mails at the desk: whom they went to, what they quote, how they looked; nothing in them runs, and nothing is fetched from anywhere."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.desk_user import desk_of
from tests.gateway.mail.room import ANNA, Room, mailroom
from tests.security.vectors import EVENTS, REMOTE, VECTORS


def html_mail(html: str, number: int, subject: str, name: str, file: str) -> bytes:
    """Return a mail with a plain form, its HTML and an attachment."""
    return (
        f'From: "{name}" <{ANNA}>\r\nTo: support@operator.example\r\nCc: ben@office.example\r\nSubject: {subject}\r\n'
        f"Message-ID: <h{number}@customer.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n"
        "--m\r\nContent-Type: multipart/alternative; boundary=a\r\n\r\n--a\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
        f"I want to speak to an agent {number}\r\n\r\nOn Thu, 1 Jan 2026, Support wrote:\r\n> {VECTORS[0]}\r\n\r\n"
        f"--a\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>The look of mail {number}</p>{html}\r\n--a--\r\n"
        f'--m\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename="{file}"\r\n\r\nx\r\n--m--\r\n'
    ).encode()


async def handed_over(room: Room) -> None:
    await room.until(lambda: room.rows("select 1 from work_item where state = 'waiting'"))


async def test_nothing_in_a_mail_runs_or_reaches_out(tmp_path: Path, open_page: OpenPage) -> None:
    async with mailroom(tmp_path) as room:
        for number, vectors in enumerate((EVENTS, REMOTE)):
            name, file = VECTORS[4].replace('"', "'"), VECTORS[0].replace('"', "'")
            await room.post(html_mail("\r\n".join(vectors), number, VECTORS[3], name, file))
            await room.read(number + 1)
        await handed_over(room)
        desk = await desk_of(room.parley, open_page)
        await desk.open_first()
        page = desk.page
        await expect(page.locator(".mail-line.subject").first).to_contain_text("<img src=")
        await expect(page.get_by_text("ben@office.example").first).to_be_visible()
        await expect(page.locator(".said .via").first).to_have_text("E-mail")
        for number in range(2):
            said = page.locator(".said.customer").nth(number)
            await said.get_by_text("Quoted text and signature").click()
            await expect(said.locator(".mail-text")).to_contain_text("<script>")
            await said.get_by_text("Show original").click()
            await expect(said.frame_locator(".mail-look").get_by_text(f"The look of mail {number}")).to_be_visible()
        assert await page.evaluate("window.hacked") is None
        frames = page.frames[1:]
        assert len(frames) == 2
        for frame in frames:
            assert await frame.locator("script, img[src], iframe, svg, style, link, form, object, embed, video").count() == 0
