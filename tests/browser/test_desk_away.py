"""The desk while the gateway is away: nothing is thrown, nothing is claimed that is not known, and the page finds the truth by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Page, Route, expect

from core.routing import speak
from core.store import agents
from core.store.api import Tx
from tests.browser.conftest import OpenPage
from tests.browser.desk_user import Desk, desk_of
from tests.core.routing.people import new_id
from tests.gateway.desk.test_work import asks_for_an_agent, phone_shows, says
from tests.gateway.running import BEN, Running, running

API = "**/desk/api/**"
Fault = Callable[[Route], Awaitable[None]]


@pytest.fixture
async def parley(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as started:
        yield started


async def away(route: Route) -> None:
    """Nobody takes the request."""
    await route.abort("connectionrefused")


async def dies(route: Route) -> None:
    """The gateway does what it is asked and dies before it answers."""
    await route.fetch()
    await route.abort("connectionreset")


async def dies_behind_a_proxy(route: Route) -> None:
    """The gateway does what it is asked and dies before it answers; a proxy tells so in a page of its own."""
    await route.fetch()
    await route.fulfill(status=502, content_type="text/html", body="<h1>Bad Gateway</h1>")


async def back(page: Page) -> None:
    await page.unroute_all(behavior="wait")


@pytest.mark.long
async def test_lists_and_conversation_are_read_once_the_gateway_is_back(parley: Running, open_page: OpenPage) -> None:
    await asks_for_an_agent(parley)
    desk = await desk_of(parley, open_page)
    page = desk.page
    await desk.claim_first()
    await page.route(API, away)
    async with page.expect_event("requestfailed"):
        await says(parley, "is anybody there?")
    await expect(page.locator(".said.customer .bubble").last).to_have_text("is anybody there?")
    await expect(page.locator(".line", has_text="is anybody there?")).to_have_count(0)
    await back(page)
    await expect(page.locator(".line", has_text="is anybody there?")).to_be_visible()
    await expect(page.locator(".toast")).to_have_count(0)


@pytest.mark.long
async def test_earlier_entries_are_shown_once_the_gateway_is_back(parley: Running, open_page: OpenPage) -> None:
    await asks_for_an_agent(parley)
    [(conversation,)] = await parley.rows("select conversation_id from work_item")
    now = parley.gateway.clock.now_ms()

    def many_notes(tx: Tx) -> None:
        agent = agents.everyone(tx)[0]
        for number in range(120):
            speak.note(tx, conversation, agent, f"note {number}!", cause=new_id(), at=now)

    await parley.gateway.store.write(many_notes)
    desk = await desk_of(parley, open_page)
    page = desk.page
    await page.locator(".line").first.click()
    older = page.get_by_role("button", name="Show earlier")
    await page.route(API, away)
    async with page.expect_event("requestfailed"):
        await older.click()
    await back(page)
    await expect(page.locator(".note .text", has_text="note 0!")).to_be_visible()
    await expect(older).to_have_count(0)
    await expect(page.locator(".toast")).to_have_count(0)


@pytest.mark.long
async def test_a_conversation_that_cannot_be_opened_leaves_the_one_on_the_screen(parley: Running, open_page: OpenPage) -> None:
    await asks_for_an_agent(parley)
    await asks_for_an_agent(parley, BEN)
    desk = await desk_of(parley, open_page)
    page = desk.page
    await desk.claim_first()
    await page.locator("[data-tab=queue]").click()
    title = await page.locator("#title").inner_text()
    await page.route(API, away)
    await page.locator(".line").first.click()
    await expect(page.locator(".toast")).to_have_text("The gateway cannot be reached.")
    await back(page)
    await says(parley, "still me")
    await expect(page.locator(".said.customer .bubble").last).to_have_text("still me")
    assert await page.locator("#title").inner_text() == title
    await page.locator(".line").first.click()
    await expect(page.locator("#title")).not_to_have_text(title)


@pytest.mark.parametrize("fault", [pytest.param(dies, marks=pytest.mark.long), dies_behind_a_proxy])
async def test_a_claim_without_an_answer_is_not_called_undone_and_shows_itself(parley: Running, open_page: OpenPage, fault: Fault) -> None:
    await asks_for_an_agent(parley)
    desk = await desk_of(parley, open_page)
    page = desk.page
    await desk.open_first()
    await page.route(API, away)
    await page.route("**/claim", fault)
    await page.locator("#acts").get_by_role("button", name="Claim").click()
    await expect(page.locator(".toast")).to_contain_text("not known whether this was done")
    await expect(page.get_by_label("Internal note")).to_be_visible()
    await back(page)
    await expect(page.locator("#subtitle")).to_contain_text("With you")
    await expect(page.get_by_label("Reply to the customer")).to_be_visible()
    await expect(page.get_by_role("button", name="Reply", exact=True)).to_have_attribute("aria-pressed", "true")


async def test_a_note_being_written_stays_a_note(parley: Running, open_page: OpenPage) -> None:
    await asks_for_an_agent(parley)
    desk = await desk_of(parley, open_page)
    page = desk.page
    await desk.open_first()
    await page.route(API, away)
    await page.route("**/claim", dies)
    await page.locator("#acts").get_by_role("button", name="Claim").click()
    await page.get_by_label("Internal note").fill("Do not tell the customer")
    await back(page)
    await expect(page.locator("#subtitle")).to_contain_text("With you")
    await expect(page.get_by_label("Internal note")).to_have_value("Do not tell the customer")


async def test_a_note_begun_before_the_claim_is_answered_stays_a_note(parley: Running, open_page: OpenPage) -> None:
    await asks_for_an_agent(parley)
    desk = await desk_of(parley, open_page)
    page = desk.page
    await desk.open_first()
    written = asyncio.Event()

    async def answers_late(route: Route) -> None:
        await written.wait()
        await route.continue_()

    await page.route("**/claim", answers_late)
    await page.locator("#acts").get_by_role("button", name="Claim").click()
    await page.get_by_label("Internal note").fill("Do not tell the customer")
    async with page.expect_response("**/claim"):
        written.set()
    await expect(page.locator("[data-tab=mine]")).to_have_attribute("aria-pressed", "true")
    await expect(page.locator("#subtitle")).to_contain_text("With you")
    await expect(page.get_by_label("Internal note")).to_have_value("Do not tell the customer")


async def test_a_reply_without_an_answer_is_sent_once_however_often_it_is_tried(parley: Running, open_page: OpenPage) -> None:
    await asks_for_an_agent(parley)
    desk = await desk_of(parley, open_page)
    page = desk.page
    await desk.claim_first()
    await page.route("**/reply", dies)
    await desk.send("Your line is fine now.")
    await expect(page.locator(".toast")).to_contain_text("not known whether this was done")
    await back(page)
    await expect(page.get_by_label("Reply to the customer")).to_have_value("Your line is fine now.")
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_label("Reply to the customer")).to_have_value("")
    await desk.send("Your line is fine now.")
    await expect(page.locator(".said.agent")).to_have_count(2)
    assert await parley.rows("select count(*) from message where author = 'agent'") == [(2,)], "typed twice, tried three times"
    await phone_shows(parley, "Your line is fine now.")


async def test_a_note_without_an_answer_is_kept_once_however_often_it_is_tried(parley: Running, open_page: OpenPage) -> None:
    await asks_for_an_agent(parley)
    desk = await desk_of(parley, open_page)
    page = desk.page
    await desk.claim_first()
    await page.locator("#composer").get_by_role("button", name="Note", exact=True).click()
    await page.route("**/note", dies)
    await page.get_by_label("Internal note").fill("Has called twice")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".toast")).to_contain_text("not known whether this was done")
    await back(page)
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_label("Reply to the customer")).to_have_value("")
    assert await parley.rows("select count(*) from event where kind = 'note.added'") == [(1,)], "tried twice"


@pytest.mark.long
async def test_a_page_that_opens_while_the_gateway_is_away_begins_when_it_is_back(parley: Running, open_page: OpenPage) -> None:
    await asks_for_an_agent(parley)
    desk = Desk(await open_page(f"{parley.gateway.url}/desk"))
    await desk.page.route("**/desk/api/lists", away, times=1)
    await desk.sign_in(parley)
    await expect(desk.page.locator(".line")).to_have_count(1)
