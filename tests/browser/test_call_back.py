"""An agent calls a customer back: a button at the desk, a phone that rings, and at the desk what becomes of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.desk_user import Desk, desk_of
from tests.browser.phone_user import Call
from tests.gateway.running import Running, running

NUMBER = "+254711082000"


@pytest.fixture
async def parley(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as started:
        yield started


async def asked_for(page: Page, parley: Running, open_page: OpenPage, **desk_options: int) -> Desk:
    """Let a caller ask for a call back, and an agent take that work."""
    call = Call(page)
    await call.dial(NUMBER)
    await call.hears("For an agent, press 5")
    await call.press("5")
    await page.get_by_role("button", name="No answer").click()
    await call.hears("For a call back, press 2")
    await call.press("2")
    await call.is_("ended")
    await page.get_by_role("button", name="Close").click()
    desk = await desk_of(parley, open_page, **desk_options)
    await desk.claim_first()
    return desk


@pytest.mark.parametrize("width", [1280, pytest.param(390, marks=pytest.mark.long)])
async def test_a_click_calls_and_the_customer_who_answers_is_put_through(parley: Running, open_page: OpenPage, width: int) -> None:
    page = await open_page(parley.gateway.url)
    desk = await asked_for(page, parley, open_page, width=width, height=800)
    await desk.page.get_by_role("button", name="Call back").click()
    await expect(desk.page.get_by_label("What is said first")).to_have_value("Hello, we are calling you back about your request.")
    await expect(desk.page.get_by_role("dialog")).to_contain_text("put through to your phone, +254711082112")
    await expect(desk.page.get_by_role("button", name="Call now")).to_be_focused()
    await desk.page.keyboard.press("Enter")
    state = desk.page.locator(".said.agent .state").last
    await expect(state).to_have_text("Ringing")
    incoming = page.get_by_role("group", name="The phone rings")
    await expect(incoming).to_be_visible()
    await incoming.get_by_role("button", name="Answer", exact=True).click()
    await Call(page).hears("Hello, we are calling you back about your request.")
    await expect(state).to_have_text("Answered")
    await expect(desk.page.locator(".system").last).to_contain_text("The customer answered the call")
    agent = page.get_by_role("group", name="An agent’s phone")
    await agent.get_by_role("button", name="Answer", exact=True).click()
    await expect(agent).to_contain_text("Press 1 to take the call")
    await agent.get_by_role("button", name="Press 1").click()
    await Call(page).is_("talk")
    await agent.get_by_role("button", name="Agent hangs up").click()
    await Call(page).is_("ended")
    await expect(desk.page.locator(".system").last).to_contain_text("Call: they talked")


@pytest.mark.parametrize(
    ("button", "state", "told"),
    [
        pytest.param("Decline", "Not answered", "Call not answered: the customer is on the phone", marks=pytest.mark.long),
        pytest.param("Let it ring", "Not answered", "Call not answered: nobody picked up", marks=pytest.mark.long),
        ("A machine answers", "Answered", "An answering machine took the call and was told your words"),
    ],
)
async def test_the_desk_shows_what_became_of_a_call(parley: Running, open_page: OpenPage, button: str, state: str, told: str) -> None:
    page = await open_page(parley.gateway.url)
    desk = await asked_for(page, parley, open_page)
    await desk.page.keyboard.press("Escape")
    await desk.page.keyboard.press("c")
    await desk.page.get_by_role("button", name="Call now").click()
    await page.get_by_role("button", name=button).click()
    await Call(page).is_("ended")
    await expect(desk.page.locator(".said.agent .state").last).to_have_text(state)
    await expect(desk.page.locator(".system").last).to_contain_text(told)
    await desk.page.reload()
    await desk.page.keyboard.press("g")
    await desk.page.keyboard.press("m")
    await desk.open_first()
    await expect(desk.page.locator(".system", has_text=told)).to_have_count(1)
