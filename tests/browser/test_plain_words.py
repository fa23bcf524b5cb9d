"""What a newcomer and a picky reader would mark down: codes instead of words, keys that cannot be switched off, cut and lost things."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from gateway.simulator.sounds import voice_note
from tests.browser.conftest import OpenPage
from tests.browser.desk_user import desk_of
from tests.browser.phone_user import Mailbox, Phone
from tests.gateway.desk.test_work import asks_for_an_agent
from tests.gateway.media.provider import Provider, account_path, gateway_at, sends_mms, settled
from tests.gateway.running import Running, running

NAIROBI = "Africa/Nairobi"
LISTEN = """() => {
  window.told = [];
  const heard = (changes) => changes.forEach((one) => one.addedNodes.forEach((node) => told.push(node.textContent)));
  new MutationObserver(heard).observe(document.getElementById("live"), { childList: true });
}"""

pytestmark = pytest.mark.long  # how pages read and look in detail


@pytest.fixture
async def parley(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as started:
        yield started


async def left_of(page: Page, selector: str) -> float:
    box = await page.locator(selector).bounding_box()
    assert box is not None
    return box["x"]


async def test_the_desk_says_why_and_how_it_ended_in_words(parley: Running, open_page: OpenPage) -> None:
    await asks_for_an_agent(parley)
    desk = await desk_of(parley, open_page, timezone_id=NAIROBI)
    page = desk.page
    await expect(page.locator(".line .why")).to_have_text("Asked for a person")
    await desk.claim_first()
    await expect(page.locator("#timeline")).to_contain_text("Handed over to the queue General: Asked for a person")
    assert "GMT+3" in (await page.locator("#timeline time").first.get_attribute("title") or "")
    await page.keyboard.press("Escape")
    await page.keyboard.press("e")
    await page.keyboard.press("2")
    await page.keyboard.press("Enter")
    await expect(page.locator("#timeline")).to_contain_text("closed the conversation: Question answered")
    await expect(page.locator("#side .contacts .badge").first).to_have_text("Question answered")
    assert "nformed" not in await page.locator("main").inner_text()
    await page.locator("#account summary").click()
    await expect(page.locator("#zone")).to_have_text(f"Times are those of {NAIROBI} (GMT+3)")


async def test_what_a_dialog_hands_over_names_it_and_no_step_of_its_own_making(parley: Running, open_page: OpenPage) -> None:
    await asks_for_an_agent(parley)
    card = '{"wanted": "Talk to an agent", "reason": "flow:talk_to_agent", "flow": "talk_to_agent", "step": "%s"}'
    await parley.gateway.store.write(
        lambda tx: tx.execute("update work_item set reason = 'flow:talk_to_agent', card = ?", (card % "0_link_pattern_human_handoff",))
    )
    desk = await desk_of(parley, open_page)
    await desk.open_first()
    names = desk.page.locator("#side dl").first.locator("dt")
    await expect(names).to_have_text(["Wanted", "Dialog", "Queue", "Since"])
    await parley.gateway.store.write(
        lambda tx: tx.execute(
            "update work_item set reason = 'slot:amount:invalid', card = ?", (card.replace("flow:talk", "slot:talk") % "2_collect_amount",)
        )
    )
    await desk.page.reload()
    await desk.open_first()
    await expect(names).to_have_text(["Wanted", "Why", "Dialog", "At step", "Queue", "Since"])
    await expect(desk.page.locator("#side")).to_contain_text("Collect amount")
    await expect(desk.page.locator("#side")).to_contain_text("No usable answer: Talk to agent")


async def test_single_keys_can_be_switched_off_for_good(parley: Running, open_page: OpenPage) -> None:
    await asks_for_an_agent(parley)
    page = (await desk_of(parley, open_page)).page
    await expect(page.locator(".line")).to_be_visible()
    await page.keyboard.press("?")
    await page.get_by_label("Single keys act").uncheck()
    await page.get_by_role("button", name="Close", exact=True).click()
    for _ in range(2):
        await page.keyboard.press("j")
        await expect(page.locator(".line")).not_to_be_focused()
        await page.reload()
        await expect(page.locator(".line")).to_be_visible()
    await page.get_by_role("button", name="Keyboard shortcuts").click()
    await page.get_by_label("Single keys act").check()
    await page.keyboard.press("Escape")
    await page.keyboard.press("j")
    await expect(page.locator(".line")).to_be_focused()


async def test_enter_in_a_field_of_a_dialog_does_not_cancel_it(parley: Running, open_page: OpenPage) -> None:
    page = (await desk_of(parley, open_page, "admin")).page
    await page.locator("#account summary").click()
    await page.get_by_role("button", name="Change my password").click()
    await page.get_by_label("Old password").fill("not the old one")
    await page.get_by_label("New password").fill("correct horse battery")
    await page.keyboard.press("Enter")
    await expect(page.locator("dialog .problem")).to_be_visible()
    await page.goto(f"{parley.gateway.url}/desk/agents")
    row = page.get_by_role("row").filter(has_text="Demo Supervisor")
    await row.get_by_role("button", name="phone").click()
    await page.get_by_label("Phone number").fill("+254711000999")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_contain_text("+254711000999")
    await expect(row).to_contain_text("+254711000999")
    await row.get_by_role("button", name="Set password").click()
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.locator("#reset")).to_be_hidden()


async def test_accounts_fit_on_a_phone(parley: Running, open_page: OpenPage) -> None:
    page = (await desk_of(parley, open_page, "admin", width=390, height=844)).page
    await page.goto(f"{parley.gateway.url}/desk/agents")
    row = page.get_by_role("row").filter(has_text="Demo Agent")
    await expect(row.get_by_role("button", name="Disable")).to_be_in_viewport(ratio=1)
    assert await page.locator(".table-card").evaluate("(box) => box.scrollWidth <= box.clientWidth")


async def test_a_lost_connection_is_told_once_not_each_second(parley: Running, open_page: OpenPage) -> None:
    page = (await desk_of(parley, open_page)).page
    await page.evaluate(LISTEN)
    assert await page.locator("#connection").get_attribute("role") is None
    await page.context.set_offline(True)
    await page.evaluate("window.dispatchEvent(new Event('online'))")  # the page tries at once, in vain
    await expect(page.locator("#connection")).to_contain_text("Reconnecting")
    await expect(page.locator("#connection")).to_have_text(re.compile(r"\b([2-9]|\d\d+) s old"))
    await page.context.set_offline(False)
    await expect(page.locator("#connection")).to_have_text("Live")
    lost = "The connection is lost; the page connects again by itself"
    assert await page.evaluate("told") == [lost, "Connected"]


async def test_what_went_wrong_is_said_beside_what_one_writes_not_over_it(parley: Running, open_page: OpenPage) -> None:
    await asks_for_an_agent(parley)
    desk = await desk_of(parley, open_page)
    await desk.claim_first()
    await desk.page.context.set_offline(True)
    await desk.send("Good morning")
    toast = await desk.page.locator(".toast").bounding_box()
    composer = await desk.page.locator("#composer").bounding_box()
    assert toast is not None
    assert composer is not None
    assert toast["y"] + toast["height"] < composer["y"]


async def test_who_comes_back_while_nobody_waits_sees_the_own_work(parley: Running, open_page: OpenPage) -> None:
    await asks_for_an_agent(parley)
    desk = await desk_of(parley, open_page)
    await desk.claim_first()
    await desk.page.reload()
    await expect(desk.page.locator(".line")).to_be_visible()
    await expect(desk.page.locator('[data-tab="mine"]')).to_have_attribute("aria-pressed", "true")


async def test_what_cannot_be_played_is_offered_as_a_file(tmp_path: Path, open_page: OpenPage) -> None:
    async with Provider().running() as provider, gateway_at(provider, tmp_path) as parley:
        sounds = {"whole": voice_note(2), "broken": voice_note(2)[:64]}
        paths = {account_path(parley, name): content for name, content in sounds.items()}
        provider.files |= paths
        await sends_mms(parley, provider, *paths, text="agent")
        await settled(parley)
        page = (await desk_of(parley, open_page)).page
        await page.locator(".line").first.click()
        figures = page.locator(".attachment")
        await expect(figures.nth(0).locator("audio")).to_have_js_property("duration", 2)
        await expect(figures.nth(1)).to_contain_text("It cannot be played here; save it")
        await expect(figures.nth(1).locator("a.file")).to_be_visible()


async def test_what_was_copied_is_said(parley: Running, open_page: OpenPage) -> None:
    await asks_for_an_agent(parley)
    desk = await desk_of(parley, open_page, permissions=["clipboard-read", "clipboard-write"])
    await desk.open_first()
    copy = desk.page.locator("#side .addresses button").first
    await copy.click()
    await expect(copy).to_have_text("Copied")
    await expect(copy).to_have_text("Copy")


async def test_on_a_phone_each_place_has_the_whole_width(parley: Running, open_page: OpenPage) -> None:
    page = await open_page(parley.gateway.url, width=390, height=844)
    await expect(page.get_by_text("Billing system")).to_be_visible()
    edge = await left_of(page, "#phone")
    for name, selector in (("Web chat", "#web"), ("Desk", "#desk")):
        await page.get_by_role("tab", name=name, exact=True).click()
        assert await left_of(page, selector) == edge
        for tip in await page.locator(f"{selector} .tip").all():
            await expect(tip).to_be_in_viewport(ratio=1)


async def test_rows_of_choices_are_walked_with_the_arrows(parley: Running, open_page: OpenPage) -> None:
    page = await open_page(parley.gateway.url, width=1024, height=768)
    await page.get_by_role("radio", name="Works").focus()
    await page.keyboard.press("ArrowRight")
    await expect(page.get_by_role("radio", name="Slow")).to_be_checked()
    await expect(page.get_by_role("radio", name="Slow")).to_be_focused()
    await expect(page.locator('[data-bss][tabindex="0"]')).to_have_count(1)
    await page.get_by_role("tab", name="Phone", exact=True).focus()
    await page.keyboard.press("ArrowLeft")
    await expect(page.get_by_role("tab", name="Desk", exact=True)).to_be_focused()
    await expect(page.locator("#desk")).to_be_visible()
    await page.keyboard.press("ArrowRight")
    await page.get_by_role("tab", name="Messages").focus()
    await page.keyboard.press("ArrowRight")
    await expect(page.locator("#dialler")).to_be_visible()


async def test_another_number_is_entered_by_keyboard_and_escape_keeps_the_one_in_use(parley: Running, open_page: OpenPage) -> None:
    page = await open_page(parley.gateway.url)
    chooser = page.get_by_label("Number of this phone")
    await chooser.select_option("")
    await page.get_by_role("textbox", name="Phone number").fill("+254 799 000 123")
    await page.keyboard.press("Enter")
    await expect(chooser).to_have_value("+254799000123")
    first = await chooser.locator("option").first.get_attribute("value")
    assert first
    await chooser.select_option(first)
    await chooser.select_option("")
    await expect(page.get_by_role("textbox", name="Phone number")).to_have_value("")
    await page.keyboard.press("Escape")
    await expect(chooser).to_have_value(first)


async def test_behind_a_session_nothing_can_be_reached_and_the_focus_comes_back(parley: Running, open_page: OpenPage) -> None:
    page = await open_page(parley.gateway.url)
    phone = Phone(page)
    await phone.dial("*384*100#")
    await phone.shows("1 Balance")
    assert await page.locator(".apps").evaluate("(box) => box.inert")
    await page.keyboard.press("Escape")
    await expect(page.locator("#session")).to_be_hidden()
    await expect(page.get_by_label("Number to dial")).to_be_focused()
    assert not await page.locator(".apps").evaluate("(box) => box.inert")


async def test_a_mail_on_the_phone_says_when_it_came_and_where_one_went(parley: Running, open_page: OpenPage) -> None:
    page = await open_page(parley.gateway.url, timezone_id=NAIROBI)
    mailbox = Mailbox(page)
    await mailbox.open()
    await mailbox.write("My bill", "I do not understand it.")
    await expect(page.locator("#mails")).to_contain_text("To help@demo-telecom.example")
    await mailbox.read("colleague")
    await expect(page.locator("#letter-at")).to_contain_text("GMT+3")


async def test_the_voice_note_of_the_phone_can_be_played_at_the_desk(parley: Running, open_page: OpenPage) -> None:
    page = await open_page(parley.gateway.url)
    await page.get_by_role("tab", name="Telegram").click()
    await page.get_by_role("button", name="Write agent").click()
    await expect(page.locator("#tg-texts .got").first).to_be_visible()
    await page.locator("#tg-attach summary").click()
    await page.get_by_role("button", name="A voice note").click()
    desk = await desk_of(parley, open_page)
    await desk.open_first()
    await expect(desk.page.locator("audio")).to_have_js_property("duration", 2)


async def test_the_drawer_gives_the_focus_back(parley: Running, open_page: OpenPage) -> None:
    page = await open_page(parley.gateway.url)
    await page.locator("[data-raw=phone]").focus()
    await page.keyboard.press("Enter")
    await page.locator("#drawer-close").focus()
    await page.keyboard.press("Escape")
    await expect(page.locator("[data-raw=phone]")).to_be_focused()


@pytest.mark.parametrize("path", ["/", "/desk", "/desk/agents", "/desk/dead-letters"])
async def test_every_page_has_one_heading_of_the_first_level(parley: Running, open_page: OpenPage, path: str) -> None:
    page = (await desk_of(parley, open_page, "admin")).page
    await page.goto(f"{parley.gateway.url}{path}")
    await expect(page.locator("h1")).to_have_count(1)
    await expect(page.locator("h1")).not_to_have_text("")
