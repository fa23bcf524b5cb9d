"""The front page of the demo, used as a newcomer would: a phone, a chat and the desk beside each other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.chat_user import Chat
from tests.browser.conftest import OpenPage
from tests.browser.phone_user import Phone
from tests.gateway.running import ANNA, BEN, Running, running


@pytest.fixture
async def parley(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as started:
        yield started


async def test_the_first_things_to_try_work_at_once(parley: Running, open_page: OpenPage) -> None:
    page = await open_page(parley.gateway.url)
    phone = Phone(page)
    await expect(page.locator("#nothing")).to_be_visible()
    await page.get_by_role("button", name="Text balance").click()
    await expect(phone.sent).to_have_text(["balance"])
    await expect(phone.got.first).to_contain_text("KES")
    await expect(page.locator("#nothing")).to_be_hidden()
    await page.get_by_role("button", name="Dial *384*100#").click()
    await phone.shows("1 Balance")
    await page.get_by_role("button", name="Open the chat").click()
    await Chat(page.frame_locator("#shop")).greeted()
    await page.get_by_role("button", name="Sign in as agent").click()
    await expect(page.frame_locator("#desk-frame").locator("#connection")).to_have_text("Live")


async def test_a_ussd_session_shows_its_time_and_ends(parley: Running, open_page: OpenPage) -> None:
    page = await open_page(parley.gateway.url)
    phone = Phone(page)
    await phone.dial("*384*100#")
    await expect(page.locator("#session-time .left")).to_contain_text("left")
    await phone.answer("1")
    await phone.shows("KES")
    await page.get_by_role("button", name="Cancel").or_(page.get_by_role("button", name="OK")).first.click()
    await expect(page.locator("#session")).to_be_hidden()
    await phone.dial("*100#")
    await phone.shows("invalid MMI code")
    assert await parley.rows("select count(*) from interaction where channel_id = 'ussd'") == [(1,)]


async def test_keys_type_and_erase(parley: Running, open_page: OpenPage) -> None:
    page = await open_page(parley.gateway.url)
    await page.get_by_role("tab", name="Dial").click()
    for key in "*384#":
        await page.locator(f'[data-key="{key}"]').click()
    await page.get_by_role("button", name="Erase the last digit").click()
    await expect(page.get_by_label("Number to dial")).to_have_value("*384")


async def test_a_text_that_comes_while_dialling_is_announced(parley: Running, open_page: OpenPage) -> None:
    page = await open_page(parley.gateway.url)
    phone = Phone(page)
    await page.get_by_role("tab", name="Dial").click()
    assert parley.gateway.demo is not None
    await parley.gateway.demo.twilio.deliver(ANNA, "+254711082000", "balance")
    banner = page.locator("#banner")
    await expect(banner).to_contain_text("KES")
    await expect(page.locator("[data-app=messages] [data-unread]")).to_have_text("1")
    await banner.click()
    await expect(phone.got.first).to_contain_text("KES")
    await expect(page.locator("[data-app=messages] [data-unread]")).to_be_hidden()


async def test_each_number_is_a_phone_of_its_own(parley: Running, open_page: OpenPage) -> None:
    page = await open_page(parley.gateway.url)
    phone = Phone(page)
    await phone.text("balance")
    await expect(phone.got).to_have_count(1)
    await page.locator("#msisdn").select_option(BEN)
    await expect(phone.got).to_have_count(0)
    await page.locator("#msisdn").select_option(ANNA)
    await expect(phone.got).to_have_count(1)
    await page.locator("#msisdn").select_option("")
    await page.get_by_label("Phone number").fill("+254 711 222 333")
    await page.get_by_role("button", name="Use it").click()
    await phone.text("balance")
    await expect(phone.got).to_have_count(1)
    assert await parley.rows("select count(distinct party_id) from interaction") == [(2,)]


async def test_what_goes_over_the_wire_is_shown_on_request(parley: Running, open_page: OpenPage) -> None:
    page = await open_page(parley.gateway.url)
    phone = Phone(page)
    await page.get_by_role("button", name="Text balance").click()
    await expect(phone.got).to_have_count(1)
    drawer = page.get_by_role("complementary", name="Raw exchange")
    await page.locator("[data-raw=phone]").click()
    await drawer.get_by_role("button", name="SMS to the webhook").click()
    await expect(drawer.locator("pre").first).to_contain_text("X-Twilio-Signature:")
    await expect(drawer.locator("pre").first).to_contain_text("Body=balance")
    await expect(drawer.locator("pre").last).to_contain_text("HTTP/1.1 200 OK")
    await phone.dial("*384*100#")
    await expect(drawer.locator("pre").first).to_contain_text("serviceCode=%2A384%2A100%23")
    await expect(drawer.locator("pre").last).to_contain_text("CON ")
    await page.get_by_role("button", name="Cancel").click()
    await expect(drawer.get_by_role("button", name="USSD session end")).to_have_count(1)
    await page.locator("[data-raw=phone]").click()
    await expect(drawer).to_be_hidden()

    await page.locator("[data-raw=chat]").click()
    chat = Chat(page.frame_locator("#shop"))
    await chat.open()
    await chat.greeted()
    for row in ("hello", "ready", "message"):
        await expect(drawer.locator(".exchanges button", has_text=row).first).to_be_visible()
    await page.keyboard.press("Escape")


async def test_a_slow_billing_system_ends_the_screen_and_answers_by_text(parley: Running, open_page: OpenPage) -> None:
    page = await open_page(parley.gateway.url)
    phone = Phone(page)
    await page.get_by_role("radio", name="Slow").click()
    await expect(page.get_by_role("radio", name="Slow")).to_be_checked()
    await phone.dial("*384*100*1#")
    await phone.shows("We will text you")
    await page.get_by_role("button", name="OK").click()
    await page.get_by_role("radio", name="Works").click()
    await page.get_by_role("tab", name="Messages").click()
    await expect(phone.got.first).to_contain_text("KES")


async def test_the_phone_goes_on_after_a_restart(tmp_path: Path, open_page: OpenPage) -> None:
    async with running(tmp_path) as parley:
        port = int(parley.gateway.url.rpartition(":")[2])
        page = await open_page(parley.gateway.url)
        phone = Phone(page)
        await phone.text("balance")
        await expect(phone.got).to_have_count(1)
    await phone.text("are you there?")
    await expect(page.locator("#texts .refused")).to_contain_text("does not answer")
    await expect(page.get_by_label("Text message")).to_have_value("are you there?")
    async with running(tmp_path, overrides={"server.port": port}):
        await expect(page.locator("#texts .refused")).to_have_count(0)
        await expect(phone.got).to_have_count(1)
        await page.get_by_label("Text message").press("Enter")
        await expect(phone.got).to_have_count(2)


async def test_light_and_dark_reach_the_frames(parley: Running, open_page: OpenPage) -> None:
    page = await open_page(parley.gateway.url, color_scheme="light")
    light = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    await page.get_by_role("button", name="Light or dark").click()
    assert await page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    await expect(page.frame_locator("#desk-frame").locator("html")).to_have_attribute("data-theme", "dark")
    await expect(page.frame_locator("#shop").locator("html")).to_have_attribute("data-theme", "dark")
    await page.reload()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")


@pytest.mark.parametrize(
    ("width", "height"),
    [(1280, 720), (390, 844), *(pytest.param(*size, marks=pytest.mark.long) for size in ((1600, 1000), (320, 640), (640, 360)))],
)
async def test_nothing_is_wider_than_the_screen_and_every_device_can_be_reached(
    parley: Running, open_page: OpenPage, width: int, height: int
) -> None:
    page = await open_page(parley.gateway.url, width=width, height=height)
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    for tab, device in (("Web chat", "#shop"), ("Desk", "#desk-frame"), ("Phone", ".handset")):
        if await page.get_by_role("tab", name=tab, exact=True).is_visible():
            await page.get_by_role("tab", name=tab, exact=True).click()
        box = await page.locator(device).bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["height"] >= 200
