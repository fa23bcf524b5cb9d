"""A caller waits in a queue: the desk says so, an agent claims the work with one key, and their phone rings on the simulator's page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.desk_user import Desk, desk_of
from tests.browser.phone_user import Call
from tests.gateway.running import Running, running

NUMBER = "+254711082000"
PHONE = "+254711082112"


@pytest.fixture
async def parley(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as started:
        yield started


async def in_queue(parley: Running, open_page: OpenPage, **options: int) -> tuple[Call, Desk]:
    """Let somebody ask for a person in the middle of a fault report, while an agent is at the desk."""
    desk = await desk_of(parley, open_page, **options)
    call = Call(await open_page(parley.gateway.url, **options))
    await call.dial(NUMBER)
    await call.hears("How can we help?")
    await call.say("report a fault")
    await call.hears("What does not work?")
    await call.press("0")
    await call.is_("queue")
    await call.hears("You are number 1 in the queue.")
    return call, desk


def phone_of(page: Page) -> Locator:
    return page.get_by_role("group", name="An agent’s phone")


@pytest.mark.parametrize("width", [1280, pytest.param(390, marks=pytest.mark.long)])
async def test_an_agent_claims_and_talks_to_the_caller(parley: Running, open_page: OpenPage, width: int) -> None:
    call, desk = await in_queue(parley, open_page, width=width, height=844)
    await expect(desk.page.locator(".line").first).to_contain_text("On the phone")
    await desk.claim_first()
    await expect(desk.page.get_by_text("Your phone rings. Press 1 there to talk to the caller.")).to_be_visible()
    await call.hears("Thank you for waiting. A colleague is taking your call.")
    phone = phone_of(call.page)
    await expect(phone).to_contain_text(f"{PHONE} rings")
    await phone.get_by_role("button", name="Answer", exact=True).click()
    await expect(phone).to_contain_text("A call about fault report. Press 1 to take it.")
    await phone.get_by_role("button", name="Press 1").click()
    await call.is_("talk")
    await expect(desk.page.locator(".system").last).to_contain_text("Call: taken")
    await phone.get_by_role("button", name="Agent hangs up").click()
    await call.is_("ended")
    await expect(desk.page.locator(".system").last).to_contain_text("Call: they talked")
    await expect(desk.page.locator("#subtitle")).to_contain_text("With you")


@pytest.mark.long
async def test_an_agent_who_does_not_answer_gives_the_caller_back(parley: Running, open_page: OpenPage) -> None:
    call, desk = await in_queue(parley, open_page)
    await desk.claim_first()
    await phone_of(call.page).get_by_role("button", name="No answer").click()
    await call.is_("queue")
    await call.hears("You are number 1 in the queue.")
    await expect(call.page.locator("#subtitles")).to_contain_text("Sorry, our colleague did not answer. Please stay on the line.")
    await expect(desk.page.locator("#subtitle")).to_contain_text("Waiting since")
    await expect(desk.page.locator(".system", has_text="Call: nobody took the call")).to_have_count(1)


async def test_a_caller_leaves_the_queue_and_is_offered_a_call_back(parley: Running, open_page: OpenPage) -> None:
    call, desk = await in_queue(parley, open_page)
    await call.pass_time(40)
    await expect(call.page.locator("#subtitles .said", has_text="You are number 1 in the queue.")).to_have_count(2)
    await call.press("1")
    await call.hears("For a call back, press 2.")
    await call.press("2")
    await call.is_("ended")
    await expect(desk.page.locator(".line").first).to_contain_text("Fault report")
    await desk.open_first()
    await expect(desk.page.locator(".system", has_text="Call: the caller left the queue")).to_have_count(1)


@pytest.mark.long
async def test_who_calls_again_hears_since_when_they_wait_and_leaves_a_message(parley: Running, open_page: OpenPage) -> None:
    call, desk = await in_queue(parley, open_page)
    await call.page.get_by_role("button", name="Hang up").click()
    await call.is_("ended")
    await call.page.get_by_role("button", name="Close").click()
    await call.page.get_by_role("button", name="Dial", exact=True).click()
    await call.hears("Your request has been waiting for a colleague since")
    await call.hears("For leaving a message, press 2.")
    await call.press("2")
    await call.is_("record")
    await call.page.get_by_role("button", name="Stop recording").click()
    await call.is_("ended")
    await desk.open_first()
    await expect(desk.page.locator("audio")).to_have_count(1)
    await expect(desk.page.locator("#tabs")).to_contain_text("Queue1")


@pytest.mark.long
async def test_a_phone_that_stops_ringing_shows_a_missed_call_and_one_that_is_answered_does_not(
    parley: Running, open_page: OpenPage
) -> None:
    call, desk = await in_queue(parley, open_page)
    await call.page.get_by_role("button", name="Hang up").click()
    await call.is_("ended")
    await desk.claim_first()
    await desk.page.keyboard.press("Escape")
    for button, told in (("Cancelled", "the call was cancelled"), ("Not reachable", "the number could not be reached")):
        await desk.page.keyboard.press("c")
        await desk.page.get_by_role("button", name="Call now").click()
        await call.page.get_by_role("button", name=button).click()
        await call.is_("ended")
        await expect(desk.page.locator(".system").last).to_contain_text(told)
    await desk.page.keyboard.press("c")
    await desk.page.get_by_role("button", name="Call now").click()
    await call.page.get_by_role("group", name="The phone rings").get_by_role("button", name="Answer", exact=True).click()
    await call.hears("Hello, we are calling you back about your request.")
    await expect(call.page.locator("#subtitles", has_text="Missed call")).to_have_count(0)
