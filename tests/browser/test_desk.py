"""The desk in a real browser: a day by keyboard, replies over unseen words, restarts, colleagues."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import expect

from gateway.simulator.twilio import Fault
from tests.browser.conftest import OpenPage
from tests.browser.desk_user import desk_of
from tests.gateway.desk.test_work import asks_for_an_agent, phone_shows, says
from tests.gateway.running import ANNA, BEN, Running, running


@pytest.fixture
async def parley(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as started:
        yield started


async def test_a_day_by_keyboard_only(parley: Running, open_page: OpenPage) -> None:
    await asks_for_an_agent(parley)
    desk = await desk_of(parley, open_page)
    page = desk.page
    await desk.claim_first()
    await desk.send("How can I help?")
    await phone_shows(parley, "How can I help?")
    await expect(page.locator(".said.agent .state.ok")).to_have_text("Delivered")
    await page.keyboard.press("Escape")
    await page.keyboard.press("n")
    await desk.send("Asked what it is about")
    await expect(page.locator(".note.internal .text")).to_have_text("Asked what it is about")
    await page.keyboard.press("Escape")
    await page.keyboard.press("e")
    await page.keyboard.press("2")
    await page.keyboard.press("Enter")
    await expect(page.locator("#subtitle")).to_contain_text("Closed")
    await expect(page.locator("[data-tab=mine] .count")).to_have_text("0")
    assert await parley.rows("select state, disposition from work_item") == [("done", "informed")]
    assert await parley.rows("select status, close_reason from interaction") == [("closed", "agent")]
    assert await parley.rows("select count(*) from message where text like 'Asked what%'") == [(0,)], "a note is no message"


async def test_what_the_customer_says_appears_by_itself(parley: Running, open_page: OpenPage) -> None:
    await asks_for_an_agent(parley)
    desk = await desk_of(parley, open_page)
    await desk.claim_first()
    await says(parley, "it is about my bill")
    await expect(desk.page.locator(".said.customer .bubble").last).to_have_text("it is about my bill")
    await expect(desk.page.locator("#live")).to_contain_text("it is about my bill")
    await asks_for_an_agent(parley, BEN)
    await expect(desk.page.locator("[data-tab=queue] .count")).to_have_text("1")


async def test_the_focus_stays_where_it_was_while_lists_change(parley: Running, open_page: OpenPage) -> None:
    await asks_for_an_agent(parley)
    page = (await desk_of(parley, open_page)).page
    for tab in ("mine", "queue"):
        await page.locator(f"[data-tab={tab}]").focus()
        await page.keyboard.press("Enter")
        await expect(page.locator(f"[data-tab={tab}]")).to_have_attribute("aria-pressed", "true")
        await expect(page.locator(f"[data-tab={tab}]")).to_be_focused()
    await page.keyboard.press("j")
    await expect(page.locator("[data-conversation] .name", has_text=ANNA)).to_be_visible()
    await says(parley, "something new")
    await asks_for_an_agent(parley, BEN)
    await expect(page.locator(".line")).to_have_count(2)
    await expect(page.locator(".line", has_text="something new")).to_be_focused()


async def test_a_reply_over_unseen_words_is_shown_them_first(parley: Running, open_page: OpenPage) -> None:
    await asks_for_an_agent(parley)
    desk = await desk_of(parley, open_page)
    page = desk.page
    await desk.claim_first()
    await page.keyboard.type("Your bill is paid")
    await says(parley, "forget the bill, my phone was stolen")
    await page.keyboard.press("Control+Enter")
    warning = page.locator(".outdated")
    await expect(warning).to_contain_text("forget the bill, my phone was stolen")
    assert await parley.rows("select count(*) from message where author = 'agent'") == [(0,)]
    await page.get_by_role("button", name="Send anyway").click()
    await phone_shows(parley, "Your bill is paid")
    await expect(warning).to_be_hidden()


async def test_a_reply_that_was_overtaken_on_its_way_is_held_back_and_offered_again(parley: Running, open_page: OpenPage) -> None:
    assert parley.gateway.demo is not None
    twilio = parley.gateway.demo.twilio
    await asks_for_an_agent(parley)
    desk = await desk_of(parley, open_page)
    page = desk.page
    await desk.claim_first()
    twilio.fault = Fault.DOWN
    await desk.send("first")
    await expect(page.locator(".said.agent")).to_have_count(1)
    await desk.send("second")
    await expect(page.locator(".said.agent")).to_have_count(2)
    await says(parley, "wait")
    twilio.fault = Fault.OK
    held = page.locator(".said.agent", has_text="second").first
    await expect(held).to_contain_text("Not sent: newer message", timeout=30_000)
    await held.get_by_role("button", name="Send anyway").click()
    await phone_shows(parley, "second")
    await expect(held).to_contain_text("sent again below")
    rows = await parley.rows("select m.text, m.status, o.attempts, o.repeated from message m join outbox o on o.message_id = m.id")
    assert [message.body for message in twilio.messages(ANNA)].count("second") == 1, rows


async def test_after_a_restart_of_the_gateway_the_page_goes_on_by_itself(tmp_path: Path, open_page: OpenPage) -> None:
    async with running(tmp_path) as parley:
        port = urlsplit(parley.gateway.url).port
        await asks_for_an_agent(parley)
        desk = await desk_of(parley, open_page)
        page = desk.page
        await desk.claim_first()
        await page.keyboard.type("half a sentence")
    await expect(page.locator("#connection")).to_contain_text("Reconnecting")
    async with running(tmp_path, overrides={"server.port": port}) as parley:
        await says(parley, "are you there?")
        await expect(page.locator("#connection")).to_have_text("Live", timeout=15_000)
        await says(parley, "hello?")
        bubbles = page.locator(".said.customer .bubble")
        await expect(bubbles.last).to_have_text("hello?")
        texts = await bubbles.all_text_contents()
        assert [text for text in texts if text.endswith("?")] == ["are you there?", "hello?"]
        await expect(page.get_by_label("Reply to the customer")).to_have_value("half a sentence")


async def test_drafts_survive_leaving_the_page(parley: Running, open_page: OpenPage) -> None:
    await asks_for_an_agent(parley)
    desk = await desk_of(parley, open_page)
    page = desk.page
    await desk.claim_first()
    await page.keyboard.type("Dear custo")
    await page.reload()
    await page.locator("[data-tab=mine]").click()
    await page.locator(".line").first.click()
    await expect(page.get_by_label("Reply to the customer")).to_have_value("Dear custo")


async def test_a_supervisor_takes_over_and_the_agent_sees_who_has_it(parley: Running, open_page: OpenPage) -> None:
    await asks_for_an_agent(parley)
    desk = await desk_of(parley, open_page)
    await desk.claim_first()
    boss = await desk_of(parley, open_page, "supervisor")
    await boss.page.keyboard.press("g")
    await boss.page.keyboard.press("t")
    await boss.page.locator(".line").first.click()
    await expect(desk.page.locator("#subtitle")).to_have_attribute("data-viewers", "Demo Supervisor is looking too")
    await boss.page.get_by_role("button", name="Take over").click()
    await expect(boss.page.locator("#subtitle")).to_contain_text("With you")
    await expect(desk.page.locator("#subtitle")).to_contain_text("With Demo Supervisor")
    await expect(desk.page.locator(".composer .closed")).to_contain_text("Demo Supervisor has this conversation")


async def test_a_supervisor_allows_codes_again_beside_the_conversation(parley: Running, open_page: OpenPage) -> None:
    conversation = await asks_for_an_agent(parley)
    lock = "insert into code_lock (party_id, failures, locked_at) select party_id, 100, 5 from conversation where id = ?"
    await parley.gateway.store.write(lambda tx: tx.execute(lock, (conversation,)))
    now = parley.gateway.clock.now_ms()
    stop = "insert into code_stop (range, until) values ('+2547001', ?)"
    await parley.gateway.store.write(lambda tx: tx.execute(stop, (now + 3_600_000,)))
    agent = await desk_of(parley, open_page)
    await agent.open_first()
    await expect(agent.page.locator("#codes-locked")).to_contain_text("A supervisor can allow them again.")
    supervisor = await desk_of(parley, open_page, "supervisor")
    await expect(supervisor.page.locator("#sending-paused")).to_contain_text("No codes are sent to numbers that begin with +2547001")
    await supervisor.open_first()
    await supervisor.page.get_by_role("button", name="Allow codes again").click()
    await expect(supervisor.page.locator("#codes-locked")).to_have_count(0)
    assert await parley.rows("select * from code_lock") == []
    await expect(agent.page.locator("#timeline")).to_contain_text("supervisor lets this person have codes again")
