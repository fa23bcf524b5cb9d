"""The page of dead letters as a supervisor uses it: by keyboard, on a phone, in the dark, and when there is nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from playwright.async_api import expect

from core.store import journal, pauses
from tests.browser.conftest import OpenPage
from tests.browser.desk_user import desk_of
from tests.gateway.desk.test_dead_letters import refused_by_provider
from tests.gateway.running import ANNA, Running, running

HOSTILE = "<img src=x onerror=window.hurt=1></pre><script>window.hurt=1</script>"


@pytest.fixture
async def parley(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path, overrides={"channels.sms.replies": "rest"}) as started:
        yield started


async def keep(parley: Running, count: int) -> None:
    now = parley.gateway.clock.now_ms()
    for number in range(count):
        code = "bad_number" if number % 2 else "bad_form"
        row = {"entry_id": f"e{number}", "channel_id": "ussd", "code": code, "raw": HOSTILE.encode(), "request": "{}"}
        unit = partial(journal.keep_unreadable, at=now, **row)
        await parley.gateway.store.write(unit)


async def test_a_supervisor_looks_filters_and_discards_by_keyboard(parley: Running, open_page: OpenPage) -> None:
    await keep(parley, 3)
    await parley.gateway.store.write(lambda tx: pauses.begin(tx, "sms", "provider_down", parley.gateway.clock.now_ms()))
    desk = await desk_of(parley, open_page, "supervisor")
    page = desk.page
    await expect(page.locator("#sending-paused")).to_contain_text("Sending by sms is paused since")
    await expect(page.locator("#dead-letters")).to_have_text("3 dead letters")
    await page.locator("#dead-letters").focus()
    await page.keyboard.press("Enter")
    rows = page.locator("#letters > li")
    await expect(rows).to_have_count(3)
    await rows.first.locator("summary").focus()
    await page.keyboard.press("Enter")
    await expect(rows.first.locator("pre")).to_contain_text("<img src=x onerror")
    await page.get_by_label("Cause").select_option("bad_number")
    await expect(rows).to_have_count(1)
    await page.get_by_label("Choose all 1").focus()
    await page.keyboard.press("Space")
    await expect(page.locator("#picked")).to_have_text("1 of 1 chosen")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator("#why-title")).to_have_text("Discard 1 dead letter")
    await page.keyboard.type("not for us")
    await page.keyboard.press("Enter")
    await expect(page.locator("#done")).to_have_text("1 is discarded.")
    await expect(rows).to_have_count(2)
    settled = await parley.rows("select handled_by, handled_reason from unreadable where handled_at is not null")
    assert settled == [("supervisor", "not for us")]
    assert await page.evaluate("window.hurt") is None


@pytest.mark.long
async def test_a_replay_that_fails_again_stays_and_says_so(parley: Running, open_page: OpenPage) -> None:
    await keep(parley, 1)
    desk = await desk_of(parley, open_page, "supervisor", width=390, height=844, color_scheme="dark")
    page = desk.page
    await page.goto(f"{parley.gateway.url}/desk/dead-letters")
    await page.locator("#letters input").check()
    await page.get_by_role("button", name="Replay").click()
    await expect(page.locator("#done")).to_have_text("1 is read again.")
    await expect(page.locator("#letters h2").first).to_contain_text("Not readable")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_a_message_is_corrected_and_its_mistakes_are_told_in_place(
    parley: Running, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await refused_by_provider(parley, monkeypatch)
    desk = await desk_of(parley, open_page, "supervisor", width=390, height=844)
    page = desk.page
    await page.goto(f"{parley.gateway.url}/desk/dead-letters")
    await page.get_by_role("button", name="Correct").focus()
    await page.keyboard.press("Enter")
    address, text = page.get_by_label("To", exact=True), page.get_by_label("Text", exact=True)
    await expect(address).to_have_value(ANNA)
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await address.fill("nobody")
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(page.locator("#edit-problem")).to_have_text("This is no address that this channel can send to.")
    await address.fill("0700 000 009")
    await text.fill(HOSTILE)
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(page.locator("#done")).to_have_text("It is corrected and sent.")
    await expect(page.locator("#nothing")).to_be_visible()
    assert await parley.rows("select address from message where text = ?", HOSTILE) == [("+254700000009",)]
    assert await page.evaluate("window.hurt") is None


@pytest.mark.long
async def test_nothing_is_said_where_there_is_nothing(parley: Running, open_page: OpenPage) -> None:
    desk = await desk_of(parley, open_page, "supervisor")
    await expect(desk.page.locator("#dead-letters")).to_be_hidden()
    await desk.page.goto(f"{parley.gateway.url}/desk/dead-letters")
    await expect(desk.page.locator("#nothing")).to_be_visible()


@pytest.mark.long
async def test_an_agent_is_shown_none_of_it(parley: Running, open_page: OpenPage) -> None:
    await keep(parley, 1)
    desk = await desk_of(parley, open_page, "agent")
    await expect(desk.page.locator("#dead-letters")).to_have_count(0)
    await expect(desk.page.locator("#account a")).to_have_count(0)
