"""The desk in a real browser: a day by keyboard, replies over unseen words, restarts, hostile texts, small screens."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, expect

from core.text.segments import Encoding, measure
from gateway.pages import STATIC
from gateway.simulator.twilio import Fault
from tests.browser.conftest import OpenPage
from tests.gateway.desk.signed import passwords
from tests.gateway.desk.test_work import asks_for_an_agent, phone_shows, says
from tests.gateway.running import ANNA, BEN, Running, running

PHONE, ZOOMED = {"width": 390, "height": 844}, {"width": 640, "height": 360}  # the second is 1280 by 720 at 200 %


class Desk:
    """The desk as an agent uses it; `open_page` fails the test for anything thrown, or asked of another machine."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def sign_in(self, parley: Running, login: str = "agent") -> None:
        """Sign in by keyboard."""
        await self.page.keyboard.type(login)
        await self.page.keyboard.press("Tab")
        await self.page.keyboard.type(passwords(parley)[login])
        await self.page.keyboard.press("Enter")
        await expect(self.page.locator("#connection")).to_have_text("Live")

    async def open_first(self) -> None:
        """Open the first conversation of the list by keyboard."""
        await expect(self.page.locator(".line").first).to_be_visible()
        await self.page.keyboard.press("j")
        await self.page.keyboard.press("Enter")
        await expect(self.page.locator(".said").first).to_be_visible()

    async def claim_first(self) -> None:
        """Open and claim the first conversation by keyboard; afterwards the reply box has the focus."""
        await self.open_first()
        await self.page.keyboard.press("a")
        await expect(self.page.locator("#subtitle")).to_contain_text("With you")
        await expect(self.page.get_by_label("Reply to the customer")).to_be_focused()

    async def send(self, text: str) -> None:
        """Type into the box that has the focus and send."""
        await self.page.keyboard.type(text)
        await self.page.keyboard.press("Control+Enter")


async def desk_of(parley: Running, open_page: OpenPage, login: str = "agent", **options: Any) -> Desk:
    """Open the desk in a browser of its own and sign in."""
    desk = Desk(await open_page(f"{parley.gateway.url}/desk", **options))
    await desk.sign_in(parley, login)
    return desk


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
    await expect(held).to_contain_text("Not sent: newer message", timeout=15_000)
    await held.get_by_role("button", name="Send anyway").click()
    await phone_shows(parley, "second")
    await expect(held).to_contain_text("sent again below")
    assert [message.body for message in twilio.messages(ANNA)].count("second") == 1


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


VECTORS = (
    "<script>window.hurt=1</script>",
    "<img src=x onerror=window.hurt=1><svg/onload=window.hurt=1>",
    '"><iframe src="javascript:parent.hurt=1"></iframe><img src=\'http://192.0.2.1/leak.png\'>',
    '</script><script>hurt=1</script> {{7*7}} ${7*7} <a href="javascript:hurt=1">x</a>',
    "<style>@import 'http://192.0.2.1/x.css';body{display:none}</style><link rel=stylesheet href=http://192.0.2.1/y.css>",
    "<form action=http://192.0.2.1/><input name=q autofocus onfocus=hurt=1></form><base href=http://192.0.2.1/>",
)


async def test_hostile_words_are_shown_as_words(parley: Running, open_page: OpenPage) -> None:
    conversation = await asks_for_an_agent(parley)
    for vector in VECTORS:
        await says(parley, vector)
    hostile = VECTORS[1]
    card = '{"wanted": "%s", "reason": "%s", "tried": ["%s"], "facts": {"<b>": "%s"}, "<i>": "%s"}'.replace("%s", hostile)

    def poison(tx: Any) -> None:
        tx.execute(
            "update party set name = ?, facts = ?", (hostile, '{"<u>": {"value": "<img src=x onerror=window.hurt=1>", "source": "sms"}}')
        )
        tx.execute("update work_item set card = ?, reason = ?", (card, hostile))
        tx.execute("update agent set name = ? where login = 'supervisor'", (hostile,))
        tx.execute("update interaction set reason = ?, service_number = ?", (hostile, hostile))
        tx.execute(
            "insert into case_file select 'c1', 1, party_id, 'i', ?, ?, 'normal', ?, 1, 1 from conversation where id = ?",
            (hostile, hostile, hostile, conversation),
        )

    await parley.gateway.store.write(poison)
    desk = await desk_of(parley, open_page, "supervisor")
    page = desk.page
    await desk.claim_first()
    await desk.send(VECTORS[0])
    await expect(page.locator(".said.agent .bubble").last).to_have_text(VECTORS[0])
    shown = await page.locator(".said.customer .bubble").all_text_contents()
    assert [text for text in shown if text != "agent"] == list(VECTORS)
    await expect(page.locator("#title")).to_have_text(hostile)
    assert await page.evaluate("window.hurt") is None, "no script runs"
    assert await page.locator("#conversation img, #side img, #rows img, iframe, #conversation style, #conversation a").count() == 0


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


