"""Each device of the simulator through a self-service and a hand-over: the telephone, WhatsApp and the mailbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.desk_user import desk_of
from tests.browser.phone_user import Call, Mailbox, Phone, WhatsApp
from tests.gateway.running import ANNA, Running, running

NUMBER = "+254711082000"


@pytest.fixture
async def parley(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as started:
        yield started


async def test_a_caller_hears_their_balance_by_keys_and_by_words(parley: Running, open_page: OpenPage) -> None:
    page = await open_page(parley.gateway.url)
    call = Call(page)
    await call.dial(NUMBER)
    await call.hears("For your balance, press 1")
    await page.locator("#call").press("1")
    await call.hears("Your balance is")
    await call.is_("ended")
    await page.get_by_role("button", name="Close").click()
    await expect(page.locator("#call")).to_be_hidden()
    await Phone(page).dial(NUMBER)
    await call.hears("How can we help")
    await call.say("top up")
    await call.hears("How much do you want to add")
    await page.get_by_role("button", name="Hang up").click()
    await call.is_("ended")
    await page.locator("[data-raw=phone]").click()
    drawer = page.get_by_role("complementary", name="Raw exchange")
    await drawer.get_by_role("button", name="Call to the webhook").last.click()
    await expect(drawer.locator("pre").first).to_contain_text("SpeechResult=top+up")
    await expect(drawer.locator("pre").last).to_contain_text("<Gather")
    await expect(drawer.get_by_role("button", name="Call status callback")).to_have_count(2)


async def test_silence_runs_visibly_and_is_asked_again_and_a_number_of_nobody_is_said_so(parley: Running, open_page: OpenPage) -> None:
    page = await open_page(parley.gateway.url)
    call = Call(page)
    await call.dial(NUMBER)
    await call.hears("How can we help")
    await expect(page.locator("#call-state")).to_have_text("Speaking")
    await call.pass_time(15)
    await expect(page.locator("#call-state")).to_have_text("Listening")
    await call.pass_time(10)
    await expect(page.locator("#subtitles .said")).to_have_count(2)
    await page.get_by_role("button", name="Hang up").click()
    await page.get_by_role("button", name="Close").click()
    await Phone(page).dial("+254711082999")
    await call.hears("not in service")
    await call.is_("ended")


async def test_a_call_that_is_lost_goes_on_by_text_at_the_same_step(parley: Running, open_page: OpenPage) -> None:
    page = await open_page(parley.gateway.url)
    call, phone = Call(page), Phone(page)
    await call.dial(NUMBER)
    await call.hears("For a top-up, press 2")
    await call.press("2")
    await call.hears("How much do you want to add")
    await page.get_by_role("button", name="Lose the network").click()
    await page.get_by_role("button", name="Close").click()
    await phone.text("hello")
    await expect(phone.got.last).to_contain_text("top-up")
    await phone.text("1")
    await expect(phone.got.last).to_contain_text("How much do you want to add")
    await phone.text("50")
    await expect(phone.got.last).to_contain_text("Add KES 50")


async def test_a_caller_is_put_through_to_an_agent_who_hears_first_what_it_is_about(parley: Running, open_page: OpenPage) -> None:
    page = await open_page(parley.gateway.url)
    call = Call(page)
    await call.dial(NUMBER)
    await call.hears("For an agent, press 5")
    await call.press("5")
    await call.hears("putting you through")
    agent = page.get_by_role("group", name="An agent’s phone")
    await expect(agent.get_by_role("button")).to_have_text(["Answer", "Busy", "No answer"])
    await agent.get_by_role("button", name="Answer", exact=True).click()
    await expect(agent).to_contain_text("Press 1 to take it")
    await agent.get_by_role("button", name="Press 1").click()
    await call.is_("talk")
    await agent.get_by_role("button", name="Agent hangs up").click()
    await call.is_("ended")


async def test_a_caller_whom_nobody_answers_leaves_a_message_and_an_agent_writes_back(parley: Running, open_page: OpenPage) -> None:
    page = await open_page(parley.gateway.url)
    call, phone = Call(page), Phone(page)
    await call.dial(NUMBER)
    await call.hears("For an agent, press 5")
    await call.press("5")
    await page.get_by_role("button", name="No answer").click()
    await call.hears("For leaving a message, press 1")
    await call.press("1")
    await call.is_("record")
    await call.pass_time(15)
    await page.get_by_role("button", name="Stop recording").click()
    await call.is_("ended")
    await page.get_by_role("button", name="Close").click()
    desk = await desk_of(parley, open_page)
    await desk.claim_first()
    await desk.send("We heard your message.")
    await page.get_by_role("tab", name="Messages").click()
    await expect(phone.got.last).to_contain_text("We heard your message.")


async def test_whatsapp_proves_a_number_asks_by_buttons_and_shows_what_was_read(parley: Running, open_page: OpenPage) -> None:
    page = await open_page(parley.gateway.url)
    chat = WhatsApp(page)
    await chat.open()
    await expect(page.locator("#wa-window")).to_have_text("Templates only")
    await chat.write("top up")
    await chat.shows("write your phone number")
    await expect(page.locator("#wa-window")).to_contain_text("Open until")
    await chat.write(ANNA)
    await chat.shows("We have sent a code by SMS")
    await expect(page.locator("#banner")).to_contain_text("your code is")
    await chat.write(await Phone(page).code())
    await chat.shows("How much")
    await chat.write("50")
    await chat.shows("Add KES 50")
    await chat.press("Yes")
    await chat.shows("Done: KES 50 added")
    await expect(page.locator("#wa-texts .ticks.seen").last).to_be_visible()
    assert await parley.rows("select count(*) from message where channel_id = 'whatsapp' and status = 'read'") != [(0,)]


async def test_whatsapp_is_handed_over_and_after_a_day_a_template_reaches_the_customer(parley: Running, open_page: OpenPage) -> None:
    page = await open_page(parley.gateway.url)
    chat = WhatsApp(page)
    await chat.open()
    await chat.write("agent")
    await chat.shows("a colleague")
    await page.get_by_role("button", name="Send a place").click()
    await expect(page.locator("#wa-texts .sent").last).to_contain_text("The mast behind the market")
    desk = await desk_of(parley, open_page)
    await desk.claim_first()
    await desk.send("Good morning.")
    await chat.shows("Good morning.")
    await page.get_by_role("button", name="A day passes").click()
    await expect(page.locator("#wa-window")).to_have_text("Templates only")
    await desk.send("Still there?")
    await chat.shows("Still there?")


async def test_a_picture_goes_by_text_message(parley: Running, open_page: OpenPage) -> None:
    page = await open_page(parley.gateway.url)
    await page.locator("#composer").get_by_role("button", name="Send a picture").click()
    await expect(page.locator("#texts .sent img")).to_be_visible()
    await expect(Phone(page).got.first).to_be_visible()


async def test_a_fault_is_reported_by_mail_although_a_program_loses_the_references(parley: Running, open_page: OpenPage) -> None:
    page = await open_page(parley.gateway.url)
    box = Mailbox(page)
    await box.open()
    await box.write("Help", "report a fault", picture=True)
    await box.read("What does not work?")
    await box.reply("1")
    await box.read("describe it")
    await box.reply("no signal since Monday", "Reply without references")
    await box.read("Your request has number")
    assert await parley.rows(
        "select count(*) from conversation c where exists (select 1 from message m where m.conversation_id = c.id)"
    ) == [(1,)]


async def test_a_mail_is_answered_by_an_agent_and_a_stranger_does_not_land_in_it(parley: Running, open_page: OpenPage) -> None:
    page = await open_page(parley.gateway.url)
    box = Mailbox(page)
    await box.open()
    await box.write("My bill", "agent")
    await box.read("a colleague")
    desk = await desk_of(parley, open_page)
    await desk.claim_first()
    await desk.send("Which bill do you mean?")
    await page.get_by_role("button", name="Back").click()
    await box.read("Which bill do you mean?")
    await box.reply("The last one")
    await expect(desk.page.locator(".said", has_text="The last one")).to_be_visible()
    await page.locator("#mails button", has_text="Which bill").click()
    await box.reply("Tell me all about it", "Reply as a stranger")
    await page.locator("#mails button", has_text="Which bill").click()
    await box.reply("Nothing else", "Reply")
    await expect(desk.page.locator(".said", has_text="Nothing else")).to_be_visible()
    await expect(desk.page.locator(".said", has_text="Tell me all about it")).to_have_count(0)
    await page.locator("[data-raw=phone]").click()
    drawer = page.get_by_role("complementary", name="Raw exchange")
    await drawer.get_by_role("button", name="Mail from the gateway").last.click()
    await expect(drawer.locator("pre").first).to_contain_text("References:")


async def test_machines_answers_change_nothing_but_the_record(parley: Running, open_page: OpenPage) -> None:
    page = await open_page(parley.gateway.url)
    box = Mailbox(page)
    await box.open()
    await box.write("Hello", "menu")
    await box.read("How can we help?")
    for machine in ("Out of office", "Return as undeliverable"):
        await page.get_by_text("Other answers").click()
        await page.get_by_role("button", name=machine).click()
        await expect(page.locator("#mails")).to_be_visible()
        await page.locator("#mails button", has_text="How can we help").click()
    await page.locator("[data-raw=phone]").click()
    drawer = page.get_by_role("complementary", name="Raw exchange")
    await expect(drawer.get_by_role("button", name="Mail to the gateway")).to_have_count(3)
    await expect(drawer.get_by_role("button", name="Mail from the gateway")).to_have_count(1)
