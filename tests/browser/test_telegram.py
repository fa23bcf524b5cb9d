"""The phone's Telegram on the front page of the demo: self-service, a hand-over, and what only Telegram has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.desk_user import desk_of
from tests.gateway.running import Running, running

ARRIVED = "select content from message where direction = 'inbound' and content is not null order by seq"


@pytest.fixture
async def parley(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as started:
        yield started


class Telegram:
    """The app as a person uses it."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def open(self) -> None:
        await self.page.get_by_role("tab", name="Telegram").click()

    @property
    def got(self) -> Locator:
        return self.page.locator("#tg-texts .got .bubble")

    @property
    def last(self) -> Locator:
        return self.page.locator("#tg-texts .got").last

    async def write(self, text: str) -> None:
        await self.page.get_by_label("Telegram message").fill(text)
        await self.page.get_by_label("Telegram message").press("Enter")

    async def press(self, label: str) -> None:
        await self.last.get_by_role("button", name=label, exact=True).click()


async def test_self_service_with_a_shared_number(parley: Running, open_page: OpenPage) -> None:
    page = await open_page(parley.gateway.url)
    app = Telegram(page)
    await app.open()
    await page.get_by_role("button", name="Start", exact=True).click()
    await expect(app.last).to_contain_text("How can we help")
    await app.press("Balance")
    await expect(app.last).to_contain_text("phone number")
    await page.get_by_role("button", name="Share my number").click()
    await expect(app.last).to_contain_text("KES")
    await expect(page.locator("#tg-keys")).to_be_hidden()
    await page.get_by_role("button", name="Show raw").first.click()
    await expect(page.locator("#exchanges")).to_contain_text("Telegram update to the webhook")
    await expect(page.locator("#exchanges")).to_contain_text("Telegram through the Bot API")
    secrets = parley.gateway.channels["telegram"].settings
    for row in await page.locator("#exchanges button").all():
        await row.click()
        shown = await page.locator("#exchange").inner_text()
        assert secrets.bot_token not in shown
        assert secrets.webhook_secret[0] not in shown
    assert await parley.rows(
        "select p.customer_no from contact_medium m join party p on p.id = m.party_id where m.kind = 'telegram' and m.valid_to is null"
    ) == [("DEMO-0001",)]


async def test_a_handover_and_the_agents_answer(parley: Running, open_page: OpenPage) -> None:
    page = await open_page(parley.gateway.url)
    app = Telegram(page)
    await app.open()
    await page.get_by_role("button", name="Write agent").last.click()
    await expect(app.got.first).to_be_visible()
    desk = await desk_of(parley, open_page)
    await desk.claim_first()
    await desk.send("Hello, this is Wanjiru. What can I do?")
    await expect(app.last).to_contain_text("this is Wanjiru")
    await app.write("My line is ded")
    line = desk.page.locator(".said.customer .bubble")
    await expect(line.last).to_have_text("My line is ded")
    await page.get_by_role("button", name="Edit My line is ded").click()
    await expect(page.get_by_label("Telegram message")).to_have_value("My line is ded")
    await app.write("My line is dead")
    await expect(line.last).to_have_text("My line is dead")
    await expect(desk.page.locator(".said.customer .meta").last).to_contain_text("Changes what was written before")
    await expect(page.locator("#tg-texts .sent").last).to_contain_text("edited")


async def test_attachments_come_from_a_menu(parley: Running, open_page: OpenPage) -> None:
    page = await open_page(parley.gateway.url, width=390, height=844)
    app = Telegram(page)
    await app.open()
    for name in ("A picture", "A voice note", "A sticker", "A place", "Somebody else’s number"):
        await page.locator("#tg-attach summary").click()
        count = await page.locator("#tg-texts .sent").count()
        await page.get_by_role("button", name=name, exact=True).click()
        await expect(page.locator("#tg-texts .sent")).to_have_count(count + 1)
    async with asyncio.timeout(15):  # each is on the phone before the gateway has it
        with parley.gateway.hints.listen("events") as listener:
            while len(rows := await parley.rows(ARRIVED)) < 5:
                await listener.wait(1)
    kinds = [
        kind for (content,) in rows for kind in ("image", "audio", "location", "contact") if f'"kind":"{kind}"' in content.replace(" ", "")
    ]
    assert kinds == ["image", "audio", "image", "location", "contact"]