async def test_the_reply_box_says_where_to_how_long_and_why_not(parley: Running, open_page: OpenPage) -> None:
    await asks_for_an_agent(parley)
    await parley.gateway.store.write(lambda tx: tx.execute("update contact_medium set opted_out_at = ?", (2**41,)))
    desk = await desk_of(parley, open_page)
    page = desk.page
    await desk.claim_first()
    await expect(page.get_by_label("Send by")).to_contain_text("opted out of messages")
    await expect(page.locator("#count")).to_have_text("There is no way to write to this customer now.")
    await parley.gateway.store.write(lambda tx: tx.execute("update contact_medium set opted_out_at = null"))
    await says(parley, "start")
    await page.locator(".line").first.click()
    await expect(page.get_by_label("Send by")).to_contain_text(ANNA)
    await page.get_by_label("Reply to the customer").fill("x" * 161)
    await expect(page.locator("#count")).to_have_text("GSM-7, 161 characters, 2 parts, 145 left")
    await page.get_by_label("Reply to the customer").fill("\u0436" * 71)
    await expect(page.locator("#count")).to_contain_text("Unicode, 71 units, 2 parts")
    await page.get_by_label("Reply to the customer").fill("x" * 2_000)
    await expect(page.locator("#count")).to_contain_text("too long")
    await expect(page.get_by_role("button", name="Send", exact=True)).to_be_disabled()


async def test_short_messages_are_counted_as_the_gateway_counts_them(open_page: OpenPage) -> None:
    texts = ["", "hello", "x" * 160, "x" * 161, "€" * 80, "€" * 81, "[" * 154, "ж" * 70, "ж" * 71, "😀" * 35, "😀" * 36, "a\u0301" * 40]
    texts += ["^" * 76 + "a" + "{" * 80, "ж" * 66 + "😀" * 30, "é" * 200, "ê" * 200, "\n" * 161]
    source = re.sub(r"^export ", "", (STATIC / "desk" / "sms.js").read_text(), flags=re.MULTILINE)
    page = await open_page("about:blank")
    counted = await page.evaluate(f"(texts) => {{ {source}\nreturn texts.map(measure); }}", texts)
    names = {Encoding.GSM7: "GSM-7", Encoding.UCS2: "Unicode"}
    expected = [(names[size.encoding], size.units, size.parts) for size in map(measure, texts)]
    assert [(one["encoding"], one["units"], one["parts"]) for one in counted] == expected


@pytest.mark.parametrize("viewport", [PHONE, ZOOMED])
async def test_on_a_small_screen_there_is_one_pane_and_a_way_back(parley: Running, open_page: OpenPage, viewport: Any) -> None:
    await asks_for_an_agent(parley)
    desk = await desk_of(parley, open_page, **viewport)
    page = desk.page
    await says(parley, "w" * 400)
    await page.locator(".line").first.click()
    await page.get_by_role("button", name="Claim").first.click()
    await expect(page.get_by_label("Reply to the customer")).to_be_visible()
    await expect(page.locator(".pane.list")).to_be_hidden()
    await page.get_by_role("button", name="Customer and handover").click()
    await expect(page.locator("#side")).to_be_in_viewport()
    await page.keyboard.press("Escape")
    await expect(page.locator("#side")).to_be_hidden()
    await page.get_by_role("button", name="Back to the list").click()
    await expect(page.locator(".pane.list")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


async def test_an_admin_adds_and_disables_an_agent_who_is_out_at_once(parley: Running, open_page: OpenPage) -> None:
    other = await desk_of(parley, open_page)
    page = (await desk_of(parley, open_page, "admin")).page
    await page.goto(f"{parley.gateway.url}/desk/agents")
    await page.get_by_label("Name").fill("Amina")
    await page.get_by_label("Login").fill("amina")
    await page.get_by_role("textbox", name="Password").fill("correct horse battery")
    await page.get_by_role("button", name="Add agent").click()
    await expect(page.get_by_role("status")).to_have_text("Amina can sign in as amina.")
    row = page.get_by_role("row").filter(has_text="Demo Agent")
    page.once("dialog", lambda dialog: dialog.accept())
    await row.get_by_role("button", name="Disable").click()
    await expect(row).to_contain_text("Disabled")
    await other.page.wait_for_url("**/desk/login", timeout=6_000)


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
