"""What the desk shows: hostile words as words, limits of a reply, small screens, accounts."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from core.text.segments import Encoding, measure
from gateway.pages import STATIC
from tests.browser.conftest import OpenPage
from tests.browser.desk_user import desk_of
from tests.gateway.desk.test_work import asks_for_an_agent, says
from tests.gateway.running import ANNA, Running, running

PHONE, ZOOMED = {"width": 390, "height": 844}, {"width": 640, "height": 360}  # the second is 1280 by 720 at 200 %


@pytest.fixture
async def parley(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as started:
        yield started


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


@pytest.mark.parametrize("viewport", [PHONE, pytest.param(ZOOMED, marks=pytest.mark.long)])
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
